//! The fields of a request: read by name and type, each refusal with the field's name, and what
//! nobody read is told.

use serde_json::{Map, Value};

use crate::fault::Fault;

/// The fields of a JSON object that are not read yet. One that is null is not there.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    map: Map<String, Value>,
    /// What stands before the names of its fields: `options.`.
    before: String,
}

impl Fields {
    /// The object that is a request's body.
    pub(crate) fn of_body(body: &[u8]) -> Result<Self, Fault> {
        if body.iter().all(u8::is_ascii_whitespace) {
            return Err(Fault::new(400, "missing request body: send a JSON object"));
        }
        let value = serde_json::from_slice(body)
            .map_err(|error| Fault::new(400, format!("the body is not JSON: {error}")))?;
        match value {
            Value::Object(map) => Ok(Self::of(map, "")),
            other => Err(Fault::new(400, format!("the body is {}, not an object", name(&other)))),
        }
    }

    pub(crate) fn of(mut map: Map<String, Value>, before: &str) -> Self {
        map.retain(|_, value| !value.is_null());
        Self { map, before: before.to_owned() }
    }

    /// Takes a field out.
    pub(crate) fn take(&mut self, field: &str) -> Option<Value> {
        self.map.shift_remove(field)
    }

    /// Those of these fields that are there.
    pub(crate) fn copy_of(&self, fields: &[&str]) -> Map<String, Value> {
        let there = |field: &&str| Some(((*field).to_owned(), self.map.get(*field)?.clone()));
        fields.iter().filter_map(there).collect()
    }

    /// The field's name as the client knows it.
    pub(crate) fn path(&self, field: &str) -> String {
        format!("{}{field}", self.before)
    }

    /// The field has a value that it cannot have.
    pub(crate) fn wrong(&self, field: &str, value: &Value, accepted: &str) -> Fault {
        let path = self.path(field);
        let shown = match value {
            Value::String(_) | Value::Array(_) | Value::Object(_) => name(value).to_owned(),
            plain => plain.to_string(),
        };
        Fault::field(&path, format!("{path} is {shown}: accepted is {accepted}"))
    }

    fn typed<T>(
        &mut self,
        field: &str,
        accepted: &str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<Option<T>, Fault> {
        match self.take(field) {
            None => Ok(None),
            Some(value) => {
                read(&value).map(Some).ok_or_else(|| self.wrong(field, &value, accepted))
            }
        }
    }

    pub(crate) fn text(&mut self, field: &str) -> Result<Option<String>, Fault> {
        self.typed(field, "text", |value| value.as_str().map(str::to_owned))
    }

    /// A text that has to be there.
    pub(crate) fn needed(&mut self, field: &str) -> Result<String, Fault> {
        self.text(field)?.ok_or_else(|| self.missing(field))
    }

    pub(crate) fn missing(&self, field: &str) -> Fault {
        let path = self.path(field);
        Fault::field(&path, format!("{path} is required"))
    }

    pub(crate) fn flag(&mut self, field: &str) -> Result<Option<bool>, Fault> {
        self.typed(field, "true or false", Value::as_bool)
    }

    pub(crate) fn real(&mut self, field: &str) -> Result<Option<f32>, Fault> {
        self.typed(field, "a number", |value| value.as_f64().map(single))
    }

    /// A whole number of any sign; one with a point counts where nothing is behind it.
    pub(crate) fn whole(&mut self, field: &str) -> Result<Option<i64>, Fault> {
        self.typed(field, "a whole number", whole)
    }

    pub(crate) fn count(&mut self, field: &str) -> Result<Option<usize>, Fault> {
        self.typed(field, "a whole number, 0 or more", |value| {
            whole(value).and_then(|number| usize::try_from(number).ok())
        })
    }

    /// A text, or a list of texts.
    pub(crate) fn texts(&mut self, field: &str) -> Result<Option<Vec<String>>, Fault> {
        self.typed(field, "a text, or a list of texts", |value| match value {
            Value::String(text) => Some(vec![text.clone()]),
            Value::Array(list) => {
                list.iter().map(|text| text.as_str().map(str::to_owned)).collect()
            }
            _ => None,
        })
    }

    pub(crate) fn list(&mut self, field: &str) -> Result<Option<Vec<Value>>, Fault> {
        self.typed(field, "a list", |value| value.as_array().cloned())
    }

    pub(crate) fn object(&mut self, field: &str) -> Result<Option<Fields>, Fault> {
        let before = format!("{}.", self.path(field));
        self.typed(field, "an object", |value| value.as_object().cloned())
            .map(|map| map.map(|map| Self::of(map, &before)))
    }

    /// Refuses a field that cannot be honoured, unless its value asks for nothing: false, an empty
    /// text, list or object.
    pub(crate) fn refuse(&mut self, field: &str, why: &str) -> Result<(), Fault> {
        match self.take(field) {
            Some(value) if !is_nothing(&value) => {
                let path = self.path(field);
                Err(Fault::field(&path, format!("{path} cannot be honoured: {why}")))
            }
            _ => Ok(()),
        }
    }

    /// Takes a field that changes nothing here if it is one of these values; otherwise it stays
    /// with what is ignored.
    pub(crate) fn settle(&mut self, field: &str, neutral: &[Value]) {
        if self.map.get(field).is_some_and(|value| neutral.contains(value)) {
            self.take(field);
        }
    }

    /// Takes a flag that changes nothing here if it is this; otherwise it stays with what is ignored.
    pub(crate) fn settle_flag(&mut self, field: &str, neutral: bool) -> Result<(), Fault> {
        if let Some(other) = self.flag(field)?.filter(|value| *value != neutral) {
            self.map.insert(field.to_owned(), other.into());
        }
        Ok(())
    }

    /// Takes these fields, which have no meaning here, and gives the names of those that are there.
    pub(crate) fn drop_these(&mut self, fields: &[&str]) -> Vec<String> {
        fields.iter().filter_map(|field| self.take(field).map(|_| self.path(field))).collect()
    }

    /// What is left, and how it is called.
    pub(crate) fn each(self) -> impl Iterator<Item = (String, Value)> {
        self.map.into_iter()
    }

    /// The names of what nobody has read.
    pub(crate) fn rest(self) -> Vec<String> {
        let Self { map, before } = self;
        map.into_iter().map(|(field, _)| format!("{before}{field}")).collect()
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Bool(on) => !on,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Null => true,
        Value::Number(_) => false,
    }
}

/// The nearest number of 32 bits that is on the same side of whole ones: where 1 is the most, a little
/// more than 1 is too much, and a little more than 0 is not 0.
fn single(number: f64) -> f32 {
    let near = number as f32;
    if number.fract() == 0.0 || near.fract() != 0.0 || !near.is_finite() {
        near
    } else if f64::from(near) < number {
        near.next_up()
    } else {
        near.next_down()
    }
}

/// A whole number; one with a point counts where nothing is behind it, and no digit is lost.
pub(crate) fn whole(value: &Value) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    value.as_i64().or_else(|| {
        let number = value.as_f64().filter(|x| x.fract() == 0.0 && x.abs() <= EXACT)?;
        Some(number as i64)
    })
}

fn name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Fields {
        Fields::of_body(text.as_bytes()).unwrap()
    }

    #[test]
    fn what_nobody_reads_is_told_and_null_is_not_there() {
        let mut fields =
            fields(r#"{"a": 1.0, "b": null, "user": "x", "options": {"n": 2, "m": 3}}"#);
        assert_eq!(fields.count("a").unwrap(), Some(1));
        assert_eq!(fields.text("b").unwrap(), None);
        let mut options = fields.object("options").unwrap().unwrap();
        assert_eq!(options.whole("n").unwrap(), Some(2));
        assert_eq!(options.rest(), ["options.m"]);
        assert_eq!(fields.rest(), ["user"]);
    }

    #[test]
    fn refusals_name_field_value_and_what_is_accepted() {
        let fault = fields(r#"{"n": -1}"#).count("n").unwrap_err();
        assert_eq!(fault.message, "n is -1: accepted is a whole number, 0 or more");
        assert_eq!((fault.status, fault.param.as_deref()), (400, Some("n")));
        // What users wrote is not repeated.
        let fault = fields(r#"{"n": "secret"}"#).count("n").unwrap_err();
        assert!(!fault.message.contains("secret"), "{}", fault.message);
        assert!(fields(r#"{"tools": [1]}"#).refuse("tools", "later").is_err());
        for nothing in ["[]", "null", "false", "\"\"", "{}"] {
            let mut fields = fields(&format!("{{\"tools\": {nothing}}}"));
            assert!(fields.refuse("tools", "later").is_ok(), "{nothing}");
        }
    }

    #[test]
    fn flags_that_change_nothing_are_flags() {
        let mut own = fields(r#"{"a": false, "b": true, "c": 1, "d": 2}"#);
        own.settle_flag("a", false).unwrap();
        own.settle_flag("b", false).unwrap();
        assert_eq!(own.settle_flag("c", false).unwrap_err().param.as_deref(), Some("c"));
        assert_eq!(own.drop_these(&["d", "e"]), ["d"]);
        assert_eq!(own.rest(), ["b"]);
    }

    #[test]
    fn numbers_stay_on_their_side_of_whole_ones() {
        for (text, wanted) in [("0.1", 0.1), ("1.0", 1.0), ("-3", -3.0), ("1e39", f32::INFINITY)] {
            let read = fields(&format!("{{\"x\": {text}}}")).real("x").unwrap();
            assert_eq!(read, Some(wanted), "{text}");
        }
        for (text, whole, more) in
            [("1.00000001", 1.0, true), ("0.99999999", 1.0, false), ("-1e-50", 0.0, false)]
        {
            let read = fields(&format!("{{\"x\": {text}}}")).real("x").unwrap().unwrap();
            assert!(read != whole && (read > whole) == more, "{text} is {read}");
        }
    }

    #[test]
    fn bodies_that_are_no_objects_are_refused() {
        for (body, words) in
            [("", "missing request body"), (" \n", "missing"), ("{", "not JSON"), ("[]", "a list")]
        {
            let fault = Fields::of_body(body.as_bytes()).unwrap_err();
            assert!(fault.status == 400 && fault.message.contains(words), "{}", fault.message);
        }
    }
}
