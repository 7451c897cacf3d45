//! How far numbers may be from a golden, with failures that can be read.

use std::fmt;

use crate::golden::Rows;

/// Logits or hidden states, value by value.
#[derive(Clone, Copy, Debug)]
pub struct MaxAbs(pub f32);

/// Embeddings, by the cosine between the rows.
#[derive(Clone, Copy, Debug)]
pub struct MinCosine(pub f32);

/// The same bits: what may not depend on batching, chunking or threads.
#[derive(Clone, Copy, Debug)]
pub struct SameBits;

/// Logits of another precision: the likeliest token of at least this share of the rows is the same.
#[derive(Clone, Copy, Debug)]
pub struct SameTop(pub f32);

/// A difference that is too large.
#[derive(Debug)]
pub struct Mismatch(String);

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A rule by which two sets of rows agree or not.
pub trait Tolerance: fmt::Debug {
    /// Compares rows of `cols` values that have the same number of values.
    ///
    /// # Errors
    /// They do not agree; the message says where and by how much.
    fn compare(&self, cols: usize, found: &[f32], expected: &[f32]) -> Result<(), Mismatch>;

    /// Compares what was computed with a golden and fails the test, saying `what` it is about, if
    /// they do not agree.
    ///
    /// # Panics
    /// They do not agree.
    fn check(&self, what: &str, found: &[f32], expected: &Rows) {
        self.check_values(what, expected.cols, found, &expected.values);
    }

    /// As [`check`](Self::check) for plain slices of rows of `cols` values.
    ///
    /// # Panics
    /// They do not agree.
    fn check_values(&self, what: &str, cols: usize, found: &[f32], expected: &[f32]) {
        assert_eq!(
            found.len(),
            expected.len(),
            "{what}: {} values were computed where {} rows of {cols} are expected",
            found.len(),
            expected.len() / cols.max(1)
        );
        if let Err(mismatch) = self.compare(cols, found, expected) {
            panic!("{what}: {mismatch} ({self:?})");
        }
    }
}

impl Tolerance for MaxAbs {
    fn compare(&self, cols: usize, found: &[f32], expected: &[f32]) -> Result<(), Mismatch> {
        let difference = |at: usize| (found[at] - expected[at]).abs();
        let off: Vec<usize> = (0..found.len())
            .filter(|&at| difference(at) > self.0 || difference(at).is_nan())
            .collect();
        let Some(&first) = off.first() else {
            return Ok(());
        };
        let worst = off
            .iter()
            .copied()
            .max_by(|&a, &b| difference(a).total_cmp(&difference(b)))
            .unwrap_or(first);
        let place = |at: usize| format!("row {}, column {}", at / cols, at % cols);
        Err(Mismatch(format!(
            "{} of {} values are off by more than {}; the first at {}, the worst at {}: {} where {} is expected",
            off.len(),
            found.len(),
            self.0,
            place(first),
            place(worst),
            found[worst],
            expected[worst],
        )))
    }
}

impl Tolerance for MinCosine {
    fn compare(&self, cols: usize, found: &[f32], expected: &[f32]) -> Result<(), Mismatch> {
        for (row, (found, expected)) in found.chunks(cols).zip(expected.chunks(cols)).enumerate() {
            let cosine = cosine(found, expected);
            if cosine.is_nan() || cosine < f64::from(self.0) {
                return Err(Mismatch(format!(
                    "row {row} has a cosine of {cosine:.7}, less than {}",
                    self.0
                )));
            }
        }
        Ok(())
    }
}

impl Tolerance for SameBits {
    fn compare(&self, cols: usize, found: &[f32], expected: &[f32]) -> Result<(), Mismatch> {
        let differs = |at: &usize| found[*at].to_bits() != expected[*at].to_bits();
        let count = (0..found.len()).filter(differs).count();
        let Some(at) = (0..found.len()).find(differs) else {
            return Ok(());
        };
        Err(Mismatch(format!(
            "{count} of {} values have other bits; the first at row {}, column {}: {:?} where {:?} is expected",
            found.len(),
            at / cols,
            at % cols,
            found[at],
            expected[at],
        )))
    }
}

impl Tolerance for SameTop {
    fn compare(&self, cols: usize, found: &[f32], expected: &[f32]) -> Result<(), Mismatch> {
        let rows = found.len() / cols.max(1);
        let pairs = found.chunks(cols).zip(expected.chunks(cols));
        let other: Vec<usize> = pairs
            .enumerate()
            .filter(|(_, (found, expected))| top(found) != top(expected))
            .map(|(row, _)| row)
            .collect();
        let share = 1.0 - other.len() as f32 / rows.max(1) as f32;
        if share >= self.0 {
            return Ok(());
        }
        Err(Mismatch(format!(
            "the likeliest token is the same in {share:.3} of {rows} rows only; not in rows {other:?}"
        )))
    }
}

/// The cosine between two vectors; NaN where one of them has no direction.
pub fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| {
        a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>()
    };
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// The index of the largest value, the first of equals.
pub fn top(row: &[f32]) -> usize {
    let mut best = 0;
    for (index, value) in row.iter().enumerate() {
        if *value > row[best] {
            best = index;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_located() {
        let expected = [0.0, 1.0, 2.0, 3.0];
        assert!(MaxAbs(0.1).compare(2, &[0.05, 1.0, 2.0, 3.0], &expected).is_ok());
        let message =
            MaxAbs(0.1).compare(2, &[0.0, 1.2, 2.0, 3.5], &expected).unwrap_err().to_string();
        assert_eq!(
            message,
            "2 of 4 values are off by more than 0.1; the first at row 0, column 1, the worst at row 1, column 1: 3.5 where 3 is expected"
        );
        assert!(MaxAbs(0.1).compare(2, &[f32::NAN, 1.0, 2.0, 3.0], &expected).is_err());
    }

    #[test]
    fn bits_tell_zeros_apart() {
        assert!(SameBits.compare(1, &[1.0], &[1.0]).is_ok());
        assert!(SameBits.compare(1, &[-0.0], &[0.0]).is_err());
    }

    #[test]
    fn cosines_and_tops() {
        assert!(MinCosine(0.999).compare(2, &[2.0, 0.0], &[1.0, 0.0]).is_ok());
        assert!(MinCosine(0.999).compare(2, &[0.0, 0.0], &[1.0, 0.0]).is_err());
        assert!(SameTop(0.5).compare(2, &[1.0, 0.0, 0.0, 1.0], &[1.0, 0.0, 1.0, 0.0]).is_ok());
        let message = SameTop(0.9)
            .compare(2, &[1.0, 0.0, 0.0, 1.0], &[1.0, 0.0, 1.0, 0.0])
            .unwrap_err()
            .to_string();
        assert!(message.contains("not in rows [1]"), "{message}");
    }

    #[test]
    #[should_panic(expected = "tiny: 3 values were computed where 2 rows of 2 are expected")]
    fn another_number_of_values_is_named() {
        MaxAbs(1.0).check_values("tiny", 2, &[0.0; 3], &[0.0; 4]);
    }
}
