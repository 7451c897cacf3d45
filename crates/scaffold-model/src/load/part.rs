//! A tensor on its way into a packed matrix, rearranged where the file's order is not `[out, in]` row by row.

use std::borrow::Cow;

use scaffold_formats::Tensor;
use scaffold_kernels::{BlockType, MatrixSource};

use crate::ModelError;

/// Rows of a matrix, with the name of the tensor that they come from.
pub(super) struct Part<'a> {
    pub(super) name: &'a str,
    pub(super) rows: usize,
    pub(super) cols: usize,
    shape: &'a [usize],
    ty: BlockType,
    bytes: Cow<'a, [u8]>,
}

impl<'a> Part<'a> {
    fn new(tensor: Tensor<'a>, rows: usize, cols: usize) -> Self {
        Self {
            name: tensor.name,
            rows,
            cols,
            shape: tensor.shape,
            ty: tensor.ty,
            bytes: Cow::Borrowed(tensor.bytes),
        }
    }

    /// A matrix `[rows, cols]`.
    pub(super) fn matrix(tensor: Tensor<'a>) -> Result<Self, ModelError> {
        match tensor.shape {
            &[rows, cols] => Ok(Self::new(tensor, rows, cols)),
            _ => Err(Self::new(tensor, 0, 0).shape_error("a matrix".to_owned())),
        }
    }

    /// A single row, with or without a dimension for it.
    pub(super) fn row(tensor: Tensor<'a>) -> Self {
        let cols = tensor.len();
        Self::new(tensor, 1, cols)
    }

    /// Matrix `index` of `count` in a tensor `[count, rows, cols]`.
    pub(super) fn slice(
        tensor: Tensor<'a>,
        index: usize,
        count: usize,
    ) -> Result<Self, ModelError> {
        let &[found, rows, cols] = tensor.shape else {
            return Err(Self::new(tensor, 0, 0).shape_error("three dimensions".to_owned()));
        };
        if found != count {
            return Err(Self::new(tensor, 0, 0).shape_error(format!("{count} experts")));
        }
        let size = tensor.bytes.len() / count;
        let bytes = &tensor.bytes[index * size..(index + 1) * size];
        Ok(Self {
            bytes: Cow::Borrowed(bytes),
            ..Self::new(tensor, rows, cols)
        })
    }

    pub(super) fn shape_error(&self, expected: String) -> ModelError {
        ModelError::TensorShape {
            name: self.name.to_owned(),
            found: self.shape.to_vec(),
            expected,
        }
    }

    pub(super) fn source(&self) -> MatrixSource<'_> {
        MatrixSource {
            ty: self.ty,
            rows: self.rows,
            cols: self.cols,
            bytes: &self.bytes,
        }
    }

    /// `[in, out]` turned to `[out, in]`.
    pub(super) fn transposed(self) -> Result<Self, ModelError> {
        if self.ty.values() != 1 {
            return Err(
                self.shape_error(format!("a type of single values, not {}", self.ty.name()))
            );
        }
        let size = self.ty.bytes();
        let mut bytes = Vec::with_capacity(self.bytes.len());
        for col in 0..self.cols {
            for row in 0..self.rows {
                let at = (row * self.cols + col) * size;
                bytes.extend_from_slice(&self.bytes[at..at + size]);
            }
        }
        Ok(Self {
            rows: self.cols,
            cols: self.rows,
            bytes: Cow::Owned(bytes),
            ..self
        })
    }

    /// Rows `[heads, 3, head_dim]` sorted to `[3, heads, head_dim]`.
    pub(super) fn heads_apart(self, heads: usize, head_dim: usize) -> Result<Self, ModelError> {
        if self.rows != 3 * heads * head_dim {
            return Err(self.shape_error(format!("{} rows", 3 * heads * head_dim)));
        }
        let row = self.bytes.len() / self.rows;
        Ok(Self {
            bytes: Cow::Owned(heads_apart(&self.bytes, heads, head_dim * row)),
            ..self
        })
    }
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
