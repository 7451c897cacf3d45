//! A tensor on its way into a packed matrix, rearranged where the file's order is not `[out, in]`
//! row by row.

use std::borrow::Cow;

use scaffold_error::Error;
use scaffold_formats::{Tensor, TensorInfo};
use scaffold_kernels::{BlockType, MatrixSource};

use super::values::wrong_shape;
use crate::names::{QkvRows, Slot};
use crate::precision::Packing;
use crate::spec::ModelSpec;

/// Rows of a matrix, with the name of the tensor that they come from.
pub(super) struct Part<'a> {
    pub(super) name: &'a str,
    pub(super) rows: usize,
    pub(super) cols: usize,
    shape: &'a [usize],
    ty: BlockType,
    bytes: &'a [u8],
    /// Which matrix of a stack this is.
    index: Option<usize>,
    /// Whether the file has `[in, out]`.
    is_transposed: bool,
    /// Heads and their width where rows `[heads, 3, head_dim]` are to be sorted to
    /// `[3, heads, head_dim]`.
    per_head: Option<(usize, usize)>,
}

impl<'a> Part<'a> {
    fn new(tensor: Tensor<'a>, rows: usize, cols: usize) -> Self {
        Self {
            name: tensor.name,
            rows,
            cols,
            shape: tensor.shape,
            ty: tensor.ty,
            bytes: tensor.bytes,
            index: None,
            is_transposed: false,
            per_head: None,
        }
    }

    /// A matrix `[rows, cols]`.
    pub(super) fn matrix(tensor: Tensor<'a>) -> Result<Self, Error> {
        match tensor.shape {
            &[rows, cols] => Ok(Self::new(tensor, rows, cols)),
            _ => Err(Self::new(tensor, 0, 0).shape_error("a matrix")),
        }
    }

    /// A single row, with or without a dimension for it.
    pub(super) fn row(tensor: Tensor<'a>) -> Self {
        let cols = tensor.len();
        Self::new(tensor, 1, cols)
    }

    /// Matrix `index` of `count` in a tensor `[count, rows, cols]`.
    pub(super) fn slice(tensor: Tensor<'a>, index: usize, count: usize) -> Result<Self, Error> {
        let &[found, rows, cols] = tensor.shape else {
            return Err(Self::new(tensor, 0, 0).shape_error("three dimensions"));
        };
        if found != count {
            return Err(Self::new(tensor, 0, 0).shape_error(&format!("{count} experts")));
        }
        let size = tensor.bytes.len() / count;
        let bytes = &tensor.bytes[index * size..(index + 1) * size];
        Ok(Self { bytes, index: Some(index), ..Self::new(tensor, rows, cols) })
    }

    pub(super) fn shape_error(&self, expected: &str) -> Error {
        wrong_shape(self.name, self.shape, expected)
    }

    /// The tensor's name, with the number of the matrix where the tensor holds several.
    pub(super) fn label(&self) -> String {
        match self.index {
            Some(index) => format!("{}[{index}]", self.name),
            None => self.name.to_owned(),
        }
    }

    /// The bytes row by row: the first thing that reads them.
    pub(super) fn arranged(&self) -> Cow<'a, [u8]> {
        let rows = if self.is_transposed {
            Cow::Owned(turned(self.bytes, self.cols, self.rows, self.ty.bytes()))
        } else {
            Cow::Borrowed(self.bytes)
        };
        match self.per_head {
            Some((heads, head_dim)) => {
                let row = rows.len() / self.rows;
                Cow::Owned(heads_apart(&rows, heads, head_dim * row))
            }
            None => rows,
        }
    }

    pub(super) fn source<'b>(&self, arranged: &'b [u8], packing: &Packing<'_>) -> MatrixSource<'b> {
        let packed = packing.of(self.name, self.ty, self.cols);
        MatrixSource::new(self.ty, self.rows, self.cols, arranged).packed_as(packed)
    }

    /// `[in, out]` turned to `[out, in]`.
    pub(super) fn transposed(self) -> Result<Self, Error> {
        if self.ty.values() != 1 {
            return Err(
                self.shape_error(&format!("a type of single values, not {}", self.ty.name()))
            );
        }
        Ok(Self { rows: self.cols, cols: self.rows, is_transposed: true, ..self })
    }

    /// Rows `[heads, 3, head_dim]` sorted to `[3, heads, head_dim]`.
    pub(super) fn heads_apart(self, heads: usize, head_dim: usize) -> Result<Self, Error> {
        if self.rows != 3 * heads * head_dim {
            return Err(self.shape_error(&format!("{} rows", 3 * heads * head_dim)));
        }
        Ok(Self { per_head: Some((heads, head_dim)), ..self })
    }
}

impl ModelSpec {
    /// Whether a matrix of the file is copied on its way into a packed one, because its rows are to
    /// be arranged anew.
    pub fn rearranges(&self, tensor: &TensorInfo<'_>) -> bool {
        let names = |slot| self.names.all(slot);
        let is = |slot| names(slot).any(|name| tensor.name.contains(last(name)));
        let tables = [Slot::Embed, Slot::Head, Slot::Positions];
        let turned = self.names.transposed && !tables.into_iter().any(is);
        let sorted = self.names.qkv_rows == QkvRows::PerHead && is(Slot::Qkv);
        tensor.shape.len() == 2 && (turned || sorted)
    }
}

/// The last word of a slot's name.
fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// Values of `size` bytes, `[rows, cols]` turned to `[cols, rows]`.
fn turned(bytes: &[u8], rows: usize, cols: usize, size: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for col in 0..cols {
        for row in 0..rows {
            let at = (row * cols + col) * size;
            out.extend_from_slice(&bytes[at..at + size]);
        }
    }
    out
}

/// Runs `[heads, 3]` of `width` values sorted to `[3, heads]`.
pub(super) fn heads_apart<T: Copy>(values: &[T], heads: usize, width: usize) -> Vec<T> {
    let mut out = Vec::with_capacity(values.len());
    for kind in 0..3 {
        for head in 0..heads {
            let at = (head * 3 + kind) * width;
            out.extend_from_slice(&values[at..at + width]);
        }
    }
    out
}
