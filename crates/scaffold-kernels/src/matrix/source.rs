//! A weight on its way into a packed matrix.

use crate::block_type::BlockType;

/// A weight as a file stores it: `rows` rows of `cols` values, row after row; and what it is packed as.
#[derive(Debug, Clone, Copy)]
pub struct MatrixSource<'a> {
    /// How the values are stored.
    pub ty: BlockType,
    /// Output features.
    pub rows: usize,
    /// Input features.
    pub cols: usize,
    /// The stored rows.
    pub bytes: &'a [u8],
    /// What they are packed as: `ty`, or what they are converted to.
    pub packed: BlockType,
    /// How much an error in each column costs, where that is known: see [`quantize_searched`](crate::quantize_searched).
    pub importance: Option<&'a [f32]>,
}

impl<'a> MatrixSource<'a> {
    /// A weight that is packed as it is stored.
    pub fn new(ty: BlockType, rows: usize, cols: usize, bytes: &'a [u8]) -> Self {
        Self { ty, rows, cols, bytes, packed: ty, importance: None }
    }

    /// Packed as another type: F32, or blocks with scales that are looked for
    /// ([`quantize_searched`](crate::quantize_searched)).
    pub fn packed_as(self, packed: BlockType) -> Self {
        Self { packed, ..self }
    }

    /// With what an error in each column costs.
    pub fn importance(self, importance: &'a [f32]) -> Self {
        Self { importance: Some(importance), ..self }
    }
}
