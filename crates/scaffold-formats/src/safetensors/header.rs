//! The JSON at the head of a safetensors file.

use std::collections::HashMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;

/// A tensor as the header describes it. Nothing is believed yet.
#[derive(Debug, Deserialize)]
pub(super) struct RawEntry {
    pub(super) dtype: String,
    pub(super) shape: Vec<u64>,
    /// Start and end within the data.
    pub(super) data_offsets: [u64; 2],
}

/// The tensors of a header in the order of the file, duplicates included: a JSON object read into a
/// map would hide them.
#[derive(Debug)]
pub(super) struct RawHeader {
    pub(super) tensors: Vec<(String, RawEntry)>,
    /// The texts of `__metadata__`: notes about the file, and the names that shared tensors have
    /// beside their own.
    pub(super) notes: HashMap<String, String>,
}

impl<'de> Deserialize<'de> for RawHeader {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeaderVisitor)
    }
}

struct HeaderVisitor;

impl<'de> Visitor<'de> for HeaderVisitor {
    type Value = RawHeader;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of tensors by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawHeader, A::Error> {
        let (mut tensors, mut notes) = (Vec::new(), HashMap::new());
        while let Some(name) = map.next_key::<String>()? {
            if name == "__metadata__" {
                notes = map.next_value::<Notes>()?.0;
            } else {
                tensors.push((name, map.next_value()?));
            }
        }
        Ok(RawHeader { tensors, notes })
    }
}

/// The texts of an object; nothing else in it is needed, nor is that it is an object.
#[derive(Debug, Default)]
struct Notes(HashMap<String, String>);

impl<'de> Deserialize<'de> for Notes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Value::Object(map) = Value::deserialize(deserializer)? else {
            return Ok(Self::default());
        };
        let texts = map.into_iter().filter_map(|(key, value)| match value {
            Value::String(text) => Some((key, text)),
            _ => None,
        });
        Ok(Self(texts.collect()))
    }
}
