//! What every reader hands out: tensors by name.

use scaffold_error::{Error, err};
use scaffold_kernels::BlockType;

use crate::quoted::Quoted;

/// A tensor as it lies in its file: nothing is copied or converted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tensor<'a> {
    /// The name that the file gives it.
    pub name: &'a str,
    /// How its values are stored.
    pub ty: BlockType,
    /// Outermost dimension first (`[rows, cols]` for a matrix), whatever order the file itself
    /// uses.
    pub shape: &'a [usize],
    /// The values, row-major and little-endian. Exactly as many bytes as `ty` and `shape` ask for;
    /// the start is **not** guaranteed to be aligned for the type.
    pub bytes: &'a [u8],
}

impl Tensor<'_> {
    /// The number of values; the product of the shape, 1 for a scalar.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether there are no values at all.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// What is known of a tensor without reading its values, also where its type cannot be read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TensorInfo<'a> {
    /// The name that the file gives it.
    pub name: &'a str,
    /// The type's name as the format spells it, such as `Q4_K`, `BF16` or `I64`.
    pub type_name: &'a str,
    /// The type, where this workspace can compute with it.
    pub ty: Option<BlockType>,
    /// Outermost dimension first.
    pub shape: &'a [usize],
    /// Size in the file.
    pub bytes: usize,
}

impl TensorInfo<'_> {
    /// Whether it holds truth values or whole numbers, as masks, positions and other buffers do: no
    /// weight that can be computed with is stored so.
    pub fn is_buffer(&self) -> bool {
        const TYPES: &[&str] = &["BOOL", "U8", "U16", "U32", "U64", "I8", "I16", "I32", "I64"];
        self.ty.is_none() && TYPES.contains(&self.type_name)
    }
}

/// Two tensors with one name.
pub(crate) fn twice(tensor: &str) -> Error {
    err!(
        Damaged,
        "tensor {} is there twice: the file is damaged or was made by a faulty tool",
        Quoted(tensor)
    )
    .of_tensor(tensor)
}

/// Two tensors share bytes.
pub(crate) fn overlap(first: &str, second: &str) -> Error {
    err!(Damaged, "tensors {} and {} overlap: the file is damaged", Quoted(first), Quoted(second))
        .of_tensor(second)
}

/// A place to take tensors from by name: a GGUF file, a directory of safetensors, or a test's own.
pub trait TensorSource {
    /// The tensor of that name, `None` where there is none.
    ///
    /// # Errors
    /// The tensor exists but its type is not one that can be read.
    fn tensor(&self, name: &str) -> Result<Option<Tensor<'_>>, Error>;

    /// The names of all tensors, in the order of the file.
    fn names(&self) -> Vec<&str>;

    /// What is known of a tensor without reading it, also where its type cannot be read; `None`
    /// where there is none.
    fn info(&self, name: &str) -> Option<TensorInfo<'_>>;

    /// The error for a tensor that the files promise and do not hold, where they do so.
    fn broken_promise(&self, _name: &str) -> Option<Error> {
        None
    }

    /// Whether all that was read was there: to be asked before anything is made of it.
    ///
    /// # Errors
    /// A file became shorter while it was in use, and zeros were read in its place.
    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Where the tensors come from, for messages: a path.
    fn origin(&self) -> String;

    /// Hints that this tensor's bytes are not needed any more, so that mapped memory can shrink.
    /// They stay readable.
    fn release(&self, _name: &str) {}

    /// The tensor of that name, which must be there.
    ///
    /// # Errors
    /// There is none, or its type is not one that can be read.
    fn require(&self, name: &str) -> Result<Tensor<'_>, Error> {
        self.tensor(name)?.ok_or_else(|| {
            let (origin, tensor) = (self.origin(), Quoted(name));
            err!(
                Damaged,
                "{origin} has no tensor {tensor}; the file is incomplete or of another architecture than its configuration \
                 says"
            )
            .of_tensor(name)
        })
    }
}
