//! Attention within a sequence so short that one register holds the scores of a row: most of the
//! general kernel's registers would hold nothing.

use super::core::Query;
use crate::{
    math::exp,
    simd::{Kernel, Simd},
};

/// The longest such sequence.
pub(super) const LONGEST: usize = 16;

/// Rows that share the loads of keys and values.
const ROWS: usize = 4;

/// One head of one sequence of at most [`LONGEST`] rows.
pub(super) struct Short<'a, 'q> {
    /// Each row, and what it sees.
    pub(super) queries: &'a [Query<'q>],
    pub(super) scale: f32,
    /// Where the sequence's keys and values of the head start.
    pub(super) k: &'a [f32],
    pub(super) v: &'a [f32],
    /// From one row of keys to the next.
    pub(super) stride: usize,
    /// A multiple of 16.
    pub(super) head_dim: usize,
    /// Working memory: a register for each value of a head.
    pub(super) keys: &'a mut [f32],
    /// `[rows, head_dim]`.
    pub(super) out: &'a mut [f32],
}

impl Kernel for Short<'_, '_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { queries, scale, k, v, stride, head_dim, keys, out } = self;
        let count = queries.len();
        let keys = &mut keys.as_chunks_mut::<16>().0[..head_dim];
        for j in 0..count {
            for (key, value) in keys.iter_mut().zip(&k[j * stride..][..head_dim]) {
                key[j] = *value;
            }
        }
        for key in keys.iter_mut() {
            key[count..].fill(0.0);
        }
        for first in (0..count).step_by(ROWS) {
            // Rows past the end repeat the last and are not written.
            let row = |t: usize| (first + t).min(count - 1);
            let mut dots = [s.splat(0.0); ROWS];
            let values: [&[f32]; ROWS] =
                std::array::from_fn(|t| &queries[row(t)].values[..head_dim]);
            for (d, key) in keys.iter().enumerate() {
                let key = s.load(key);
                for t in 0..ROWS {
                    dots[t] = s.mul_add(s.splat(values[t][d]), key, dots[t]);
                }
            }
            let mut weights = [[0.0; 16]; ROWS];
            let mut sums = [0.0; ROWS];
            for t in 0..ROWS {
                sums[t] = soften(s, &queries[row(t)], scale, dots[t], &mut weights[t]);
            }
            for c in 0..head_dim / 16 {
                let mut total = [s.splat(0.0); ROWS];
                for j in 0..count {
                    let Some(value) = v[j * stride + c * 16..].first_chunk() else {
                        unreachable!("the values of a head are there")
                    };
                    let value = s.load(value);
                    for t in 0..ROWS {
                        total[t] = s.mul_add(s.splat(weights[t][j]), value, total[t]);
                    }
                }
                for t in 0..ROWS.min(count - first) {
                    let inverse = s.splat(1.0 / sums[t]);
                    let at = (first + t) * head_dim + c * 16;
                    if let Some(out) = out[at..].first_chunk_mut() {
                        s.store(s.mul(total[t], inverse), out);
                    }
                }
            }
        }
    }
}

const LANE: [f32; 16] =
    [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0];

/// Turns a row's dot products into weights, and returns their sum.
#[inline(always)]
fn soften<S: Simd>(
    s: S,
    query: &Query<'_>,
    scale: f32,
    dots: S::F,
    weights: &mut [f32; 16],
) -> f32 {
    let mut score = s.mul(dots, s.splat(scale));
    if let Some(bias) = query.bias {
        let mut lanes = [0.0; 16];
        lanes[..bias.len()].copy_from_slice(bias);
        score = s.add(score, s.load(&lanes));
    }
    let never = s.splat(f32::NEG_INFINITY);
    let lane = s.load(&LANE);
    score = s.select_lt(lane, s.splat(query.high as f32), score, never);
    score = s.select_lt(lane, s.splat(query.low as f32), never, score);
    let largest = s.splat(s.largest(score));
    let weight = exp(s, s.sub(score, largest));
    s.store(weight, weights);
    s.sum(weight)
}
