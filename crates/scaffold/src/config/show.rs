//! Values as people and programs see them. Secrets are masked here, once.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use scaffold_hub::{Token, TokenSource};
use serde_json::Value;

use super::key::Key;
use super::secret::Secret;
use super::source::{Setting, Source};

/// One effective value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Which key.
    pub key: Key,
    /// Its value, masked if it is a secret; null where nothing is set and there is no default.
    pub value: Value,
    /// Who set it.
    pub source: Source,
}

impl Row {
    /// The value as text; empty where there is none.
    pub fn text(&self) -> String {
        match &self.value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }
}

pub(super) fn word<T: Display>(key: Key, setting: &Setting<T>) -> Row {
    row(key, setting, as_word)
}

pub(super) fn number<T: Display>(key: Key, setting: &Setting<T>) -> Row {
    row(key, setting, as_number)
}

pub(super) fn truth(key: Key, setting: &Setting<bool>) -> Row {
    row(key, setting, |&value| Value::Bool(value))
}

pub(super) fn auto_word<T: Display>(key: Key, setting: &Setting<Option<T>>) -> Row {
    row(key, setting, |value| value.as_ref().map_or_else(|| as_word(&"auto"), as_word))
}

pub(super) fn auto_number<T: Display>(key: Key, setting: &Setting<Option<T>>) -> Row {
    row(key, setting, |value| value.as_ref().map_or_else(|| as_word(&"auto"), as_number))
}

/// A path that is set, or the one that it comes to; null where there is no place.
pub(super) fn path<'a>(
    key: Key,
    setting: impl Into<Option<&'a Setting<PathBuf>>>,
    used: impl Into<Option<&'a Path>>,
) -> Row {
    let source = setting.into().map_or(Source::Default, |setting| setting.source.clone());
    let used = used.into().filter(|path| !path.as_os_str().is_empty());
    let value = used.map_or(Value::Null, |path| as_word(&path.display()));
    Row { key, value, source }
}

/// A path that counts as it is set, or is none.
pub(super) fn own_path<'a>(key: Key, setting: impl Into<Option<&'a Setting<PathBuf>>>) -> Row {
    let setting = setting.into();
    path(key, setting, setting.map(|setting| setting.value.as_path()))
}

/// The token that is sent: one that was set, or the one in Python's token file.
pub(super) fn token<'a>(
    key: Key,
    setting: impl Into<Option<&'a Setting<Secret>>>,
    sent: Option<&(Token, TokenSource)>,
) -> Row {
    match (setting.into(), sent) {
        (Some(token), _) => word(key, token),
        (None, Some((token, TokenSource::File(path)))) => Row {
            key,
            value: as_word(&Secret::new(token.reveal())),
            source: Source::File { path: path.clone(), line: 1 },
        },
        _ => Row { key, value: Value::Null, source: Source::Default },
    }
}

fn row<T>(key: Key, setting: &Setting<T>, show: impl Fn(&T) -> Value) -> Row {
    Row { key, value: show(&setting.value), source: setting.source.clone() }
}

fn as_word(value: &impl Display) -> Value {
    Value::String(value.to_string())
}

/// By way of text, so that 0.7 in single precision stays 0.7.
fn as_number(value: &impl Display) -> Value {
    value.to_string().parse().map_or_else(|_| as_word(value), Value::Number)
}
