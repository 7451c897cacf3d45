//! The types of metadata values, and the values.

use std::ops::Range;

use scaffold_error::{Error, err};

use super::cursor::Cursor;
use crate::quoted::Quoted;

/// The type of a metadata value or of an array's elements, with the numbers that GGUF gives them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum ValueType {
    /// Unsigned, 8 bits.
    U8 = 0,
    /// Signed, 8 bits.
    I8 = 1,
    /// Unsigned, 16 bits.
    U16 = 2,
    /// Signed, 16 bits.
    I16 = 3,
    /// Unsigned, 32 bits.
    U32 = 4,
    /// Signed, 32 bits.
    I32 = 5,
    /// IEEE 754 binary32.
    F32 = 6,
    /// One byte, zero is false.
    Bool = 7,
    /// Length-prefixed text.
    Str = 8,
    /// Elements of one type with their count.
    Array = 9,
    /// Unsigned, 64 bits.
    U64 = 10,
    /// Signed, 64 bits.
    I64 = 11,
    /// IEEE 754 binary64.
    F64 = 12,
}

impl ValueType {
    /// The type with that number in a GGUF file.
    pub const fn from_id(id: u32) -> Option<Self> {
        Some(match id {
            0 => Self::U8,
            1 => Self::I8,
            2 => Self::U16,
            3 => Self::I16,
            4 => Self::U32,
            5 => Self::I32,
            6 => Self::F32,
            7 => Self::Bool,
            8 => Self::Str,
            9 => Self::Array,
            10 => Self::U64,
            11 => Self::I64,
            12 => Self::F64,
            _ => return None,
        })
    }

    /// A short name for messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::U8 => "u8",
            Self::I8 => "i8",
            Self::U16 => "u16",
            Self::I16 => "i16",
            Self::U32 => "u32",
            Self::I32 => "i32",
            Self::F32 => "f32",
            Self::Bool => "bool",
            Self::Str => "string",
            Self::Array => "array",
            Self::U64 => "u64",
            Self::I64 => "i64",
            Self::F64 => "f64",
        }
    }

    /// Bytes of one value; `None` for strings and arrays, whose size varies.
    pub const fn size(self) -> Option<usize> {
        match self {
            Self::U8 | Self::I8 | Self::Bool => Some(1),
            Self::U16 | Self::I16 => Some(2),
            Self::U32 | Self::I32 | Self::F32 => Some(4),
            Self::U64 | Self::I64 | Self::F64 => Some(8),
            Self::Str | Self::Array => None,
        }
    }
}

/// The largest vocabularies and lists of merges have less than a million entries.
const MAX_ELEMENTS: usize = 1 << 24;

/// Where a value lies in the header.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    Scalar { ty: ValueType, at: usize },
    Str(Range<usize>),
    Array { element: ValueType, len: usize, bytes: Range<usize> },
}

impl Place {
    /// Walks over one value. Strings inside arrays are stepped over, not read.
    pub(crate) fn read(cursor: &mut Cursor<'_>, key: &str) -> Result<Self, Error> {
        let ty = value_type(cursor, key)?;
        match ty {
            ValueType::Str => {
                let length = cursor.string_bytes("a metadata string")?.len();
                Ok(Self::Str(cursor.at() - length..cursor.at()))
            }
            ValueType::Array => Self::read_array(cursor, key),
            _ => {
                let at = cursor.at();
                cursor.take(ty.size().unwrap_or(0) as u64, "a metadata value")?;
                Ok(Self::Scalar { ty, at })
            }
        }
    }

    fn read_array(cursor: &mut Cursor<'_>, key: &str) -> Result<Self, Error> {
        let element = value_type(cursor, key)?;
        if element == ValueType::Array {
            return Err(err!(
                Unsupported,
                "metadata key {} is an array of arrays, which no known model uses and which is not supported",
                Quoted(key)
            )
            .of_key(key));
        }
        // A string takes at least its eight bytes of length.
        let len = cursor.count(
            element.size().unwrap_or(8),
            MAX_ELEMENTS,
            "elements of a metadata array",
        )?;
        let start = cursor.at();
        if let Some(size) = element.size() {
            cursor.take(len as u64 * size as u64, "a metadata array")?;
        } else {
            for _ in 0..len {
                cursor.string_bytes("a string in a metadata array")?;
            }
        }
        Ok(Self::Array { element, len, bytes: start..cursor.at() })
    }
}

impl Place {
    /// What is there of an array that goes on after the cursor's last byte: its length is known,
    /// its end is not.
    pub(crate) fn read_cut(cursor: &mut Cursor<'_>, key: &str) -> Option<Self> {
        if value_type(cursor, key).ok()? != ValueType::Array {
            return None;
        }
        let element = value_type(cursor, key).ok()?;
        let len = cursor.u64("elements of a metadata array").ok()?;
        let len = usize::try_from(len).ok().filter(|len| *len <= MAX_ELEMENTS)?;
        let start = cursor.at();
        Some(Self::Array { element, len, bytes: start..start + cursor.left() })
    }
}

fn value_type(cursor: &mut Cursor<'_>, key: &str) -> Result<ValueType, Error> {
    let id = cursor.u32("the type of a metadata value")?;
    ValueType::from_id(id).ok_or_else(|| {
        err!(
            Damaged,
            "metadata key {} has a value of type {id}; types 0 to 12 exist: the file is damaged",
            Quoted(key)
        )
        .of_key(key)
    })
}

/// A number out of the little-endian bytes of a metadata value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Bool(bool),
}

impl Number {
    /// Decodes a value of a type with a fixed size; `None` where the bytes are too short or the
    /// type has none.
    pub(crate) fn decode(ty: ValueType, bytes: &[u8]) -> Option<Self> {
        let size = ty.size()?;
        let bytes = bytes.get(..size)?;
        let mut wide = [0; 8];
        wide[..size].copy_from_slice(bytes);
        let raw = u64::from_le_bytes(wide);
        Some(match ty {
            ValueType::U8 | ValueType::U16 | ValueType::U32 | ValueType::U64 => Self::Unsigned(raw),
            ValueType::I8 => Self::Signed(i64::from(raw as u8 as i8)),
            ValueType::I16 => Self::Signed(i64::from(raw as u16 as i16)),
            ValueType::I32 => Self::Signed(i64::from(raw as u32 as i32)),
            ValueType::I64 => Self::Signed(raw as i64),
            ValueType::F32 => Self::Float(f64::from(f32::from_bits(raw as u32))),
            ValueType::F64 => Self::Float(f64::from_bits(raw)),
            ValueType::Bool => Self::Bool(raw != 0),
            ValueType::Str | ValueType::Array => return None,
        })
    }

    pub(crate) fn as_u64(self) -> Option<u64> {
        match self {
            Self::Unsigned(value) => Some(value),
            Self::Signed(value) => u64::try_from(value).ok(),
            Self::Float(_) | Self::Bool(_) => None,
        }
    }

    pub(crate) fn as_i64(self) -> Option<i64> {
        match self {
            Self::Unsigned(value) => i64::try_from(value).ok(),
            Self::Signed(value) => Some(value),
            Self::Float(_) | Self::Bool(_) => None,
        }
    }

    pub(crate) fn as_f64(self) -> Option<f64> {
        match self {
            Self::Unsigned(value) => Some(value as f64),
            Self::Signed(value) => Some(value as f64),
            Self::Float(value) => Some(value),
            Self::Bool(_) => None,
        }
    }

    pub(crate) fn as_bool(self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(value),
            _ => None,
        }
    }
}
