//! Whether a value is what a schema says: the part of JSON Schema that the document has. A keyword
//! that is not known here is a fault of the test's, so that nothing goes unchecked. (Validators that
//! are crates of their own turn on a feature of `serde_json` that reads numbers in another way, for all
//! tests of the workspace.)

use fancy_regex::Regex;
use serde_json::{Map, Value};

/// The schemas of a document.
pub(super) struct Schemas<'d> {
    pub(super) document: &'d Value,
    /// Whether an object has no fields but those that are described.
    pub(super) closed: bool,
}

/// What says nothing about values.
const SILENT: [&str; 5] = ["description", "examples", "default", "format", "deprecated"];

impl Schemas<'_> {
    /// The schema that a reference leads to.
    pub(super) fn resolve<'s>(&'s self, schema: &'s Value) -> &'s Value {
        match schema["$ref"].as_str() {
            Some(reference) => {
                let found = self.document.pointer(reference.strip_prefix('#').unwrap());
                self.resolve(found.unwrap_or_else(|| panic!("{reference} leads nowhere")))
            }
            None => schema,
        }
    }

    /// A value of a schema, made of its examples.
    pub(super) fn example(&self, schema: &Value) -> Value {
        let schema = self.resolve(schema);
        if let Some(example) = schema["examples"].get(0) {
            return example.clone();
        }
        for key in ["oneOf", "anyOf"] {
            if let Some(ways) = schema[key].as_array() {
                let way = ways.iter().find(|way| way["type"] != "null").unwrap();
                return self.example(way);
            }
        }
        if let Some(words) = schema["enum"].as_array() {
            return words[0].clone();
        }
        if schema.get("items").is_some() {
            return Value::Array(vec![self.example(&schema["items"])]);
        }
        let required = |name: &Value| {
            let name = name.as_str().unwrap();
            (name.to_owned(), self.example(&schema["properties"][name]))
        };
        let fields: Map<String, Value> =
            schema["required"].as_array().into_iter().flatten().map(required).collect();
        fields.into()
    }

    /// What is wrong with a value.
    pub(super) fn faults(&self, schema: &Value, value: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        self.check(schema, value, "it", &mut faults);
        faults
    }

    fn check(&self, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
        let keywords = schema.as_object().unwrap();
        for (keyword, says) in keywords {
            let fine = match keyword.as_str() {
                "$ref" => {
                    self.check(self.resolve(schema), value, at, faults);
                    true
                }
                "type" => types(says).any(|name| is(value, name)),
                "enum" => says.as_array().unwrap().contains(value),
                "oneOf" => self.count(says, value, at) == 1,
                "anyOf" => self.count(says, value, at) > 0,
                "properties" | "required" | "additionalProperties" | "propertyNames" => true,
                "items" => {
                    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.check(says, item, &format!("{at}[{index}]"), faults);
                    }
                    true
                }
                "minItems" => value.as_array().is_none_or(|list| list.len() >= size(says)),
                "maxItems" => value.as_array().is_none_or(|list| list.len() <= size(says)),
                "minLength" => value.as_str().is_none_or(|text| text.chars().count() >= size(says)),
                "pattern" => value.as_str().is_none_or(|text| {
                    Regex::new(says.as_str().unwrap()).unwrap().is_match(text).unwrap()
                }),
                "minimum" => value.as_f64().is_none_or(|x| x >= says.as_f64().unwrap()),
                "maximum" => value.as_f64().is_none_or(|x| x <= says.as_f64().unwrap()),
                "exclusiveMinimum" => value.as_f64().is_none_or(|x| x > says.as_f64().unwrap()),
                "exclusiveMaximum" => value.as_f64().is_none_or(|x| x < says.as_f64().unwrap()),
                silent => {
                    assert!(SILENT.contains(&silent), "nobody checks {silent:?}: {schema}");
                    true
                }
            };
            if !fine {
                faults.push(format!("{at} is {value}, against {keyword} {says}"));
            }
        }
        if let Some(object) = value.as_object() {
            self.check_object(keywords, object, at, faults);
        }
    }

    fn count(&self, ways: &Value, value: &Value, at: &str) -> usize {
        let fits = |way: &&Value| {
            let mut faults = Vec::new();
            self.check(way, value, at, &mut faults);
            faults.is_empty()
        };
        ways.as_array().unwrap().iter().filter(fits).count()
    }

    fn check_object(
        &self,
        schema: &Map<String, Value>,
        object: &Map<String, Value>,
        at: &str,
        faults: &mut Vec<String>,
    ) {
        for name in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
            if !object.contains_key(name.as_str().unwrap()) {
                faults.push(format!("{at} has no {name}"));
            }
        }
        let described = schema.get("properties").and_then(Value::as_object);
        for (name, value) in object {
            let place = format!("{at}.{name}");
            if let Some(names) = schema.get("propertyNames") {
                self.check(names, &name.as_str().into(), &place, faults);
            }
            let field = described.and_then(|described| described.get(name));
            match field.or(schema.get("additionalProperties")) {
                Some(field) if field.is_object() => self.check(field, value, &place, faults),
                None if self.closed && described.is_some() => {
                    faults.push(format!("{place} is not described"));
                }
                Some(_) | None => {}
            }
        }
    }
}

fn types(says: &Value) -> impl Iterator<Item = &str> {
    let one = says.as_str().into_iter();
    one.chain(says.as_array().into_iter().flatten().map(|name| name.as_str().unwrap()))
}

fn size(says: &Value) -> usize {
    usize::try_from(says.as_u64().unwrap()).unwrap()
}

fn is(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        _ => panic!("there is no type {name}"),
    }
}

#[test]
fn values_are_told_apart() {
    let document = serde_json::json!({"a": {"type": "object", "required": ["n"], "properties": {
        "n": {"type": ["integer", "null"], "minimum": 0},
        "w": {"oneOf": [{"enum": ["x"]}, {"type": "array", "items": {"pattern": "^y"}, "minItems": 1}]},
    }}});
    let schemas = Schemas { document: &document, closed: true };
    let schema = serde_json::json!({"$ref": "#/a"});
    for (fine, text) in [
        (true, r#"{"n": 1}"#),
        (true, r#"{"n": null, "w": "x"}"#),
        (true, r#"{"n": 0, "w": ["y1"]}"#),
        (false, r#"{"n": -1}"#),
        (false, r#"{"n": 1.5}"#),
        (false, "{}"),
        (false, r#"{"n": 1, "m": 1}"#),
        (false, r#"{"n": 1, "w": "z"}"#),
        (false, r#"{"n": 1, "w": []}"#),
        (false, r#"{"n": 1, "w": ["x"]}"#),
        (false, "[]"),
    ] {
        let faults = schemas.faults(&schema, &serde_json::from_str(text).unwrap());
        assert_eq!(faults.is_empty(), fine, "{text}: {faults:?}");
    }
}
