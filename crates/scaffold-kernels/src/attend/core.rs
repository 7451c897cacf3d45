//! Queries that share their keys and values, block by block.

use std::ops::Range;

use super::{BLOCK, CHUNK};
use crate::{
    cpu::Cpu,
    level::Level,
    math::{exp_of_negative, tanh},
    simd::{Kernel, Simd},
};

/// Where blocks of keys and values come from.
pub(super) trait Keys {
    /// Writes the keys and values of some positions (from a multiple of [`BLOCK`] on, at most that
    /// many) as f32: keys transposed, `keys[d]` holding value d of all positions, values as rows
    /// filled up to a multiple of 16.
    fn read(
        &self,
        cpu: Cpu,
        positions: Range<usize>,
        keys: &mut [[[f32; 16]; 4]],
        values: &mut [f32],
    );
}

/// One query and the positions that it sees.
#[derive(Clone, Copy)]
pub(super) struct Query<'a> {
    pub(super) values: &'a [f32],
    /// First position that is seen.
    pub(super) low: usize,
    /// End of the positions that are seen; above `low`.
    pub(super) high: usize,
    /// Added to the scaled product with the key at position j: entry j.
    pub(super) bias: Option<&'a [f32]>,
}

/// What all queries of a call share.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    pub(super) scale: f32,
    pub(super) softcap: Option<f32>,
    pub(super) k_dim: usize,
    /// Values of a value head, filled up to a multiple of 16.
    pub(super) v_width: usize,
}

/// The state of one query: largest score, sum of weights, weighted sum of values.
pub(super) const fn state_len(v_width: usize) -> usize {
    v_width + 16
}

/// Floats of working memory for `queries` queries.
pub(super) const fn scratch_len(rules: &Rules, queries: usize) -> usize {
    BLOCK * (rules.k_dim + rules.v_width) + MAX_TILE * BLOCK + queries * state_len(rules.v_width)
}

/// Most queries of a register tile.
const MAX_TILE: usize = 6;

/// Resets a state to "nothing seen".
fn clear(state: &mut [f32]) {
    state.fill(0.0);
    state[0] = f32::NEG_INFINITY;
}

/// Runs all queries over all chunks that any of them sees, and leaves each query's merged state
/// in `totals` (`[queries][state_len]`).
pub(super) fn run<K: Keys>(
    cpu: Cpu,
    rules: &Rules,
    keys: &K,
    queries: &[Query<'_>],
    scratch: &mut [f32],
    totals: &mut [f32],
) {
    let len = state_len(rules.v_width);
    let low = queries.iter().map(|q| q.low).min().unwrap_or(0);
    let high = queries.iter().map(|q| q.high).max().unwrap_or(0);
    totals.chunks_exact_mut(len).for_each(clear);
    let states_at = scratch.len() - queries.len() * len;
    for chunk in low / CHUNK..high.div_ceil(CHUNK) {
        run_chunk(cpu, rules, keys, queries, chunk, scratch);
        let states = scratch[states_at..].chunks_exact(len);
        for (total, state) in totals.chunks_exact_mut(len).zip(states) {
            cpu.run(Merge { total, state });
        }
    }
}

/// Runs all queries over one chunk; their states are the last part of `scratch`.
pub(super) fn run_chunk<K: Keys>(
    cpu: Cpu,
    rules: &Rules,
    keys: &K,
    queries: &[Query<'_>],
    chunk: usize,
    scratch: &mut [f32],
) {
    let len = state_len(rules.v_width);
    let (key_block, rest) = scratch.split_at_mut(BLOCK * rules.k_dim);
    let (value_block, rest) = rest.split_at_mut(BLOCK * rules.v_width);
    let (weights, states) = rest.split_at_mut(MAX_TILE * BLOCK);
    let key_block: &mut [[[f32; 16]; 4]] = bytemuck::cast_slice_mut(key_block);
    let weights: &mut [[[f32; 16]; 4]] = bytemuck::cast_slice_mut(weights);
    states.chunks_exact_mut(len).for_each(clear);

    let low = queries.iter().map(|q| q.low).min().unwrap_or(0).max(chunk * CHUNK);
    let high = queries.iter().map(|q| q.high).max().unwrap_or(0).min((chunk + 1) * CHUNK);
    let tile = if matches!(cpu.level(), Level::Avx512Vnni | Level::Amx) { MAX_TILE } else { 1 };
    // Tiles of nearly the same size: two of four queries take less time than one of six and one of
    // two.
    let each = queries.len().div_ceil(queries.len().div_ceil(tile));
    for first in (low / BLOCK * BLOCK..high).step_by(BLOCK) {
        let positions = first..high.min(first + BLOCK);
        keys.read(cpu, positions.clone(), key_block, value_block);
        for (queries, states) in queries.chunks(each).zip(states.chunks_mut(each * len)) {
            if !queries.iter().any(|q| q.low < positions.end && q.high > positions.start) {
                continue;
            }
            let positions = positions.clone();
            let step =
                Step { rules, positions, keys: key_block, values: value_block, weights, states };
            run_step(cpu, step, queries);
        }
    }
}

/// One block of keys and values for a few queries.
struct Step<'a> {
    rules: &'a Rules,
    positions: Range<usize>,
    keys: &'a [[[f32; 16]; 4]],
    values: &'a [f32],
    weights: &'a mut [[[f32; 16]; 4]],
    states: &'a mut [f32],
}

/// Runs a step for all of its queries. Inlined, so that small heads do not pay for a call through a
/// pointer.
#[inline(always)]
fn run_step(cpu: Cpu, step: Step<'_>, queries: &[Query<'_>]) {
    const { assert!(MAX_TILE == 6, "every number of queries needs an arm") }
    for_width!(queries.len(), "queries", T => {
        cpu.run(StepKernel::<T>(step, exactly(queries)));
    });
}

/// All of the queries, which have to be `T`.
#[inline(always)]
fn exactly<'a, 'q, const T: usize>(queries: &'a [Query<'q>]) -> &'a [Query<'q>; T] {
    queries.try_into().expect("as many as were counted")
}

/// The same for a known number of queries.
struct StepKernel<'a, 'q, const T: usize>(Step<'a>, &'a [Query<'q>; T]);

impl<const T: usize> Kernel for StepKernel<'_, '_, T> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        if S::REGISTERS < 32 && T > 1 {
            unreachable!("only wide register files take several queries at a time");
        }
        let Step { rules, positions, keys, values, weights, states } = self.0;
        let queries = self.1;
        let values = Values { rows: values, width: rules.v_width, count: positions.len() };
        scores(s, queries, keys, weights);
        soften(s, rules, queries, &positions, weights, states);
        accumulate::<S, T>(s, weights, values, states);
    }
}

/// Dot products of each query with the block's keys.
#[inline(always)]
fn scores<S: Simd, const T: usize>(
    s: S,
    queries: &[Query<'_>; T],
    keys: &[[[f32; 16]; 4]],
    out: &mut [[[f32; 16]; 4]],
) {
    let mut dots = [[s.splat(0.0); 4]; T];
    let mut values: [&[f32]; T] = [&[]; T];
    for t in 0..T {
        values[t] = &queries[t].values[..keys.len()];
    }
    for (d, key) in keys.iter().enumerate() {
        let key = [s.load(&key[0]), s.load(&key[1]), s.load(&key[2]), s.load(&key[3])];
        for t in 0..T {
            let q = s.splat(values[t][d]);
            for g in 0..4 {
                dots[t][g] = s.mul_add(q, key[g], dots[t][g]);
            }
        }
    }
    for t in 0..T {
        for g in 0..4 {
            s.store(dots[t][g], &mut out[t][g]);
        }
    }
}

const LANE: [f32; 16] =
    [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0];

/// Turns dot products into weights and updates each query's maximum and sum. `state[2]` is left
/// with the factor for what was accumulated before.
#[inline(always)]
fn soften<S: Simd, const T: usize>(
    s: S,
    rules: &Rules,
    queries: &[Query<'_>; T],
    positions: &Range<usize>,
    weights: &mut [[[f32; 16]; 4]],
    states: &mut [f32],
) {
    const { assert!(T <= 16, "one query a lane") }
    let len = state_len(rules.v_width);
    let (mut before, mut largest) = ([0.0; 16], [0.0; 16]);
    for (t, query) in queries.iter().enumerate() {
        before[t] = states[t * len];
        let seen = seen_scores(s, rules, query, positions, &mut weights[t]);
        largest[t] = before[t].max(seen);
    }
    let mut fade = [0.0; 16];
    let drop = s.sub(s.load(&before), s.load(&largest));
    s.store(exp_of_negative(s, drop), &mut fade);
    for t in 0..T {
        let state = &mut states[t * len..(t + 1) * len];
        if largest[t] == f32::NEG_INFINITY {
            // Nothing seen so far.
            weights[t] = [[0.0; 16]; 4];
            state[2] = 1.0;
            continue;
        }
        let mut sum = s.splat(0.0);
        for weight in &mut weights[t] {
            let e = exp_of_negative(s, s.sub(s.load(weight), s.splat(largest[t])));
            s.store(e, weight);
            sum = s.add(sum, e);
        }
        state[0] = largest[t];
        state[1] = state[1].mul_add(fade[t], s.sum(sum));
        state[2] = fade[t];
    }
}

/// Turns a query's dot products into scores, minus infinity where it does not see, and returns the
/// largest.
#[inline(always)]
fn seen_scores<S: Simd>(
    s: S,
    rules: &Rules,
    query: &Query<'_>,
    positions: &Range<usize>,
    scores: &mut [[f32; 16]; 4],
) -> f32 {
    let first = positions.start;
    let low = query.low.saturating_sub(first);
    let high = query.high.saturating_sub(first).min(positions.len());
    let plain = rules.softcap.is_none() && query.bias.is_none();
    let all = plain && low == 0 && high == BLOCK;
    let never = s.splat(f32::NEG_INFINITY);
    let (low_lane, high_lane) = (s.splat(low as f32), s.splat(high as f32));
    let mut largest = never;
    for (g, score) in scores.iter_mut().enumerate() {
        let mut x = s.mul(s.load(score), s.splat(rules.scale));
        if !all {
            if let Some(cap) = rules.softcap {
                x = s.mul(tanh(s, s.div(x, s.splat(cap))), s.splat(cap));
            }
            if let Some(bias) = query.bias {
                x = s.add(x, s.load(&bias_lanes(bias, first + 16 * g)));
            }
            let lane = s.add(s.load(&LANE), s.splat(16.0 * g as f32));
            x = s.select_lt(lane, high_lane, x, never);
            x = s.select_lt(lane, low_lane, never, x);
        }
        s.store(x, score);
        largest = s.max(largest, x);
    }
    s.largest(largest)
}

/// Sixteen entries from `at`, with zeros past the end.
#[inline(always)]
fn bias_lanes(bias: &[f32], at: usize) -> [f32; 16] {
    let mut lanes = [0.0; 16];
    let rest = bias.get(at..).unwrap_or(&[]);
    let count = rest.len().min(16);
    lanes[..count].copy_from_slice(&rest[..count]);
    lanes
}

#[inline(always)]
fn scalar_exp<S: Simd>(s: S, x: f32) -> f32 {
    let mut lanes = [0.0; 16];
    s.store(exp_of_negative(s, s.splat(x)), &mut lanes);
    lanes[0]
}

/// The values of a block: `count` rows, `width` wide.
#[derive(Clone, Copy)]
struct Values<'a> {
    rows: &'a [f32],
    width: usize,
    count: usize,
}

/// Adds the block's weighted values to each state.
#[inline(always)]
fn accumulate<S: Simd, const T: usize>(
    s: S,
    weights: &[[[f32; 16]; 4]],
    values: Values<'_>,
    states: &mut [f32],
) {
    let weights: &[[f32; BLOCK]] = bytemuck::cast_slice(weights);
    let mut column = 0;
    while column < values.width {
        if values.width - column >= 64 {
            columns::<S, T, 4>(s, weights, values, column, states);
            column += 64;
        } else {
            columns::<S, T, 1>(s, weights, values, column, states);
            column += 16;
        }
    }
}

/// `16 * C` columns of the weighted values.
#[inline(always)]
fn columns<S: Simd, const T: usize, const C: usize>(
    s: S,
    weights: &[[f32; BLOCK]],
    values: Values<'_>,
    column: usize,
    states: &mut [f32],
) {
    let len = state_len(values.width);
    let mut sums = [[s.splat(0.0); C]; T];
    for t in 0..T {
        let state = &states[t * len..(t + 1) * len];
        let fade = s.splat(state[2]);
        let old = state[16 + column..].as_chunks::<16>().0;
        for c in 0..C {
            sums[t][c] = s.mul(s.load(&old[c]), fade);
        }
    }
    for (j, row) in values.rows.chunks_exact(values.width).take(values.count).enumerate() {
        let row = &row[column..].as_chunks::<16>().0[..C];
        for c in 0..C {
            let value = s.load(&row[c]);
            for t in 0..T {
                sums[t][c] = s.mul_add(s.splat(weights[t][j]), value, sums[t][c]);
            }
        }
    }
    for t in 0..T {
        let state = &mut states[t * len..(t + 1) * len];
        let new = state[16 + column..].as_chunks_mut::<16>().0;
        for c in 0..C {
            s.store(sums[t][c], &mut new[c]);
        }
    }
}

/// Merges the state of one more chunk into the total.
pub(super) struct Merge<'a> {
    pub(super) total: &'a mut [f32],
    pub(super) state: &'a [f32],
}

impl Kernel for Merge<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { total, state } = self;
        if state[0] == f32::NEG_INFINITY {
            return;
        }
        if total[0] == f32::NEG_INFINITY {
            total.copy_from_slice(state);
            return;
        }
        let largest = total[0].max(state[0]);
        let (old, new) = (scalar_exp(s, total[0] - largest), scalar_exp(s, state[0] - largest));
        total[0] = largest;
        total[1] = (total[1] * old) + (state[1] * new);
        let sums = total[16..].as_chunks_mut::<16>().0;
        for (sum, more) in sums.iter_mut().zip(state[16..].as_chunks::<16>().0) {
            let faded = s.mul(s.load(sum), s.splat(old));
            s.store(s.mul_add(s.load(more), s.splat(new), faded), sum);
        }
    }
}

/// Writes the attention output of a merged state.
pub(super) fn finish(total: &[f32], out: &mut [f32]) {
    let inverse = 1.0 / total[1];
    for (out, sum) in out.iter_mut().zip(&total[16..]) {
        *out = sum * inverse;
    }
}

#[cfg(test)]
mod tests;
