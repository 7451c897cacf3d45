//! What llama.cpp's converter does to the values of some tensors: rows in another order, matrices
//! turned, norms that store one less than they mean, several tensors as one. All but the sum is done
//! to bytes as they are stored.

use std::borrow::Cow;

use scaffold_error::err;
use scaffold_kernels::{BlockType, dequantize};

use crate::Error;

/// Stored values with their shape, outermost dimension first.
#[derive(Clone, Debug)]
pub(crate) struct Array<'a> {
    pub(crate) ty: BlockType,
    pub(crate) shape: Vec<usize>,
    pub(crate) bytes: Cow<'a, [u8]>,
}

impl<'a> Array<'a> {
    pub(crate) fn new(ty: BlockType, shape: &[usize], bytes: &'a [u8]) -> Self {
        Self { ty, shape: shape.to_vec(), bytes: Cow::Borrowed(bytes) }
    }

    /// The number of values.
    pub(crate) fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Takes rows in another order.
    fn rows_in(&mut self, order: impl Iterator<Item = usize>) {
        let row = self.bytes.len() / self.shape[0].max(1);
        let mut bytes = Vec::with_capacity(self.bytes.len());
        for from in order {
            bytes.extend_from_slice(&self.bytes[from * row..(from + 1) * row]);
        }
        self.bytes = Cow::Owned(bytes);
    }

    /// Rows that are to be cut into `parts` equal ones of an even number.
    fn check_rows(&self, parts: usize) -> Result<usize, Error> {
        let rows = self.shape.first().copied().unwrap_or(0);
        let part = rows.checked_div(parts).unwrap_or(0);
        if part > 0 && part * parts == rows && part.is_multiple_of(2) {
            return Ok(part);
        }
        Err(err!(
            Damaged,
            "{rows} rows are not those of {parts} heads: the tensor or the configuration is another model's"
        ))
    }

    /// Per head: the first and second half of the rows interleaved. `transformers` rotates halves
    /// against each other, ggml's original rope rotates neighbours.
    pub(crate) fn permute(&mut self, heads: usize) -> Result<(), Error> {
        let head = self.check_rows(heads)?;
        let half = head / 2;
        self.rows_in((0..heads).flat_map(move |number| {
            (0..half).flat_map(move |pair| [number * head + pair, number * head + half + pair])
        }));
        Ok(())
    }

    /// Fused q, k, v per head become all of q, then all of k, then all of v.
    pub(crate) fn ungroup_qkv(&mut self, heads: usize) -> Result<(), Error> {
        let head = self.check_rows(3 * heads)?;
        self.rows_in((0..3).flat_map(move |part| {
            (0..heads)
                .flat_map(move |number| (0..head).map(move |row| (number * 3 + part) * head + row))
        }));
        Ok(())
    }

    /// Rows become columns.
    pub(crate) fn transpose(&mut self) -> Result<(), Error> {
        let (&[rows, cols], 1) = (&self.shape[..], self.ty.values()) else {
            return Err(err!(
                Unsupported,
                "only a matrix of plain values can be turned, not {:?} of {}",
                self.shape,
                self.ty
            ));
        };
        let size = self.ty.bytes();
        let mut bytes = Vec::with_capacity(self.bytes.len());
        for col in 0..cols {
            for row in 0..rows {
                let at = (row * cols + col) * size;
                bytes.extend_from_slice(&self.bytes[at..at + size]);
            }
        }
        (self.bytes, self.shape) = (Cow::Owned(bytes), vec![cols, rows]);
        Ok(())
    }

    /// The values as `f32`, and more by this.
    pub(crate) fn add(&mut self, offset: f32) -> Result<(), Error> {
        let mut values = vec![0.0; self.len()];
        dequantize(self.ty, &self.bytes, &mut values)?;
        let bytes = values.iter().flat_map(|value| (value + offset).to_le_bytes()).collect();
        (self.ty, self.bytes) = (BlockType::F32, Cow::Owned(bytes));
        Ok(())
    }

    /// Arrays of one shape along a new outermost dimension.
    pub(crate) fn stack(parts: &[Array<'_>]) -> Result<Array<'a>, Error> {
        let Some(first) = parts.first() else {
            return Err(err!(Internal, "a stack of nothing"));
        };
        let (ty, shape) = (first.ty, first.shape.clone());
        if let Some(other) = parts.iter().find(|part| (part.ty, &part.shape) != (ty, &shape)) {
            return Err(err!(
                Damaged,
                "tensors that are stored as one differ: {:?} of {ty} and {:?} of {}",
                shape,
                other.shape,
                other.ty
            ));
        }
        let bytes = parts.iter().flat_map(|part| part.bytes.iter().copied()).collect();
        let shape = [&[parts.len()], shape.as_slice()].concat();
        Ok(Array { ty, shape, bytes: Cow::Owned(bytes) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(shape: &[usize], values: &[f32]) -> Array<'static> {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Array { ty: BlockType::F32, shape: shape.to_vec(), bytes: Cow::Owned(bytes) }
    }

    fn values(array: &Array<'_>) -> Vec<f32> {
        let mut values = vec![0.0; array.len()];
        dequantize(array.ty, &array.bytes, &mut values).unwrap();
        values
    }

    #[test]
    fn orders_are_those_of_the_converter() {
        let mut one = array(&[8], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
        one.permute(2).unwrap();
        assert_eq!(values(&one), [0.0, 2.0, 1.0, 3.0, 4.0, 6.0, 5.0, 7.0]);
        let mut one = array(&[12], &std::array::from_fn::<f32, 12, _>(|i| i as f32));
        one.ungroup_qkv(2).unwrap();
        assert_eq!(values(&one), [0.0, 1.0, 6.0, 7.0, 2.0, 3.0, 8.0, 9.0, 4.0, 5.0, 10.0, 11.0]);
        let mut one = array(&[2, 3], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        one.transpose().unwrap();
        assert_eq!(
            (&one.shape[..], values(&one)),
            (&[3, 2][..], vec![0.0, 3.0, 1.0, 4.0, 2.0, 5.0])
        );
        one.add(1.0).unwrap();
        assert_eq!(values(&one)[..2], [1.0, 4.0]);
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        assert!(array(&[7], &[0.0; 7]).permute(2).is_err());
        assert!(array(&[8], &[0.0; 8]).permute(0).is_err());
        assert!(array(&[2, 2, 2], &[0.0; 8]).transpose().is_err());
        assert!(Array::stack(&[array(&[2], &[0.0; 2]), array(&[3], &[0.0; 3])]).is_err());
        assert!(Array::stack(&[]).is_err());
        let stacked = Array::stack(&[array(&[2], &[1.0; 2]), array(&[2], &[2.0; 2])]).unwrap();
        assert_eq!((&stacked.shape[..], values(&stacked)), (&[2, 2][..], vec![1.0, 1.0, 2.0, 2.0]));
    }
}
