//! What llama.cpp's converter does to the values of some tensors.

/// Values with their shape, outermost dimension first.
#[derive(Clone, Debug)]
pub(super) struct Array {
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f32>,
}

impl Array {
    /// Values per entry of the outermost dimension.
    fn row(&self) -> usize {
        self.shape[1..].iter().product()
    }

    /// Takes rows in another order.
    fn rows_in(&mut self, order: impl Iterator<Item = usize>) {
        let row = self.row();
        self.values = order
            .flat_map(|from| self.values[from * row..(from + 1) * row].iter().copied())
            .collect();
    }

    /// Per head: the first and second half of the rows interleaved. `transformers` rotates halves
    /// against each other, ggml's original rope rotates neighbours.
    pub(super) fn permute(&mut self, heads: usize) {
        let head = self.shape[0] / heads;
        let half = head / 2;
        self.rows_in((0..heads).flat_map(move |number| {
            (0..half).flat_map(move |pair| [number * head + pair, number * head + half + pair])
        }));
    }

    /// Fused q, k, v per head become all of q, then all of k, then all of v.
    pub(super) fn ungroup_qkv(&mut self, heads: usize) {
        let head = self.shape[0] / heads / 3;
        self.rows_in((0..3).flat_map(move |part| {
            (0..heads)
                .flat_map(move |number| (0..head).map(move |row| (number * 3 + part) * head + row))
        }));
    }

    /// Rows become columns.
    pub(super) fn transpose(&mut self) {
        let [rows, cols] = self.shape[..] else {
            panic!("only a matrix can be transposed, not {:?}", self.shape)
        };
        self.values = (0..cols)
            .flat_map(|col| (0..rows).map(move |row| row * cols + col))
            .map(|at| self.values[at])
            .collect();
        self.shape = vec![cols, rows];
    }

    pub(super) fn add(&mut self, offset: f32) {
        self.values.iter_mut().for_each(|value| *value += offset);
    }

    /// Arrays of one shape along a new outermost dimension.
    pub(super) fn stack(parts: &[Array]) -> Array {
        let shape = [&[parts.len()], parts[0].shape.as_slice()].concat();
        Array { shape, values: parts.iter().flat_map(|part| &part.values).copied().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(values: &[f32]) -> Array {
        Array { shape: vec![values.len()], values: values.to_vec() }
    }

    #[test]
    fn orders_are_those_of_the_converter() {
        let mut array = column(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
        array.permute(2);
        assert_eq!(array.values, [0.0, 2.0, 1.0, 3.0, 4.0, 6.0, 5.0, 7.0]);
        let mut array = column(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        array.ungroup_qkv(2);
        assert_eq!(array.values, [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
        let mut array = Array { shape: vec![2, 3], values: vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0] };
        array.transpose();
        assert_eq!((array.shape, array.values), (vec![3, 2], vec![0.0, 3.0, 1.0, 4.0, 2.0, 5.0]));
    }
}
