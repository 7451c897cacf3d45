//! Arrays in GGUF metadata, decoded as they are walked.

use std::path::Path;

use scaffold_error::{Error, err};

use super::cursor::Cursor;
use super::value::{Number, ValueType};
use crate::quoted::Quoted;

/// An array as it lies in the file: nothing is decoded until it is asked for, so a vocabulary of a
/// quarter of a million strings costs nothing but the walk over it.
#[derive(Clone, Copy)]
pub struct MetadataArray<'a> {
    /// The file, for messages.
    pub(super) path: &'a Path,
    pub(super) key: &'a str,
    pub(super) element: ValueType,
    pub(super) len: usize,
    pub(super) bytes: &'a [u8],
}

impl<'a> MetadataArray<'a> {
    /// The type of the elements.
    pub fn element(&self) -> ValueType {
        self.element
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The elements of an array of strings as raw bytes, in order; nothing for arrays of other
    /// types.
    pub fn byte_strings(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut cursor = Cursor::new(self.bytes, 0);
        let len = if self.element == ValueType::Str { self.len } else { 0 };
        // The walk at opening has checked every length, so the cursor never runs short.
        (0..len).map_while(move |_| cursor.string_bytes("a string in a metadata array").ok())
    }

    /// The elements of an array of strings.
    ///
    /// # Errors
    /// The array is not one of strings, or a string is not UTF-8 (the message names its index).
    pub fn strings(&self) -> Result<Vec<&'a str>, Error> {
        self.expect(ValueType::Str, "an array of strings")?;
        self.byte_strings()
            .enumerate()
            .map(|(index, bytes)| {
                std::str::from_utf8(bytes).map_err(|_| {
                    let key = Quoted(self.key);
                    err!(Damaged, "element {index} of metadata key {key} is not UTF-8 text")
                        .in_file(self.path)
                        .of_key(self.key)
                })
            })
            .collect()
    }

    /// The elements of an array of floats or integers, as `f32`.
    ///
    /// # Errors
    /// The elements are not numbers.
    pub fn f32s(&self) -> Result<Vec<f32>, Error> {
        self.numbers("an array of numbers", |number| number.as_f64().map(|value| value as f32))
    }

    /// The elements of an array of integers, as `i64`.
    ///
    /// # Errors
    /// The elements are not integers, or one does not fit.
    pub fn i64s(&self) -> Result<Vec<i64>, Error> {
        self.numbers("an array of integers", Number::as_i64)
    }

    /// The elements of an array of integers, as `i32`.
    ///
    /// # Errors
    /// The elements are not integers, or one does not fit.
    pub fn i32s(&self) -> Result<Vec<i32>, Error> {
        self.numbers("an array of integers of 32 bits", |number| number.as_i64()?.try_into().ok())
    }

    /// The elements of an array of integers that are not negative, as `u64`.
    ///
    /// # Errors
    /// The elements are not integers, or one is negative.
    pub fn u64s(&self) -> Result<Vec<u64>, Error> {
        self.numbers("an array of unsigned integers", Number::as_u64)
    }

    /// The elements of an array of booleans.
    ///
    /// # Errors
    /// The elements are not booleans.
    pub fn bools(&self) -> Result<Vec<bool>, Error> {
        self.numbers("an array of booleans", Number::as_bool)
    }

    fn numbers<T>(
        &self,
        wanted: &'static str,
        convert: impl Fn(Number) -> Option<T>,
    ) -> Result<Vec<T>, Error> {
        let Some(size) = self.element.size() else {
            return Err(self.mismatch(wanted));
        };
        self.bytes
            .chunks_exact(size)
            .map(|bytes| {
                Number::decode(self.element, bytes)
                    .and_then(&convert)
                    .ok_or_else(|| self.mismatch(wanted))
            })
            .collect()
    }

    fn expect(&self, element: ValueType, wanted: &'static str) -> Result<(), Error> {
        if self.element == element { Ok(()) } else { Err(self.mismatch(wanted)) }
    }

    fn mismatch(&self, wanted: &'static str) -> Error {
        let found = format!("an array of {} × {}", self.len, self.element.name());
        wrong_type(self.key, wanted, &found).in_file(self.path)
    }
}

/// A metadata value is of another type than the reader of that key expects.
pub(super) fn wrong_type(key: &str, wanted: &str, found: &str) -> Error {
    err!(Damaged, "metadata key {} should be {wanted} but is {found}", Quoted(key)).of_key(key)
}

impl std::fmt::Debug for MetadataArray<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[{}; {}]", self.element.name(), self.len)
    }
}
