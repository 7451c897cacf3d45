//! Reading keys out of a configuration, with errors that name them.

use std::path::{Path, PathBuf};

use scaffold_error::{Error, err};
use serde_json::{Map, Value};

use crate::quoted::Quoted;

/// Where a configuration comes from, so that a wrong value can be named by file and line.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) text: String,
}

/// An object in a configuration: the whole file, or an object under one of its keys.
///
/// The getters return `Ok(None)` for a key that is absent or `null`, as Python's configurations use
/// `null` for "not set", and an error naming file, line and key for a value of another type.
#[derive(Clone, Debug)]
pub struct ConfigObject<'a> {
    pub(super) source: &'a Source,
    pub(super) path: Vec<&'a str>,
    pub(super) map: &'a Map<String, Value>,
}

impl<'a> ConfigObject<'a> {
    /// The raw value, `None` where the key is absent or `null`.
    pub fn get(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    /// All keys, in the order of the file.
    pub fn keys(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.map.keys().map(String::as_str)
    }

    /// An integer that is not negative. A float without a fraction (`2048.0`) counts.
    ///
    /// # Errors
    /// The value is something else.
    pub fn get_u64(&self, key: &str) -> Result<Option<u64>, Error> {
        self.typed(key, "an integer that is not negative", as_u64)
    }

    /// A size or count.
    ///
    /// # Errors
    /// The value is no integer, negative or too large.
    pub fn get_usize(&self, key: &str) -> Result<Option<usize>, Error> {
        self.typed(key, "an integer that is not negative", |value| as_u64(value)?.try_into().ok())
    }

    /// A token id or count of 32 bits.
    ///
    /// # Errors
    /// The value is no integer, negative or too large.
    pub fn get_u32(&self, key: &str) -> Result<Option<u32>, Error> {
        self.typed(key, "an integer from 0 to 4294967295", |value| as_u64(value)?.try_into().ok())
    }

    /// An integer.
    ///
    /// # Errors
    /// The value is something else.
    pub fn get_i64(&self, key: &str) -> Result<Option<i64>, Error> {
        self.typed(key, "an integer", Value::as_i64)
    }

    /// A number.
    ///
    /// # Errors
    /// The value is something else.
    pub fn get_f64(&self, key: &str) -> Result<Option<f64>, Error> {
        self.typed(key, "a number", Value::as_f64)
    }

    /// A number, rounded to 32 bits.
    ///
    /// # Errors
    /// The value is something else.
    pub fn get_f32(&self, key: &str) -> Result<Option<f32>, Error> {
        Ok(self.get_f64(key)?.map(|value| value as f32))
    }

    /// A boolean.
    ///
    /// # Errors
    /// The value is something else.
    pub fn get_bool(&self, key: &str) -> Result<Option<bool>, Error> {
        self.typed(key, "true or false", Value::as_bool)
    }

    /// Text.
    ///
    /// # Errors
    /// The value is something else.
    pub fn get_str(&self, key: &str) -> Result<Option<&'a str>, Error> {
        self.typed(key, "a string", Value::as_str)
    }

    /// A list of anything.
    ///
    /// # Errors
    /// The value is something else.
    pub fn get_list(&self, key: &str) -> Result<Option<&'a [Value]>, Error> {
        self.typed(key, "a list", |value| value.as_array().map(Vec::as_slice))
    }

    /// A list of numbers.
    ///
    /// # Errors
    /// The value is no list, or holds something else.
    pub fn get_f32s(&self, key: &str) -> Result<Option<Vec<f32>>, Error> {
        self.typed(key, "a list of numbers", |value| {
            value.as_array()?.iter().map(|value| value.as_f64().map(|value| value as f32)).collect()
        })
    }

    /// A list of sizes.
    ///
    /// # Errors
    /// The value is no list, or holds something else.
    pub fn get_usizes(&self, key: &str) -> Result<Option<Vec<usize>>, Error> {
        self.typed(key, "a list of integers that are not negative", |value| {
            value.as_array()?.iter().map(|value| as_u64(value)?.try_into().ok()).collect()
        })
    }

    /// A list of strings.
    ///
    /// # Errors
    /// The value is no list, or holds something else.
    pub fn get_strs(&self, key: &str) -> Result<Option<Vec<&'a str>>, Error> {
        self.typed(key, "a list of strings", |value| {
            value.as_array()?.iter().map(Value::as_str).collect()
        })
    }

    /// An object under a key.
    ///
    /// # Errors
    /// The value is something else.
    pub fn get_object(&self, key: &str) -> Result<Option<ConfigObject<'a>>, Error> {
        let Some(map) = self.typed(key, "an object", Value::as_object)? else {
            return Ok(None);
        };
        let mut path = self.path.clone();
        // The key as the file holds it, which lives as long as the configuration.
        path.extend(self.map.get_key_value(key).map(|(key, _)| key.as_str()));
        Ok(Some(ConfigObject { source: self.source, path, map }))
    }

    /// A size that must be there.
    ///
    /// # Errors
    /// The key is absent or holds something else.
    pub fn require_usize(&self, key: &str) -> Result<usize, Error> {
        self.required(key, self.get_usize(key)?)
    }

    /// A number that must be there.
    ///
    /// # Errors
    /// The key is absent or holds something else.
    pub fn require_f32(&self, key: &str) -> Result<f32, Error> {
        self.required(key, self.get_f32(key)?)
    }

    /// Text that must be there.
    ///
    /// # Errors
    /// The key is absent or holds something else.
    pub fn require_str(&self, key: &str) -> Result<&'a str, Error> {
        self.required(key, self.get_str(key)?)
    }

    /// Turns an absent value into an error.
    ///
    /// # Errors
    /// The value is absent.
    pub fn required<T>(&self, key: &str, value: Option<T>) -> Result<T, Error> {
        value.ok_or_else(|| {
            let key = self.full_name(key);
            err!(Damaged, "key {} is missing", Quoted(&key)).in_file(&self.source.path).of_key(key)
        })
    }

    /// The error for a key whose value has the right type but is not one that makes sense: file,
    /// line, key, what was `wanted` and the value.
    pub fn unexpected(&self, key: &str, wanted: &'static str) -> Error {
        let found = self.map.get(key).map_or_else(|| "absent".to_owned(), Value::to_string);
        let line = self.line_of(key);
        wrong_value(&self.source.path, line, &self.full_name(key), wanted, &found)
    }

    /// The key with those of the objects around it, joined by dots.
    pub fn full_name(&self, key: &str) -> String {
        self.path.iter().copied().chain([key]).collect::<Vec<_>>().join(".")
    }

    /// The line of the file that the key is on, from 1.
    pub fn line_of(&self, key: &str) -> Option<usize> {
        let path: Vec<&str> = self.path.iter().copied().chain([key]).collect();
        super::lines::line_of(&self.source.text, &path)
    }

    fn typed<T>(
        &self,
        key: &str,
        wanted: &'static str,
        convert: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        convert(value).map(Some).ok_or_else(|| self.unexpected(key, wanted))
    }
}

/// The error of a value that is not what was `wanted`.
pub(super) fn wrong_value(
    path: &Path,
    line: Option<usize>,
    key: &str,
    wanted: &str,
    found: &str,
) -> Error {
    let error = err!(Damaged, "key {} should be {wanted} but is {}", Quoted(key), Quoted(found))
        .in_file(path)
        .of_key(key);
    match line {
        Some(line) => error.at_line(line),
        None => error,
    }
}

fn as_u64(value: &Value) -> Option<u64> {
    // Beyond 2⁵³ a float names no particular integer.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    value.as_u64().or_else(|| {
        let float = value.as_f64()?;
        (float.fract() == 0.0 && (0.0..=EXACT).contains(&float)).then_some(float as u64)
    })
}
