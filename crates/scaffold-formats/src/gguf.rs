//! GGUF files, versions 2 and 3, whole or split.
//!
//! Source: `docs/gguf.md` of the ggml project and `gguf.cpp` of llama.cpp.

mod array;
mod cursor;
mod metadata;
pub(crate) mod part;
mod split;
mod start;
pub(crate) mod tensor_type;
mod value;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use scaffold_error::Error;

pub use array::MetadataArray;
pub use metadata::{Metadata, Value};
pub use value::ValueType;

use crate::map::FileBytes;
use crate::tensor::{Tensor, TensorInfo, TensorSource, twice};
use part::Part;

/// A GGUF model: the metadata of its first file and the tensors of all its parts.
#[derive(Debug)]
pub struct Gguf {
    /// At least one; the first holds the metadata.
    parts: Vec<Part>,
    /// Which part a tensor is in, and its place there.
    places: HashMap<String, (usize, usize)>,
}

impl Gguf {
    /// Opens a GGUF file and, where it is one part of several, its siblings. The files are mapped,
    /// not read: this takes milliseconds whatever the model's size.
    ///
    /// # Errors
    /// The file cannot be opened, is not GGUF version 2 or 3, is cut short, contradicts itself, or
    /// a part is missing. Tensors of types that are not supported are no error here but when they
    /// are asked for.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        Self::from_parts(split::open_all(path, Part::open(path)?, Part::open)?)
    }

    /// Reads a file that may be split from memory: `part` gives the bytes of each part by its path.
    pub(crate) fn from_split(path: &Path, part: impl Fn(&Path) -> Vec<u8>) -> Result<Self, Error> {
        let open =
            |path: &Path| Part::read(path.to_owned(), Arc::new(FileBytes::Owned(part(path))));
        Self::from_parts(split::open_all(path, open(path)?, open)?)
    }

    /// Reads a GGUF file that is in memory already; `origin` is what messages call it. Split files
    /// are not followed.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_bytes(origin: impl Into<PathBuf>, bytes: Vec<u8>) -> Result<Self, Error> {
        Self::from_parts(vec![Part::read(origin.into(), Arc::new(FileBytes::Owned(bytes)))?])
    }

    fn from_parts(parts: Vec<Part>) -> Result<Self, Error> {
        let mut places = HashMap::with_capacity(parts.iter().map(|part| part.entries.len()).sum());
        for (number, part) in parts.iter().enumerate() {
            for (index, entry) in part.entries.iter().enumerate() {
                if places.insert(entry.name.clone(), (number, index)).is_some() {
                    return Err(twice(&entry.name).in_file(&part.path));
                }
            }
        }
        Ok(Self { parts, places })
    }

    /// The metadata; of a split file, that of its first part, which describes the whole model.
    pub fn metadata(&self) -> &Metadata {
        &self.parts[0].metadata
    }

    /// The tensor of that name, `None` where there is none.
    ///
    /// # Errors
    /// The tensor's type is not supported; the message names tensor and type.
    pub fn tensor(&self, name: &str) -> Result<Option<Tensor<'_>>, Error> {
        let Some(&(part, index)) = self.places.get(name) else {
            return Ok(None);
        };
        self.parts[part].tensor(index).map(Some)
    }

    /// All tensors, in the order of the file.
    pub fn tensors(&self) -> impl Iterator<Item = Result<Tensor<'_>, Error>> {
        self.parts.iter().flat_map(|part| (0..part.entries.len()).map(|index| part.tensor(index)))
    }

    /// What is known of every tensor without reading it, in the order of the file; supported or
    /// not.
    pub fn infos(&self) -> impl Iterator<Item = TensorInfo<'_>> {
        self.parts.iter().flat_map(|part| (0..part.entries.len()).map(|index| part.info(index)))
    }

    /// The files that were opened: one, or the parts of a split file in order.
    pub fn paths(&self) -> impl ExactSizeIterator<Item = &Path> {
        self.parts.iter().map(|part| part.path.as_path())
    }
}

impl TensorSource for Gguf {
    fn tensor(&self, name: &str) -> Result<Option<Tensor<'_>>, Error> {
        Self::tensor(self, name)
    }

    fn names(&self) -> Vec<&str> {
        self.parts.iter().flat_map(|part| &part.entries).map(|entry| entry.name.as_str()).collect()
    }

    fn info(&self, name: &str) -> Option<TensorInfo<'_>> {
        let &(part, index) = self.places.get(name)?;
        Some(self.parts[part].info(index))
    }

    fn check(&self) -> Result<(), Error> {
        self.parts.iter().try_for_each(Part::check)
    }

    fn origin(&self) -> String {
        self.parts[0].path.display().to_string()
    }

    fn release(&self, name: &str) {
        if let Some(&(part, index)) = self.places.get(name) {
            self.parts[part].release(index);
        }
    }
}

#[cfg(test)]
mod tests;
