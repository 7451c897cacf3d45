//! Writing model files: GGUF and safetensors.
//!
//! Both writers collect tensors, either borrowed as bytes or converted from `f32`, and then write
//! one file under a temporary name that is renamed when all of it is on disk.

mod atomic;
mod gguf;
mod safetensors;
mod value;

use std::borrow::Cow;

use scaffold_kernels::BlockType;

pub(crate) use atomic::write_file;
pub use gguf::GgufWriter;
pub use safetensors::SafetensorsWriter;
pub use value::MetadataValue;

pub use crate::error::WriteProblem;

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
