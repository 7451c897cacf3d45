//! What follows the last matmul.

use crate::{activation::add, exec::Exec, shared::SharedMut};

/// Index of the largest value, the first of equals; NaN is never the largest. `None` if there is
/// nothing to choose from.
pub fn argmax(values: &[f32]) -> Option<usize> {
    let mut best = None;
    let mut largest = f32::NEG_INFINITY;
    for (index, &value) in values.iter().enumerate() {
        if value > largest || (best.is_none() && !value.is_nan()) {
            (best, largest) = (Some(index), value);
        }
    }
    best
}

/// Copies `[rows, sum of widths]` into one buffer a part: the outputs of a stacked matmul (query,
/// key and value) as matrices of their own. `parts` are `[rows, width]` each.
///
/// # Panics
/// If the parts do not add up to `x`.
pub fn split_columns<const N: usize>(exec: &Exec, x: &[f32], rows: usize, parts: [&mut [f32]; N]) {
    let total: usize = parts.iter().map(|part| part.len()).sum();
    assert_eq!(total, x.len(), "the parts together are as large as the whole");
    if rows == 0 || x.is_empty() {
        return;
    }
    let cols = x.len() / rows;
    let widths = parts.each_ref().map(|part| part.len() / rows);
    assert_eq!(widths.iter().sum::<usize>(), cols, "parts have whole rows");
    let parts = parts.map(SharedMut::new);
    exec.over_rows(rows, cols, &|first, count| {
        for row in first..first + count {
            let mut from = &x[row * cols..(row + 1) * cols];
            for (part, width) in parts.iter().zip(widths) {
                let (piece, rest) = from.split_at(width);
                // SAFETY: every row is copied once.
                let to = unsafe { part.range(row * width..(row + 1) * width) };
                to.copy_from_slice(piece);
                from = rest;
            }
        }
    });
}

/// Adds each two rows of `x` (`[2 * rows, width]`): the sums become the first `rows` rows.
///
/// # Panics
/// If `x` is not an even number of rows.
pub fn add_pairs(exec: &Exec, x: &mut [f32], width: usize) {
    assert!(
        width > 0 && x.len().is_multiple_of(2 * width),
        "{} values in pairs of rows of {width}",
        x.len()
    );
    for row in 0..x.len() / (2 * width) {
        let (before, pair) = x.split_at_mut(2 * row * width);
        let (first, second) = pair[..2 * width].split_at_mut(width);
        add(exec, first, second);
        if row > 0 {
            before[row * width..(row + 1) * width].copy_from_slice(first);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn largest_value() {
        assert_eq!(argmax(&[]), None);
        assert_eq!(argmax(&[f32::NAN]), None);
        assert_eq!(argmax(&[f32::NAN, f32::NEG_INFINITY]), Some(1));
        assert_eq!(argmax(&[1.0, 3.0, 3.0, f32::NAN, 2.0]), Some(1));
    }

    #[test]
    fn pairs_of_rows_become_their_sums() {
        let mut x: Vec<f32> = (0..12).map(|i| i as f32).collect();
        add_pairs(&Exec::new(1), &mut x, 2);
        assert_eq!(x[..6], [2.0, 4.0, 10.0, 12.0, 18.0, 20.0]);
    }

    #[test]
    fn columns_split() {
        let x: Vec<f32> = (0..12).map(|i| i as f32).collect();
        let (mut a, mut b) = ([0.0; 8], [0.0; 4]);
        split_columns(&Exec::new(2), &x, 4, [&mut a, &mut b]);
        assert_eq!(a, [0.0, 1.0, 3.0, 4.0, 6.0, 7.0, 9.0, 10.0]);
        assert_eq!(b, [2.0, 5.0, 8.0, 11.0]);
    }
}
