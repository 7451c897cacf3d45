//! Writing model files: GGUF and safetensors.
//!
//! Both writers collect tensors, either borrowed as bytes or converted from `f32`, and then write
//! one file under a temporary name that is renamed when all of it is on disk.

mod atomic;
mod gguf;
mod safetensors;
mod value;

use std::borrow::Cow;

use scaffold_error::{Error, err};
use scaffold_kernels::BlockType;

pub(crate) use atomic::write_file;
pub use gguf::GgufWriter;
pub use safetensors::SafetensorsWriter;
pub use value::MetadataValue;
pub(crate) use value::encode_string;

use crate::quoted::Quoted;

/// A tensor that waits to be written.
#[derive(Debug)]
struct Pending<'a> {
    name: String,
    ty: BlockType,
    shape: Vec<usize>,
    bytes: Cow<'a, [u8]>,
}

/// Makes the bytes of a tensor when it is its turn to be written.
type Make<'a> = Box<dyn Fn() -> Result<Cow<'a, [u8]>, Error> + 'a>;

impl<'a> Pending<'a> {
    fn new(
        name: &str,
        ty: BlockType,
        shape: &[usize],
        bytes: Cow<'a, [u8]>,
    ) -> Result<Self, Error> {
        if name.is_empty() || name.len() > 65_535 {
            return Err(bad_name(name));
        }
        if size_of(ty, shape) != Some(bytes.len()) {
            return Err(wrong_size(name, ty, shape, bytes.len()));
        }
        Ok(Self { name: name.to_owned(), ty, shape: shape.to_vec(), bytes })
    }

    fn from_f32(name: &str, ty: BlockType, shape: &[usize], values: &[f32]) -> Result<Self, Error> {
        let bytes = scaffold_kernels::quantize(ty, values).map_err(|error| {
            error.prefixed(format_args!("tensor {}", Quoted(name))).of_tensor(name)
        })?;
        Self::new(name, ty, shape, Cow::Owned(bytes))
    }
}

/// Bytes that a tensor of that shape cannot have.
fn wrong_size(name: &str, ty: BlockType, shape: &[usize], given: usize) -> Error {
    let needs = size_of(ty, shape).map_or_else(
        || "rows of whole blocks of a size that can be computed".to_owned(),
        |needs| format!("{needs} bytes"),
    );
    err!(
        Usage,
        "tensor {} of type {ty} and shape {shape:?} needs {needs}, but {given} bytes were given",
        Quoted(name)
    )
    .of_tensor(name)
}

/// A name that the format has no room for.
fn bad_name(name: &str) -> Error {
    err!(Usage, "{} is not a valid name: 1 to 65535 bytes are allowed", Quoted(name))
}

/// Two tensors with one name.
fn added_twice(tensor: &str) -> Error {
    err!(Usage, "tensor {} was added twice", Quoted(tensor)).of_tensor(tensor)
}

fn size_of(ty: BlockType, shape: &[usize]) -> Option<usize> {
    let (cols, outer) =
        shape.split_last().map_or((1, [].as_slice()), |(cols, outer)| (*cols, outer));
    let rows = outer.iter().try_fold(1_usize, |product, &dim| product.checked_mul(dim))?;
    ty.row_bytes(cols)?.checked_mul(rows)
}

#[cfg(test)]
mod tests;
