//! What can be wrong with a file that is asked to be written.

use scaffold_kernels::{BlockType, KernelError};

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
