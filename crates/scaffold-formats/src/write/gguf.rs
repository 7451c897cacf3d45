//! Writing GGUF version 3.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::io::Write;
use std::path::Path;

use scaffold_error::{Error, err};
use scaffold_kernels::BlockType;

use super::value::encode_string;
use super::{Make, MetadataValue, Pending, added_twice, atomic, bad_name, size_of, wrong_size};
use crate::gguf::part::{DEFAULT_ALIGNMENT, MAX_ALIGNMENT};
use crate::gguf::tensor_type::TensorType;
use crate::quoted::Quoted;

const VERSION: u32 = 3;
const MAX_DIMS: usize = 4;

/// A tensor with its place in the file: its bytes are there, or are made when it is written.
struct Planned<'a> {
    name: String,
    ty: BlockType,
    shape: Vec<usize>,
    size: usize,
    make: Make<'a>,
}

impl fmt::Debug for Planned<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, ty, shape) = (&self.name, self.ty, &self.shape);
        f.debug_tuple("Planned").field(name).field(&ty).field(shape).finish()
    }
}

/// Collects metadata and tensors and writes them as a GGUF file of version 3, which every current
/// reader takes.
///
/// Keys and tensors keep the order in which they were added; a key that is set again keeps its
/// place and takes the new value.
#[derive(Debug, Default)]
pub struct GgufWriter<'a> {
    pairs: Vec<(String, MetadataValue)>,
    tensors: Vec<Planned<'a>>,
    names: HashSet<String>,
    /// `None` for the format's default.
    alignment: Option<usize>,
}

impl<'a> GgufWriter<'a> {
    /// An empty file.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a metadata key.
    pub fn set(&mut self, key: &str, value: impl Into<MetadataValue>) -> &mut Self {
        let value = value.into();
        match self.pairs.iter_mut().find(|(known, _)| known == key) {
            Some((_, known)) => *known = value,
            None => self.pairs.push((key.to_owned(), value)),
        }
        self
    }

    /// Aligns tensors to this many bytes and says so in `general.alignment`.
    ///
    /// # Errors
    /// The alignment is not a power of two, or larger than readers accept.
    pub fn align(&mut self, alignment: usize) -> Result<&mut Self, Error> {
        if !alignment.is_power_of_two() || alignment > MAX_ALIGNMENT {
            return Err(err!(
                Usage,
                "an alignment of {alignment} is not allowed; it must be a power of two from 1 to {MAX_ALIGNMENT}"
            ));
        }
        self.alignment = Some(alignment);
        Ok(self.set("general.alignment", alignment as u32))
    }

    /// Adds a tensor whose bytes are in the file's form already. `shape` is outermost first.
    ///
    /// # Errors
    /// The name is taken or invalid, or bytes and shape do not match.
    pub fn add(
        &mut self,
        name: &str,
        ty: BlockType,
        shape: &[usize],
        bytes: impl Into<Cow<'a, [u8]>>,
    ) -> Result<&mut Self, Error> {
        self.hold(Pending::new(name, ty, shape, bytes.into())?)
    }

    /// Adds a tensor whose bytes are made when the file is written, one tensor at a time: a file
    /// that is larger than memory can be written so.
    ///
    /// # Errors
    /// The name is taken or invalid, or there is no such shape of that type. What `make` fails with
    /// ends the writing; so does a wrong number of bytes.
    pub fn add_made(
        &mut self,
        name: &str,
        ty: BlockType,
        shape: &[usize],
        make: impl Fn() -> Result<Cow<'a, [u8]>, Error> + 'a,
    ) -> Result<&mut Self, Error> {
        if name.is_empty() || name.len() > 65_535 {
            return Err(bad_name(name));
        }
        let size = size_of(ty, shape).ok_or_else(|| wrong_size(name, ty, shape, 0))?;
        let (name, shape) = (name.to_owned(), shape.to_vec());
        self.push(Planned { name, ty, shape, size, make: Box::new(make) })
    }

    /// Adds a tensor of `f32` values, stored as `ty`. `shape` is outermost first.
    ///
    /// # Errors
    /// The name is taken or invalid, values and shape do not match, or the type cannot be written.
    pub fn add_f32(
        &mut self,
        name: &str,
        ty: BlockType,
        shape: &[usize],
        values: &[f32],
    ) -> Result<&mut Self, Error> {
        self.hold(Pending::from_f32(name, ty, shape, values)?)
    }

    fn hold(&mut self, tensor: Pending<'a>) -> Result<&mut Self, Error> {
        let Pending { name, ty, shape, bytes } = tensor;
        let size = bytes.len();
        let make = Box::new(move || Ok(bytes.clone()));
        self.push(Planned { name, ty, shape, size, make })
    }

    fn push(&mut self, tensor: Planned<'a>) -> Result<&mut Self, Error> {
        if tensor.shape.len() > MAX_DIMS {
            return Err(err!(
                Usage,
                "tensor {} has {} dimensions; GGUF has at most {MAX_DIMS}",
                Quoted(&tensor.name),
                tensor.shape.len()
            )
            .of_tensor(tensor.name));
        }
        if !self.names.insert(tensor.name.clone()) {
            return Err(added_twice(&tensor.name));
        }
        self.tensors.push(tensor);
        Ok(self)
    }

    /// Bytes of all tensors.
    pub fn bytes(&self) -> usize {
        self.tensors.iter().map(|tensor| tensor.size).sum()
    }

    /// Writes the file: under a temporary name beside `path` first, then renamed.
    ///
    /// # Errors
    /// A key is no valid name, a tensor cannot be made, or the disk refuses; no partial file is left
    /// then.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        let header = self.header().map_err(|error| error.in_file(path))?;
        atomic::write_made(path, |out| self.write_to(&header, out, path, &mut |_| Ok(())))
    }

    /// [`write`](Self::write), where `heard` gets the bytes of tensors so far after each of them, and
    /// `check` looks at the whole file under its temporary name before it gets its own.
    ///
    /// # Errors
    /// As [`write`](Self::write), and those of `heard` and `check`, which end the writing.
    pub fn write_checked(
        &self,
        path: impl AsRef<Path>,
        heard: &mut dyn FnMut(usize) -> Result<(), Error>,
        check: impl FnOnce(&Path) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let path = path.as_ref();
        let header = self.header().map_err(|error| error.in_file(path))?;
        atomic::write_checked(path, |out| self.write_to(&header, out, path, heard), check)
    }

    /// The file as bytes.
    ///
    /// # Errors
    /// A key is no valid name, or a tensor cannot be made.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let mut out = Vec::new();
        let header = self.header()?;
        self.write_to(&header, &mut out, Path::new("memory"), &mut |_| Ok(()))?;
        Ok(out)
    }

    fn header(&self) -> Result<Vec<u8>, Error> {
        let mut out = Vec::new();
        out.extend(b"GGUF");
        out.extend(VERSION.to_le_bytes());
        out.extend((self.tensors.len() as u64).to_le_bytes());
        out.extend((self.pairs.len() as u64).to_le_bytes());
        for (key, value) in &self.pairs {
            if key.is_empty() || key.len() > 65_535 {
                return Err(bad_name(key));
            }
            encode_string(key.as_bytes(), &mut out);
            value.encode(&mut out);
        }
        let mut offset = 0;
        for tensor in &self.tensors {
            encode_string(tensor.name.as_bytes(), &mut out);
            out.extend((tensor.shape.len() as u32).to_le_bytes());
            for &dim in tensor.shape.iter().rev() {
                out.extend((dim as u64).to_le_bytes());
            }
            out.extend(TensorType::id_of(tensor.ty).to_le_bytes());
            out.extend((offset as u64).to_le_bytes());
            offset = (offset + tensor.size).next_multiple_of(self.alignment());
        }
        out.resize(out.len().next_multiple_of(self.alignment()), 0);
        Ok(out)
    }

    fn write_to(
        &self,
        header: &[u8],
        out: &mut dyn Write,
        path: &Path,
        heard: &mut dyn FnMut(usize) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut put = |bytes: &[u8]| out.write_all(bytes).map_err(Error::io("write", path));
        put(header)?;
        let padding = vec![0; self.alignment()];
        let mut done = 0;
        for tensor in &self.tensors {
            let bytes = (tensor.make)()?;
            if bytes.len() != tensor.size {
                return Err(wrong_size(&tensor.name, tensor.ty, &tensor.shape, bytes.len()));
            }
            put(&bytes)?;
            put(&padding[..tensor.size.next_multiple_of(self.alignment()) - tensor.size])?;
            done += tensor.size;
            heard(done)?;
        }
        Ok(())
    }

    fn alignment(&self) -> usize {
        self.alignment.unwrap_or(DEFAULT_ALIGNMENT)
    }
}
