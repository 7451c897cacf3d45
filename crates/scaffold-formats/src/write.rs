//! Writing model files: GGUF and safetensors.
//!
//! Both writers collect tensors, either borrowed as bytes or converted from `f32`, and then write
//! one file under a temporary name that is renamed when all of it is on disk.

mod atomic;
mod gguf;
mod safetensors;
mod value;

use std::borrow::Cow;

use scaffold_kernels::{BlockType, KernelError};

pub(crate) use atomic::write_file;
pub use gguf::GgufWriter;
pub use safetensors::SafetensorsWriter;
pub use value::MetadataValue;

use crate::quoted::Quoted;

/// What is wrong with what was asked to be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteProblem {
    /// Two tensors with one name.
    #[error("tensor {} was added twice", Quoted(tensor))]
    DuplicateTensor {
        /// The name.
        tensor: String,
    },
    /// A name that the format has no room for.
    #[error("{} is not a valid name: 1 to 65535 bytes are allowed", Quoted(name))]
    Name {
        /// The name.
        name: String,
    },
    /// The values are not as many as the shape says.
    #[error(
        "tensor {} of type {ty} and shape {shape:?} needs {}, but {found} bytes were given",
        Quoted(tensor),
        needs.map_or_else(|| "rows of whole blocks of a size that can be computed".to_owned(), |needs| format!("{needs} bytes"))
    )]
    TensorSize {
        /// The name.
        tensor: String,
        /// The type.
        ty: BlockType,
        /// The shape, outermost dimension first.
        shape: Vec<usize>,
        /// Bytes that type and shape ask for; `None` where there is no such number.
        needs: Option<usize>,
        /// Bytes that were given.
        found: usize,
    },
    /// More dimensions than the format has.
    #[error("tensor {} has {dims} dimensions; GGUF has at most 4", Quoted(tensor))]
    Dimensions {
        /// The name.
        tensor: String,
        /// The number of dimensions.
        dims: usize,
    },
    /// A type that the format does not have.
    #[error(
        "tensor {} has type {ty}, which safetensors does not have; it has F32, F16 and BF16",
        Quoted(tensor)
    )]
    Type {
        /// The name.
        tensor: String,
        /// The type.
        ty: BlockType,
    },
    /// An alignment that GGUF does not allow.
    #[error(
        "an alignment of {alignment} is not allowed; it must be a power of two from 1 to {most}"
    )]
    Alignment {
        /// The alignment.
        alignment: usize,
        /// The largest allowed.
        most: usize,
    },
    /// Values could not be converted to the type.
    #[error("tensor {}: {source}", Quoted(tensor))]
    Quantize {
        /// The name.
        tensor: String,
        /// Why.
        source: KernelError,
    },
}

/// A tensor that waits to be written.
#[derive(Debug)]
struct Pending<'a> {
    name: String,
    ty: BlockType,
    shape: Vec<usize>,
    bytes: Cow<'a, [u8]>,
}

impl<'a> Pending<'a> {
    fn new(
        name: &str,
        ty: BlockType,
        shape: &[usize],
        bytes: Cow<'a, [u8]>,
    ) -> Result<Self, WriteProblem> {
        if name.is_empty() || name.len() > 65_535 {
            return Err(WriteProblem::Name { name: name.to_owned() });
        }
        let needs = size_of(ty, shape);
        if needs != Some(bytes.len()) {
            return Err(WriteProblem::TensorSize {
                tensor: name.to_owned(),
                ty,
                shape: shape.to_vec(),
                needs,
                found: bytes.len(),
            });
        }
        Ok(Self { name: name.to_owned(), ty, shape: shape.to_vec(), bytes })
    }

    fn from_f32(
        name: &str,
        ty: BlockType,
        shape: &[usize],
        values: &[f32],
    ) -> Result<Self, WriteProblem> {
        let bytes = scaffold_kernels::quantize(ty, values)
            .map_err(|source| WriteProblem::Quantize { tensor: name.to_owned(), source })?;
        Self::new(name, ty, shape, Cow::Owned(bytes))
    }
}

fn size_of(ty: BlockType, shape: &[usize]) -> Option<usize> {
    let (cols, outer) =
        shape.split_last().map_or((1, [].as_slice()), |(cols, outer)| (*cols, outer));
    let rows = outer.iter().try_fold(1_usize, |product, &dim| product.checked_mul(dim))?;
    ty.row_bytes(cols)?.checked_mul(rows)
}

#[cfg(test)]
mod tests;
