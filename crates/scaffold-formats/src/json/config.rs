//! `config.json` and files like it.

use std::path::{Path, PathBuf};

use scaffold_error::{Error, err};
use serde_json::{Map, Value};

use super::object::{ConfigObject, Source};
use super::{read_limited, read_python_json};

/// Real ones have some kilobytes; classifiers with many labels some hundreds.
const MAX_CONFIG_BYTES: u64 = 16 << 20;

/// A configuration as it was written: a JSON object with its file, so that a wrong value can be
/// named by file, line and key. Reading goes through [`root`](Self::root).
#[derive(Clone, Debug)]
pub struct ConfigJson {
    source: Source,
    map: Map<String, Value>,
}

impl ConfigJson {
    /// Reads a file, or the `config.json` in a directory.
    ///
    /// # Errors
    /// The file cannot be read, is larger than 16 MiB or holds no JSON object.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let path = if path.is_dir() { path.join("config.json") } else { path.to_owned() };
        let bytes = read_limited(&path, MAX_CONFIG_BYTES)?;
        Self::parse(path, &bytes)
    }

    /// Reads a configuration that is in memory already; `origin` is what messages call it.
    ///
    /// # Errors
    /// The text is no JSON object.
    pub fn parse(origin: impl Into<PathBuf>, text: &[u8]) -> Result<Self, Error> {
        let path = origin.into();
        match read_python_json(text) {
            Ok(Value::Object(map)) => {
                let text = String::from_utf8_lossy(text).into_owned();
                Ok(Self { source: Source { path, text }, map })
            }
            Ok(other) => {
                let found = kind(&other);
                let error =
                    err!(Damaged, "the file should hold an object `{{…}}` but holds {found}");
                Err(error.in_file(path).at_line(1))
            }
            Err(cause) => Err(err!(Damaged, "not valid JSON: {cause}")
                .in_file(path)
                .at_line(cause.line())
                .because(cause)),
        }
    }

    /// The object that the file holds, to read keys from.
    pub fn root(&self) -> ConfigObject<'_> {
        ConfigObject { source: &self.source, path: Vec::new(), map: &self.map }
    }

    /// The file, for messages.
    pub fn path(&self) -> &Path {
        &self.source.path
    }

    /// The raw object.
    pub fn map(&self) -> &Map<String, Value> {
        &self.map
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
