//! A view of a configuration that remembers which keys were read, so that those nobody understood can be refused.

use std::cell::RefCell;
use std::collections::HashSet;

use serde_json::{Map, Value};

use super::harmless;
use crate::ModelError;

/// A configuration under the names that the families use, whatever file it came from.
pub(crate) struct Keys {
    map: Map<String, Value>,
    read: RefCell<HashSet<String>>,
    pub(crate) family: &'static str,
    pub(crate) gguf: bool,
}

type Result<T> = std::result::Result<T, ModelError>;

impl Keys {
    /// Wraps a `config.json`, or a GGUF file's metadata in the same terms. `aliases` are a family's own names for common keys.
    pub(crate) fn new(
        map: Map<String, Value>,
        family: &'static str,
        gguf: bool,
        aliases: &[(&'static str, &'static str)],
    ) -> Self {
        let mut keys = Map::new();
        for (key, value) in map {
            let name = aliases
                .iter()
                .find(|(own, _)| *own == key)
                .map_or(key.as_str(), |(_, common)| *common);
            // Both spellings may be there (`hidden_act` and `hidden_activation`): the one with a value counts.
            if keys.get(name).is_none_or(Value::is_null) {
                keys.insert(name.to_owned(), value);
            }
        }
        Self {
            map: keys,
            read: RefCell::default(),
            family,
            gguf,
        }
    }

    /// The file, for messages.
    pub(crate) fn what(&self) -> &'static str {
        if self.gguf {
            "the GGUF metadata"
        } else {
            "config.json"
        }
    }

    /// A key's value; `null` counts as absent.
    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        self.read.borrow_mut().insert(key.to_owned());
        self.map.get(key).filter(|v| !v.is_null())
    }

    /// Whether the key is there, be it with `null`.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.map.contains_key(key)
    }

    /// Marks keys as read whose values change nothing in this family.
    pub(crate) fn ignore(&self, keys: &[&str]) {
        self.read
            .borrow_mut()
            .extend(keys.iter().map(|k| (*k).to_owned()));
    }

    pub(crate) fn bad(&self, key: &str, value: &Value, expected: impl Into<String>) -> ModelError {
        ModelError::BadValue {
            what: self.what(),
            family: self.family,
            key: key.to_owned(),
            value: shown(value),
            expected: expected.into(),
        }
    }

    fn typed<T>(
        &self,
        key: &str,
        expected: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<T>> {
        self.get(key)
            .map(|v| read(v).ok_or_else(|| self.bad(key, v, expected)))
            .transpose()
    }

    fn needed<T>(&self, key: &str, value: Option<T>) -> Result<T> {
        value.ok_or_else(|| ModelError::MissingKey {
            what: self.what(),
            family: self.family,
            key: key.to_owned(),
        })
    }

    pub(crate) fn opt_usize(&self, key: &str) -> Result<Option<usize>> {
        self.typed(key, "a count that is not negative", |v| {
            v.as_u64().and_then(|n| usize::try_from(n).ok())
        })
    }

    /// A count of at least one.
    pub(crate) fn usize(&self, key: &str) -> Result<usize> {
        let n = self.needed(key, self.opt_usize(key)?)?;
        // No model has a dimension of more than 2^28; a larger one would only overflow products of two.
        if n == 0 || n > 1 << 28 {
            Err(self.bad(key, &Value::from(n), "a count from 1 to 2^28"))
        } else {
            Ok(n)
        }
    }

    pub(crate) fn opt_f64(&self, key: &str) -> Result<Option<f64>> {
        self.typed(key, "a finite number", |v| {
            v.as_f64().filter(|x| x.is_finite())
        })
    }

    pub(crate) fn opt_bool(&self, key: &str) -> Result<Option<bool>> {
        self.typed(key, "true or false", Value::as_bool)
    }

    pub(crate) fn bool_or(&self, key: &str, default: bool) -> Result<bool> {
        Ok(self.opt_bool(key)?.unwrap_or(default))
    }

    pub(crate) fn opt_str(&self, key: &str) -> Result<Option<&str>> {
        self.get(key)
            .map(|v| v.as_str().ok_or_else(|| self.bad(key, v, "a string")))
            .transpose()
    }

    pub(crate) fn opt_list(&self, key: &str) -> Result<Option<&Vec<Value>>> {
        self.get(key)
            .map(|v| v.as_array().ok_or_else(|| self.bad(key, v, "a list")))
            .transpose()
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

    /// Refuses what nobody has read and what might matter.
    pub(crate) fn finish(&self, ignored: &[String]) -> Result<()> {
        let read = self.read.borrow();
        for (key, value) in &self.map {
            if !read.contains(key) && !ignored.contains(key) && !harmless::is_harmless(key, value) {
                return Err(ModelError::UnknownKey {
                    what: self.what(),
                    family: self.family,
                    key: key.clone(),
                    value: shown(value),
                });
            }
        }
        Ok(())
    }
}

/// A value in a message, cut to a line.
pub(crate) fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(80) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}
