//! A view of a configuration that remembers which keys were read, so that those nobody understood
//! can be refused.

use std::cell::RefCell;
use std::collections::HashSet;

use scaffold_error::{Error, Remedy, err};
use serde_json::{Map, Value};

use super::classes::{self, Class};
use super::harmless;
use crate::spec::UnknownKeys;

/// A configuration under the names that the families use, whatever file it came from.
///
/// Of a `config.json` only what the class of `transformers` reads is visible to the families, with
/// the class's own value where the file says nothing: a key that is ignored there must not be
/// obeyed here.
pub(crate) struct Keys {
    map: Map<String, Value>,
    /// Keys that the class does not read.
    outside: Map<String, Value>,
    /// Keys that the file leaves out.
    filled: HashSet<String>,
    read: RefCell<HashSet<String>>,
    /// Parts of values that are not understood, with their path.
    odd: RefCell<Vec<(String, String)>>,
    pub(crate) family: &'static str,
    pub(crate) gguf: bool,
    pub(super) class: Option<&'static Class>,
}

type Result<T> = std::result::Result<T, Error>;

type Aliases = [(&'static str, &'static str)];

impl Keys {
    /// Wraps a GGUF file's metadata in the terms of `config.json`.
    pub(crate) fn of_gguf(map: Map<String, Value>, family: &'static str) -> Self {
        Self {
            map,
            outside: Map::new(),
            filled: HashSet::new(),
            read: RefCell::default(),
            odd: RefCell::default(),
            family,
            gguf: true,
            class: None,
        }
    }

    /// Wraps a `config.json`. `aliases` are a family's own names for common keys.
    pub(crate) fn of_config(
        map: Map<String, Value>,
        family: &'static str,
        model_type: &str,
        aliases: &Aliases,
    ) -> Result<Self> {
        let mut keys = Self {
            gguf: false,
            class: classes::class(model_type),
            ..Self::of_gguf(Map::new(), family)
        };
        let Some(class) = keys.class else {
            keys.map = map;
            return Ok(keys);
        };
        let mut own = Map::new();
        for (key, value) in map {
            match class.renamed(&key) {
                // Another name for a field is set after the field, and so counts.
                Some(field) => _ = own.insert(field.to_owned(), value),
                None if !class.reads(&key) => _ = keys.outside.insert(key, value),
                None if value.is_null() && class.refuses_null(&key) => {
                    let expected =
                        format!("a value, or no such key, which means {}", class.fields[&key]);
                    return Err(keys.bad(&key, &value, expected));
                }
                None => _ = own.entry(key).or_insert(value),
            }
        }
        for (key, value) in &class.fields {
            if !own.contains_key(key) {
                own.insert(key.clone(), value.clone());
                keys.filled.insert(common(key, aliases).to_owned());
            }
        }
        keys.map =
            own.into_iter().map(|(key, value)| (common(&key, aliases).to_owned(), value)).collect();
        Ok(keys)
    }

    /// A number that a note of the file's says, which `transformers` does not read.
    pub(crate) fn noted(&self, key: &str) -> Option<usize> {
        self.outside.get(key)?.as_u64()?.try_into().ok()
    }

    /// Remembers a part of a value that is not understood.
    pub(super) fn odd(&self, path: String, value: &Value) {
        self.odd.borrow_mut().push((path, shown(value)));
    }

    /// The file, for messages.
    pub(crate) fn what(&self) -> &'static str {
        if self.gguf { "the GGUF metadata" } else { "config.json" }
    }

    /// A key's value; `null` counts as absent.
    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        self.read.borrow_mut().insert(key.to_owned());
        self.map.get(key).filter(|v| !v.is_null())
    }

    /// Whether the key is there and says nothing.
    pub(crate) fn is_null(&self, key: &str) -> bool {
        self.map.get(key).is_some_and(Value::is_null)
    }

    /// Marks keys as read whose values change nothing in this family.
    pub(crate) fn ignore(&self, keys: &[&str]) {
        self.read.borrow_mut().extend(keys.iter().map(|k| (*k).to_owned()));
    }

    pub(crate) fn bad(&self, key: &str, value: &Value, expected: impl Into<String>) -> Error {
        let (what, family, value, expected) =
            (self.what(), self.family, shown(value), expected.into());
        err!(
            Unsupported,
            "`{key}` in {what} is {value}, which cannot be used for a {family} model: expected {expected}"
        )
        .of_key(key)
    }

    fn typed<T>(
        &self,
        key: &str,
        expected: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<T>> {
        self.get(key).map(|v| read(v).ok_or_else(|| self.bad(key, v, expected))).transpose()
    }

    fn needed<T>(&self, key: &str, value: Option<T>) -> Result<T> {
        value.ok_or_else(|| self.missing(key))
    }

    /// The error for a key that the family needs.
    pub(super) fn missing(&self, key: &str) -> Error {
        let (what, family) = (self.what(), self.family);
        err!(
            Damaged,
            "{what} of this {family} model has no `{key}`, which is needed to compute it; fetch the file again"
        )
        .of_key(key)
    }

    pub(crate) fn opt_usize(&self, key: &str) -> Result<Option<usize>> {
        self.typed(key, "a count that is not negative", |v| {
            v.as_u64().and_then(|n| usize::try_from(n).ok())
        })
    }

    /// A count of at least one.
    pub(crate) fn usize(&self, key: &str) -> Result<usize> {
        let n = self.needed(key, self.opt_usize(key)?)?;
        // No model has a dimension of more than 2^28; a larger one would only overflow products of
        // two.
        if n == 0 || n > 1 << 28 {
            Err(self.bad(key, &Value::from(n), "a count from 1 to 2^28"))
        } else {
            Ok(n)
        }
    }

    pub(crate) fn opt_f64(&self, key: &str) -> Result<Option<f64>> {
        self.typed(key, "a finite number", |v| v.as_f64().filter(|x| x.is_finite()))
    }

    pub(crate) fn opt_bool(&self, key: &str) -> Result<Option<bool>> {
        self.typed(key, "true or false", Value::as_bool)
    }

    pub(crate) fn bool_or(&self, key: &str, default: bool) -> Result<bool> {
        Ok(self.opt_bool(key)?.unwrap_or(default))
    }

    pub(crate) fn opt_str(&self, key: &str) -> Result<Option<&str>> {
        self.get(key).map(|v| v.as_str().ok_or_else(|| self.bad(key, v, "a string"))).transpose()
    }

    pub(crate) fn opt_list(&self, key: &str) -> Result<Option<&Vec<Value>>> {
        self.get(key).map(|v| v.as_array().ok_or_else(|| self.bad(key, v, "a list"))).transpose()
    }

    pub(crate) fn opt_map(&self, key: &str) -> Result<Option<&Map<String, Value>>> {
        self.get(key)
            .map(|v| v.as_object().ok_or_else(|| self.bad(key, v, "an object")))
            .transpose()
    }

    /// A value other than the one that this family computes is refused.
    pub(crate) fn only(&self, key: &str, allowed: &Value) -> Result<()> {
        match self.get(key) {
            Some(v) if v != allowed => Err(self.bad(key, v, shown(allowed))),
            _ => Ok(()),
        }
    }

    /// Refuses what nobody has read and what might matter; returns the keys that were passed over
    /// although nobody knows what they are for.
    pub(crate) fn finish(&self, unknown: UnknownKeys) -> Result<Vec<String>> {
        let read = self.read.borrow();
        for (key, value) in &self.map {
            let known = read.contains(key)
                || self.filled.contains(key)
                || self.class.is_some_and(|class| class.leaves_unread(key))
                || harmless::is_harmless(self.family, key, value);
            if !known {
                return Err(self.unsupported(key, value));
            }
        }
        let mut passed = Vec::new();
        let outside = self.outside.iter();
        let outside =
            outside.filter(|(key, value)| !harmless::is_harmless(self.family, key, value));
        let odd = self.odd.borrow();
        let all = outside.map(|(key, value)| (key.clone(), shown(value)));
        for (key, value) in all.chain(odd.iter().cloned()) {
            if unknown == UnknownKeys::Refuse && self.may_be_read_elsewhere() {
                return Err(self.unknown(&key, &value));
            }
            passed.push(key);
        }
        Ok(passed)
    }

    /// Whether other code than the classes that are known here computes with the configuration: the
    /// model's own, a newer `transformers`, or (GGUF) whatever wrote the key.
    fn may_be_read_elsewhere(&self) -> bool {
        let version = self.outside.get("transformers_version");
        self.gguf
            || self.outside.get("auto_map").is_some_and(|map| !map.is_null())
            || version.and_then(Value::as_str).is_some_and(classes::is_newer)
    }

    /// The error for a key that the class reads and no family here does.
    fn unsupported(&self, key: &str, value: &Value) -> Error {
        let (what, family, value) = (self.what(), self.family, shown(value));
        let instead = if key == "quantization_config" {
            "its weights are quantized by other software: take the model it was made of, or a GGUF file of it"
        } else {
            "look for another conversion of the model, or remove the key if it is only a note"
        };
        err!(
            Unsupported,
            "`{key}` = {value} in {what} changes what a {family} model computes, and is not computed here, so the model is \
             refused rather than computed wrongly; {instead}"
        )
        .of_key(key)
    }

    fn unknown(&self, key: &str, value: &str) -> Error {
        let (what, family) = (self.what(), self.family);
        err!(
            Unsupported,
            "`{key}` = {value} in {what} is not understood for a {family} model; as it may change what the model computes, \
             the model is refused rather than computed wrongly"
        )
        .of_key(key)
        .remedy("if the key is only a note, remove it from the file")
        .remedy(Remedy::Set { key: "SCAFFOLD_UNKNOWN_KEYS", values: "ignore" })
    }
}

/// The common name of a family's own key.
fn common<'a>(key: &'a str, aliases: &Aliases) -> &'a str {
    let own = aliases.iter().find(|(own, _)| *own == key);
    own.map_or(key, |(_, common)| *common)
}

/// A value in a message, cut to a line.
pub(crate) fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(80) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}
