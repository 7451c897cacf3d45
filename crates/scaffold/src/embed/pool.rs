//! The hidden states of an input's tokens become one vector.

use super::repository::{Pooling, PoolingMode};

impl Pooling {
    /// Width of a pooled vector of hidden states of `width` numbers.
    pub(crate) fn output_width(&self, width: usize) -> usize {
        width * self.modes.len()
    }

    /// Pools one input: `states` is `[tokens, width]`, of which the first `prompt` rows belong to
    /// the prompt; the result is put into `out`, `[modes * width]`.
    pub(crate) fn pool(&self, states: &[f32], width: usize, prompt: usize, out: &mut [f32]) {
        let tokens = states.len() / width;
        // A prompt that leaves nothing is not left out: there would be no vector at all.
        let skip = if self.include_prompt || prompt >= tokens { 0 } else { prompt };
        let rows = &states[skip * width..];
        for (mode, out) in self.modes.iter().zip(out.chunks_exact_mut(width)) {
            mode.pool(rows, width, skip, out);
        }
    }
}

impl PoolingMode {
    /// `skipped` rows came before `rows`.
    fn pool(self, rows: &[f32], width: usize, skipped: usize, out: &mut [f32]) {
        let tokens = rows.len() / width;
        let each = || rows.chunks_exact(width);
        match self {
            _ if tokens == 0 => out.fill(0.0),
            PoolingMode::Cls => out.copy_from_slice(&rows[..width]),
            PoolingMode::LastToken => out.copy_from_slice(&rows[rows.len() - width..]),
            PoolingMode::Max => {
                out.copy_from_slice(&rows[..width]);
                for row in each() {
                    for (out, x) in out.iter_mut().zip(row) {
                        *out = out.max(*x);
                    }
                }
            }
            PoolingMode::Mean => weighted(each().zip(std::iter::repeat(1.0)), tokens as f32, out),
            PoolingMode::MeanSqrtLen => {
                weighted(each().zip(std::iter::repeat(1.0)), (tokens as f32).sqrt(), out);
            }
            PoolingMode::WeightedMean => {
                let weight = |row: usize| (skipped + row + 1) as f32;
                let total = (0..tokens).map(weight).sum();
                weighted(each().zip((0..tokens).map(weight)), total, out);
            }
        }
    }
}

fn weighted<'a>(rows: impl Iterator<Item = (&'a [f32], f32)>, divisor: f32, out: &mut [f32]) {
    out.fill(0.0);
    for (row, weight) in rows {
        for (out, x) in out.iter_mut().zip(row) {
            *out += weight * x;
        }
    }
    for out in out {
        *out /= divisor;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pooled(modes: &[PoolingMode], include_prompt: bool, prompt: usize) -> Vec<f32> {
        let pooling = Pooling { modes: modes.to_vec(), include_prompt, width: Some(2) };
        let states = [1.0, 10.0, 2.0, -20.0, 6.0, 40.0];
        let mut out = vec![f32::NAN; pooling.output_width(2)];
        pooling.pool(&states, 2, prompt, &mut out);
        out
    }

    #[test]
    fn every_mode_does_what_its_name_says() {
        assert_eq!(pooled(&[PoolingMode::Cls], true, 0), [1.0, 10.0]);
        assert_eq!(pooled(&[PoolingMode::LastToken], true, 0), [6.0, 40.0]);
        assert_eq!(pooled(&[PoolingMode::Max], true, 0), [6.0, 40.0]);
        assert_eq!(pooled(&[PoolingMode::Mean], true, 0), [3.0, 10.0]);
        let root = 3f32.sqrt();
        assert_eq!(pooled(&[PoolingMode::MeanSqrtLen], true, 0), [9.0 / root, 30.0 / root]);
        assert_eq!(pooled(&[PoolingMode::WeightedMean], true, 0), [23.0 / 6.0, 90.0 / 6.0]);
    }

    #[test]
    fn several_modes_are_concatenated() {
        assert_eq!(pooled(&[PoolingMode::Cls, PoolingMode::Mean], true, 0), [1.0, 10.0, 3.0, 10.0]);
    }

    #[test]
    fn a_prompt_is_left_out_where_the_repository_says_so() {
        assert_eq!(pooled(&[PoolingMode::Mean], true, 1), [3.0, 10.0]);
        assert_eq!(pooled(&[PoolingMode::Mean], false, 1), [4.0, 10.0]);
        assert_eq!(pooled(&[PoolingMode::Cls], false, 2), [6.0, 40.0]);
        // Positions keep their weights (2 and 3 of 5).
        assert_eq!(pooled(&[PoolingMode::WeightedMean], false, 1), [22.0 / 5.0, 80.0 / 5.0]);
        // Nothing but prompt.
        assert_eq!(pooled(&[PoolingMode::Mean], false, 3), [3.0, 10.0]);
    }
}
