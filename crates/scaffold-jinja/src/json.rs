//! JSON as Python reads it: whole numbers of any size, the order of keys, and the text of numbers
//! kept.

mod parse;

use num_bigint::BigInt;
use num_traits::ToPrimitive;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use std::fmt;

/// A JSON value.
///
/// It differs from `serde_json::Value` in what Python keeps and that type loses: whole numbers of
/// any size, `NaN` and the infinities, and `-0` as the whole number that it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Json {
    /// `null`
    #[default]
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number without a fraction or exponent.
    Int(BigInt),
    /// Any other number.
    Float(f64),
    /// Text.
    String(String),
    /// A list.
    Array(Vec<Json>),
    /// Keys with values in the order of the text; each key once.
    Object(Vec<(String, Json)>),
}

/// Why a text is not JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at line {line}, column {column}")]
pub struct JsonError {
    /// What is wrong.
    pub problem: String,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
}

impl Json {
    /// Reads a text as Python's `json.loads` does.
    ///
    /// # Errors
    /// [`JsonError`] with the place. A surrogate without its other half, which Python would keep,
    /// is refused, since no text in UTF-8 can hold it.
    pub fn parse(text: &str) -> Result<Self, JsonError> {
        parse::parse(text)
    }

    /// An object without keys.
    pub fn object() -> Self {
        Json::Object(Vec::new())
    }

    /// The value of a key of an object.
    pub fn get(&self, key: &str) -> Option<&Json> {
        match self {
            Json::Object(entries) => {
                entries.iter().find(|(name, _)| name == key).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// The value of a key of an object, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Json> {
        match self {
            Json::Object(entries) => {
                entries.iter_mut().find(|(name, _)| name == key).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Json::String(text) => Some(text),
            _ => None,
        }
    }

    /// The items of a list.
    pub fn as_array(&self) -> Option<&[Json]> {
        match self {
            Json::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The keys and values of an object.
    pub fn as_object(&self) -> Option<&[(String, Json)]> {
        match self {
            Json::Object(entries) => Some(entries),
            _ => None,
        }
    }

    /// `true` or `false`.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Json::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Json::Null)
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Json::String(text.to_owned())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Json::String(text)
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Json::Bool(value)
    }
}

impl From<i64> for Json {
    fn from(value: i64) -> Self {
        Json::Int(BigInt::from(value))
    }
}

impl From<f64> for Json {
    fn from(value: f64) -> Self {
        Json::Float(value)
    }
}

impl From<Vec<Json>> for Json {
    fn from(items: Vec<Json>) -> Self {
        Json::Array(items)
    }
}

impl From<serde_json::Value> for Json {
    fn from(value: serde_json::Value) -> Self {
        use serde_json::Value;
        match value {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::Bool(value),
            Value::Number(number) => {
                if let Some(int) = number.as_i64() {
                    Json::Int(BigInt::from(int))
                } else if let Some(int) = number.as_u64() {
                    Json::Int(BigInt::from(int))
                } else {
                    Json::Float(number.as_f64().unwrap_or(f64::NAN))
                }
            }
            Value::String(text) => Json::String(text),
            Value::Array(items) => Json::Array(items.into_iter().map(Json::from).collect()),
            Value::Object(map) => Json::from(map),
        }
    }
}

impl From<serde_json::Map<String, serde_json::Value>> for Json {
    fn from(map: serde_json::Map<String, serde_json::Value>) -> Self {
        Json::Object(map.into_iter().map(|(key, value)| (key, Json::from(value))).collect())
    }
}

impl Json {
    /// The text that Python's `json.dumps(value, ensure_ascii=False)` gives.
    pub fn dumps(&self) -> String {
        let mut out = String::new();
        self.write(", ", ": ", &mut out);
        out
    }

    fn write(&self, comma: &str, colon: &str, out: &mut String) {
        let string = |text: &str| serde_json::Value::from(text).to_string();
        match self {
            Json::Null => out.push_str("null"),
            Json::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Json::Int(value) => out.push_str(&value.to_string()),
            Json::Float(value) => out.push_str(&crate::number::json_float(*value)),
            Json::String(text) => out.push_str(&string(text)),
            Json::Array(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    out.push_str(if index > 0 { comma } else { "" });
                    item.write(comma, colon, out);
                }
                out.push(']');
            }
            Json::Object(entries) => {
                out.push('{');
                for (index, (key, value)) in entries.iter().enumerate() {
                    out.push_str(if index > 0 { comma } else { "" });
                    out.push_str(&string(key));
                    out.push_str(colon);
                    value.write(comma, colon, out);
                }
                out.push('}');
            }
        }
    }
}

/// Written as JSON on one line, without spaces. `NaN` and the infinities are written as Python
/// does.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::new();
        self.write(",", ":", &mut out);
        f.write_str(&out)
    }
}

/// From JSON's text only, so that no number is lost on the way; other formats are refused by their
/// readers.
impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Json::parse(raw.get()).map_err(serde::de::Error::custom)
    }
}

/// To JSON's text only. `NaN` and the infinities, which JSON has no word for, become `null`.
impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Json::Null => serializer.serialize_unit(),
            Json::Bool(value) => serializer.serialize_bool(*value),
            Json::Int(value) => match (value.to_i64(), value.to_u64()) {
                (Some(value), _) => serializer.serialize_i64(value),
                (None, Some(value)) => serializer.serialize_u64(value),
                (None, None) => RawValue::from_string(value.to_string())
                    .map_err(serde::ser::Error::custom)?
                    .serialize(serializer),
            },
            Json::Float(value) => serializer.serialize_f64(*value),
            Json::String(text) => serializer.serialize_str(text),
            Json::Array(items) => serializer.collect_seq(items),
            Json::Object(entries) => {
                serializer.collect_map(entries.iter().map(|(key, value)| (key, value)))
            }
        }
    }
}
