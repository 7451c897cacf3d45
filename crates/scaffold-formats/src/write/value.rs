//! Metadata values to write into a GGUF file.

use crate::gguf::ValueType;

/// A metadata value; made with `from` out of Rust's own types.
#[derive(Clone, Debug, PartialEq)]
pub struct MetadataValue {
    pub(crate) ty: ValueType,
    /// Of an array: the type and number of its elements.
    pub(crate) array: Option<(ValueType, u64)>,
    pub(crate) bytes: Vec<u8>,
}

impl MetadataValue {
    fn array(element: ValueType, len: usize, bytes: Vec<u8>) -> Self {
        Self { ty: ValueType::Array, array: Some((element, len as u64)), bytes }
    }

    /// Type and value as they stand in a file, after the key.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.extend((self.ty as u32).to_le_bytes());
        if let Some((element, len)) = self.array {
            out.extend((element as u32).to_le_bytes());
            out.extend(len.to_le_bytes());
        }
        out.extend(&self.bytes);
    }
}

pub(crate) fn encode_string(text: &[u8], out: &mut Vec<u8>) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text);
}

macro_rules! from_number {
    ($($rust:ty => $ty:ident),*) => {$(
        impl From<$rust> for MetadataValue {
            fn from(value: $rust) -> Self {
                Self { ty: ValueType::$ty, array: None, bytes: value.to_le_bytes().to_vec() }
            }
        }

        impl From<&[$rust]> for MetadataValue {
            fn from(values: &[$rust]) -> Self {
                let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
                Self::array(ValueType::$ty, values.len(), bytes)
            }
        }

        impl From<Vec<$rust>> for MetadataValue {
            fn from(values: Vec<$rust>) -> Self {
                Self::from(values.as_slice())
            }
        }
    )*};
}

from_number!(
    u8 => U8, i8 => I8, u16 => U16, i16 => I16, u32 => U32, i32 => I32, u64 => U64, i64 => I64, f32 => F32, f64 => F64
);

impl From<bool> for MetadataValue {
    fn from(value: bool) -> Self {
        Self { ty: ValueType::Bool, array: None, bytes: vec![u8::from(value)] }
    }
}

impl From<&[bool]> for MetadataValue {
    fn from(values: &[bool]) -> Self {
        Self::array(
            ValueType::Bool,
            values.len(),
            values.iter().map(|&value| u8::from(value)).collect(),
        )
    }
}

impl From<&str> for MetadataValue {
    fn from(value: &str) -> Self {
        let mut bytes = Vec::with_capacity(value.len() + 8);
        encode_string(value.as_bytes(), &mut bytes);
        Self { ty: ValueType::Str, array: None, bytes }
    }
}

impl From<String> for MetadataValue {
    fn from(value: String) -> Self {
        Self::from(value.as_str())
    }
}

fn string_array<'a>(values: impl ExactSizeIterator<Item = &'a str>) -> MetadataValue {
    let len = values.len();
    let mut bytes = Vec::new();
    for value in values {
        encode_string(value.as_bytes(), &mut bytes);
    }
    MetadataValue::array(ValueType::Str, len, bytes)
}

impl From<&[&str]> for MetadataValue {
    fn from(values: &[&str]) -> Self {
        string_array(values.iter().copied())
    }
}

impl From<&[String]> for MetadataValue {
    fn from(values: &[String]) -> Self {
        string_array(values.iter().map(String::as_str))
    }
}
