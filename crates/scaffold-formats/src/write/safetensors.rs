//! Writing safetensors.

use std::borrow::Cow;
use std::io::{self, Write};
use std::path::Path;

use scaffold_error::{Error, err};
use scaffold_kernels::BlockType;
use serde_json::{Map, Value, json};

use super::{Pending, added_twice, atomic, bad_name};
use crate::quoted::Quoted;

/// Collects tensors and writes them as one safetensors file.
#[derive(Debug, Default)]
pub struct SafetensorsWriter<'a> {
    metadata: Map<String, Value>,
    tensors: Vec<Pending<'a>>,
}

impl<'a> SafetensorsWriter<'a> {
    /// An empty file.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a key of the free text about the file (`__metadata__`), such as `format`.
    pub fn set(&mut self, key: &str, value: &str) -> &mut Self {
        self.metadata.insert(key.to_owned(), value.into());
        self
    }

    /// Adds a tensor whose bytes are in the file's form already.
    ///
    /// # Errors
    /// The name is taken or invalid, the type is not F32, F16 or BF16, or bytes and shape do not
    /// match.
    pub fn add(
        &mut self,
        name: &str,
        ty: BlockType,
        shape: &[usize],
        bytes: impl Into<Cow<'a, [u8]>>,
    ) -> Result<&mut Self, Error> {
        self.push(Pending::new(name, ty, shape, bytes.into())?)
    }

    /// Adds a tensor of `f32` values, stored as `ty`.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn add_f32(
        &mut self,
        name: &str,
        ty: BlockType,
        shape: &[usize],
        values: &[f32],
    ) -> Result<&mut Self, Error> {
        self.push(Pending::from_f32(name, ty, shape, values)?)
    }

    fn push(&mut self, tensor: Pending<'a>) -> Result<&mut Self, Error> {
        if !matches!(tensor.ty, BlockType::F32 | BlockType::F16 | BlockType::BF16) {
            return Err(err!(
                Unsupported,
                "tensor {} has type {}, which safetensors does not have; it has F32, F16 and BF16",
                Quoted(&tensor.name),
                tensor.ty
            )
            .of_tensor(tensor.name));
        }
        if tensor.name == "__metadata__" {
            return Err(bad_name(&tensor.name));
        }
        if self.tensors.iter().any(|known| known.name == tensor.name) {
            return Err(added_twice(&tensor.name));
        }
        self.tensors.push(tensor);
        Ok(self)
    }

    /// Writes the file: under a temporary name beside `path` first, then renamed.
    ///
    /// # Errors
    /// The disk refuses; no partial file is left then.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        atomic::write_file(path.as_ref(), |out| self.write_to(out))
    }

    /// The file as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        // Writing to memory cannot fail.
        drop(self.write_to(&mut out));
        out
    }

    fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        let header = self.header();
        out.write_all(&(header.len() as u64).to_le_bytes())?;
        out.write_all(&header)?;
        for tensor in self.in_file_order() {
            out.write_all(&tensor.bytes)?;
        }
        Ok(())
    }

    /// The JSON, filled up with spaces so that the data starts on a multiple of eight.
    fn header(&self) -> Vec<u8> {
        let mut header = Map::new();
        if !self.metadata.is_empty() {
            header.insert("__metadata__".to_owned(), Value::Object(self.metadata.clone()));
        }
        let mut start = 0;
        for tensor in self.in_file_order() {
            let end = start + tensor.bytes.len();
            let entry = json!({"dtype": tensor.ty.name(), "shape": tensor.shape, "data_offsets": [start, end]});
            header.insert(tensor.name.clone(), entry);
            start = end;
        }
        let mut text = Value::Object(header).to_string().into_bytes();
        text.resize(text.len().next_multiple_of(8), b' ');
        text
    }

    /// Wider types first, as the reference implementation writes them, so that every tensor starts
    /// aligned.
    fn in_file_order(&self) -> impl Iterator<Item = &Pending<'a>> {
        let of_width = |bytes| self.tensors.iter().filter(move |tensor| tensor.ty.bytes() == bytes);
        of_width(4).chain(of_width(2))
    }
}
