//! Dictionaries, which keep the order of their keys.

use super::{Size, Value};
use crate::number::Number;
use indexmap::{Equivalent, IndexMap};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A value as a key: equal numbers of different types are one key.
#[derive(Clone, Debug)]
pub(crate) struct Key(pub(crate) Value);

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.0.is(&other.0) || self.0.equals(&other.0)
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match &self.0 {
            Value::Str(text) => Hash::hash(text.as_str(), state),
            Value::None => state.write_u8(1),
            Value::Tuple(_) | Value::Group(_) => {
                for item in self.0.tuple_items() {
                    Key(item).hash(state);
                }
            }
            value => match Number::of(value) {
                // What is equal has the same nearest float.
                Some(number) => {
                    let float = number.float().unwrap_or(f64::INFINITY);
                    state.write_u64(if float == 0.0 { 0 } else { float.to_bits() });
                }
                None => state.write_u8(2),
            },
        }
    }
}

/// A text to look up.
struct Name<'a>(&'a str);

impl Hash for Name<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl Equivalent<Key> for Name<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        key.0.as_str() == Some(self.0)
    }
}

/// `dict`
#[derive(Clone, Debug, Default)]
pub(crate) struct Dict {
    entries: IndexMap<Key, Value>,
    size: Size,
}

impl Dict {
    /// Named arguments.
    pub(crate) fn of_named(named: Vec<(Arc<str>, Value)>) -> Dict {
        let mut dict = Dict::default();
        for (name, value) in named {
            dict.insert(Key(Value::str(name)), value);
        }
        dict
    }

    pub(crate) fn insert(&mut self, key: Key, value: Value) {
        self.size = self.size().with(&key.0).with(&value);
        self.entries.insert(key, value);
    }

    pub(crate) fn size(&self) -> Size {
        if self.entries.is_empty() {
            return Size { depth: 1, weight: 1 };
        }
        self.size
    }

    pub(crate) fn get(&self, key: &Key) -> Option<&Value> {
        self.entries.get(key)
    }

    pub(crate) fn named(&self, name: &str) -> Option<&Value> {
        self.entries.get(&Name(name))
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn keys(&self) -> impl DoubleEndedIterator<Item = &Key> {
        self.entries.keys()
    }

    pub(crate) fn entries(&self) -> impl DoubleEndedIterator<Item = (&Value, &Value)> {
        self.entries.iter().map(|(key, value)| (&key.0, value))
    }

    pub(crate) fn equals(&self, other: &Dict) -> bool {
        self.len() == other.len()
            && self.entries.iter().all(|(key, value)| {
                other.get(key).is_some_and(|found| value.is(found) || value.equals(found))
            })
    }
}
