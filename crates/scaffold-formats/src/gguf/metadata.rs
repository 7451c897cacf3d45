//! The key-value pairs at the head of a GGUF file.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use scaffold_error::{Error, err};

use super::array::{MetadataArray, wrong_type};
use super::cursor::Cursor;
use super::start::check_start;
use super::value::{Number, Place, ValueType};
use crate::map::FileBytes;
use crate::quoted::Quoted;
use crate::write::{MetadataValue, encode_string};

/// A pair takes at least an eight-byte key length, one byte of key, a type and one byte of value.
const LEAST_PAIR_BYTES: usize = 14;
/// Public files have some dozens.
const MAX_PAIRS: usize = 1 << 16;

/// The metadata of a GGUF file, by key.
///
/// The getters return `Ok(None)` for an absent key and an error, naming file and key, for a value
/// of another type. Integers of every width answer to [`get_u64`](Self::get_u64), if they are not
/// negative.
pub struct Metadata {
    path: PathBuf,
    bytes: Arc<FileBytes>,
    keys: Vec<String>,
    places: HashMap<String, Place>,
}

/// One metadata value, decoded.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Value<'a> {
    /// An integer of any unsigned type.
    Unsigned(u64),
    /// An integer of any signed type.
    Signed(i64),
    /// A float of either width.
    Float(f64),
    /// A boolean.
    Bool(bool),
    /// Text.
    Str(&'a str),
    /// Elements of one type.
    Array(MetadataArray<'a>),
}

impl Metadata {
    /// Walks over `count` pairs from the cursor on.
    pub(super) fn read(
        path: PathBuf,
        bytes: Arc<FileBytes>,
        count: usize,
        cursor: &mut Cursor<'_>,
    ) -> Result<Self, Error> {
        let mut keys = Vec::with_capacity(count);
        let mut places = HashMap::with_capacity(count);
        for _ in 0..count {
            let key = cursor.name("a metadata key")?;
            let place = Place::read(cursor, key)?;
            if places.insert(key.to_owned(), place).is_some() {
                return Err(err!(
                    Damaged,
                    "metadata key {} is there twice: the file is damaged or was made by a faulty tool",
                    Quoted(key)
                )
                .of_key(key));
            }
            keys.push(key.to_owned());
        }
        Ok(Self { path, bytes, keys, places })
    }

    /// As many pairs as are whole in the first bytes of a file, and the length of an array that
    /// they end in. What describes a model stands before its vocabulary, so that a few KiB of a
    /// file that is elsewhere tell what it is.
    ///
    /// # Errors
    /// The bytes are not the start of a GGUF file, version 2 or 3.
    pub fn of_start(origin: impl Into<PathBuf>, bytes: Vec<u8>) -> Result<Self, Error> {
        let path = origin.into();
        let bytes = Arc::new(FileBytes::Owned(bytes));
        let mut cursor = Cursor::new(&bytes, 0);
        let failed = |error: Error| error.in_file(&path);
        check_start(&mut cursor).map_err(failed)?;
        // The number of tensors.
        cursor.u64("tensors").map_err(failed)?;
        let count = cursor.u64("metadata pairs").map_err(failed)?;
        let (mut keys, mut places) = (Vec::new(), HashMap::new());
        for _ in 0..count {
            let Ok(key) = cursor.name("a metadata key") else {
                break;
            };
            let mut value = cursor;
            let place = match Place::read(&mut value, key) {
                Ok(place) => place,
                Err(_) => match Place::read_cut(&mut cursor.clone(), key) {
                    Some(place) => {
                        value = Cursor::new(&bytes, bytes.len());
                        place
                    }
                    None => break,
                },
            };
            cursor = value;
            if places.insert(key.to_owned(), place).is_none() {
                keys.push(key.to_owned());
            }
        }
        Ok(Self { path, bytes: Arc::clone(&bytes), keys, places })
    }

    pub(super) fn read_count(cursor: &mut Cursor<'_>) -> Result<usize, Error> {
        cursor.count(LEAST_PAIR_BYTES, MAX_PAIRS, "metadata pairs")
    }

    /// All keys, in the order of the file.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> {
        self.keys.iter().map(String::as_str)
    }

    /// Whether the key is there, with whatever type.
    pub fn contains(&self, key: &str) -> bool {
        self.places.contains_key(key)
    }

    /// The value of a key just as it is stored, for another file.
    pub fn stored(&self, key: &str) -> Option<MetadataValue> {
        Some(match self.places.get(key)? {
            Place::Scalar { ty, at } => {
                let bytes = &self.bytes[*at..*at + ty.size()?];
                MetadataValue { ty: *ty, array: None, bytes: bytes.to_vec() }
            }
            Place::Str(range) => {
                let mut bytes = Vec::with_capacity(range.len() + 8);
                encode_string(&self.bytes[range.clone()], &mut bytes);
                MetadataValue { ty: ValueType::Str, array: None, bytes }
            }
            Place::Array { element, len, bytes } => MetadataValue {
                ty: ValueType::Array,
                array: Some((*element, *len as u64)),
                bytes: self.bytes[bytes.clone()].to_vec(),
            },
        })
    }

    /// The value of a key, whatever its type.
    ///
    /// # Errors
    /// The value is text that is not UTF-8.
    pub fn get(&self, key: &str) -> Result<Option<Value<'_>>, Error> {
        let Some((key, place)) = self.places.get_key_value(key) else {
            return Ok(None);
        };
        Ok(Some(match place {
            Place::Scalar { ty, at } => match Number::decode(*ty, &self.bytes[*at..]) {
                Some(Number::Unsigned(value)) => Value::Unsigned(value),
                Some(Number::Signed(value)) => Value::Signed(value),
                Some(Number::Float(value)) => Value::Float(value),
                Some(Number::Bool(value)) => Value::Bool(value),
                None => return Ok(None),
            },
            Place::Str(range) => Value::Str(self.text(key, &self.bytes[range.clone()])?),
            Place::Array { element, len, bytes } => Value::Array(MetadataArray {
                path: &self.path,
                key,
                element: *element,
                len: *len,
                bytes: &self.bytes[bytes.clone()],
            }),
        }))
    }

    /// An integer that is not negative.
    ///
    /// # Errors
    /// The value is of another type or negative.
    pub fn get_u64(&self, key: &str) -> Result<Option<u64>, Error> {
        self.number(key, "an unsigned integer", Number::as_u64)
    }

    /// An integer that is not negative and fits 32 bits: a token id, a count.
    ///
    /// # Errors
    /// The value is of another type, negative or too large.
    pub fn get_u32(&self, key: &str) -> Result<Option<u32>, Error> {
        self.number(key, "an unsigned integer of 32 bits", |number| {
            number.as_u64()?.try_into().ok()
        })
    }

    /// An integer that is not negative, as a size.
    ///
    /// # Errors
    /// The value is of another type, negative or too large.
    pub fn get_usize(&self, key: &str) -> Result<Option<usize>, Error> {
        self.number(key, "a size", |number| number.as_u64()?.try_into().ok())
    }

    /// An integer.
    ///
    /// # Errors
    /// The value is of another type or does not fit.
    pub fn get_i64(&self, key: &str) -> Result<Option<i64>, Error> {
        self.number(key, "an integer", Number::as_i64)
    }

    /// A number as `f32`.
    ///
    /// # Errors
    /// The value is not a number.
    pub fn get_f32(&self, key: &str) -> Result<Option<f32>, Error> {
        self.number(key, "a number", |number| number.as_f64().map(|value| value as f32))
    }

    /// A boolean.
    ///
    /// # Errors
    /// The value is of another type.
    pub fn get_bool(&self, key: &str) -> Result<Option<bool>, Error> {
        self.number(key, "a boolean", Number::as_bool)
    }

    /// Text.
    ///
    /// # Errors
    /// The value is of another type or not UTF-8.
    pub fn get_str(&self, key: &str) -> Result<Option<&str>, Error> {
        match self.places.get(key) {
            None => Ok(None),
            Some(Place::Str(range)) => self.text(key, &self.bytes[range.clone()]).map(Some),
            Some(place) => Err(self.mismatch(key, "text", place)),
        }
    }

    /// An array of any element type.
    ///
    /// # Errors
    /// The value is not an array.
    pub fn get_array(&self, key: &str) -> Result<Option<MetadataArray<'_>>, Error> {
        match self.places.get_key_value(key) {
            None => Ok(None),
            Some((key, Place::Array { element, len, bytes })) => Ok(Some(MetadataArray {
                path: &self.path,
                key,
                element: *element,
                len: *len,
                bytes: &self.bytes[bytes.clone()],
            })),
            Some((_, place)) => Err(self.mismatch(key, "an array", place)),
        }
    }

    /// An array of strings.
    ///
    /// # Errors
    /// The value is of another type, or a string is not UTF-8.
    pub fn get_strings(&self, key: &str) -> Result<Option<Vec<&str>>, Error> {
        self.get_array(key)?.map(|array| array.strings()).transpose()
    }

    /// Turns an absent value into an error:
    /// `metadata.required("llama.block_count", metadata.get_u64(…)?)`.
    ///
    /// # Errors
    /// The value is absent.
    pub fn required<T>(&self, key: &str, value: Option<T>) -> Result<T, Error> {
        value.ok_or_else(|| {
            err!(
                Damaged,
                "metadata key {} is missing; the file is incomplete or was made by an outdated converter",
                Quoted(key)
            )
            .in_file(&self.path)
            .of_key(key)
        })
    }

    /// An integer that must be there.
    ///
    /// # Errors
    /// The key is absent, or its value of another type or negative.
    pub fn require_u64(&self, key: &str) -> Result<u64, Error> {
        self.required(key, self.get_u64(key)?)
    }

    /// A size that must be there.
    ///
    /// # Errors
    /// The key is absent, or its value of another type, negative or too large.
    pub fn require_usize(&self, key: &str) -> Result<usize, Error> {
        self.required(key, self.get_usize(key)?)
    }

    /// A number that must be there.
    ///
    /// # Errors
    /// The key is absent, or its value not a number.
    pub fn require_f32(&self, key: &str) -> Result<f32, Error> {
        self.required(key, self.get_f32(key)?)
    }

    /// Text that must be there.
    ///
    /// # Errors
    /// The key is absent, or its value not text.
    pub fn require_str(&self, key: &str) -> Result<&str, Error> {
        self.required(key, self.get_str(key)?)
    }

    /// The architecture's name, such as `llama`: the first part of the keys that describe the
    /// model.
    ///
    /// # Errors
    /// `general.architecture` is absent or not text.
    pub fn architecture(&self) -> Result<&str, Error> {
        self.require_str("general.architecture")
    }

    /// The file that the metadata comes from, for messages.
    pub fn origin(&self) -> &std::path::Path {
        &self.path
    }

    fn number<T>(
        &self,
        key: &str,
        wanted: &'static str,
        convert: impl Fn(Number) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let Some(place) = self.places.get(key) else {
            return Ok(None);
        };
        let number = match place {
            Place::Scalar { ty, at } => Number::decode(*ty, &self.bytes[*at..]),
            Place::Str(_) | Place::Array { .. } => None,
        };
        number.and_then(convert).map(Some).ok_or_else(|| self.mismatch(key, wanted, place))
    }

    fn text<'a>(&self, key: &str, bytes: &'a [u8]) -> Result<&'a str, Error> {
        std::str::from_utf8(bytes).map_err(|_| {
            err!(Damaged, "metadata key {} is not UTF-8 text", Quoted(key))
                .in_file(&self.path)
                .of_key(key)
        })
    }

    fn mismatch(&self, key: &str, wanted: &'static str, place: &Place) -> Error {
        let found = match place {
            Place::Scalar { ty, at } => match Number::decode(*ty, &self.bytes[*at..]) {
                Some(Number::Unsigned(value)) => format!("{value} ({})", ty.name()),
                Some(Number::Signed(value)) => format!("{value} ({})", ty.name()),
                Some(Number::Float(value)) => format!("{value} ({})", ty.name()),
                Some(Number::Bool(value)) => value.to_string(),
                None => ty.name().to_owned(),
            },
            Place::Str(_) => ValueType::Str.name().to_owned(),
            Place::Array { element, len, .. } => format!("an array of {len} × {}", element.name()),
        };
        wrong_type(key, wanted, &found).in_file(&self.path)
    }
}

impl std::fmt::Debug for Metadata {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metadata")
            .field("path", &self.path)
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}
