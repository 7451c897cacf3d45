//! Attention of encoders: each row of a sequence sees all of them.

use std::ops::Range;

use super::{
    BLOCK,
    core::{Keys, Query, Rules, finish, run, scratch_len, state_len},
    short::{self, Short},
};
use crate::{cpu::Cpu, exec::Exec, scratch::Scratch, shared::SharedMut};

/// A bias that depends on how far a key lies from its query (T5, MPNet).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DistanceBias<'a> {
    /// `[heads, 2 * reach + 1]`: entry `reach + (key - query)` of each head.
    pub values: &'a [f32],
    /// The largest distance in the table; every sequence is at most `reach + 1` long.
    pub reach: usize,
}

/// Sizes and rules of an [`attend_bidirectional`] call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BidirectionalParams<'a> {
    /// Query heads; a multiple of `kv_heads`.
    pub heads: usize,
    /// Key and value heads.
    pub kv_heads: usize,
    /// Values of a head, in queries, keys and values alike.
    pub head_dim: usize,
    /// Factor for the dot products, usually `1 / sqrt(head_dim)`.
    pub scale: f32,
    /// Added to the scaled products.
    pub bias: Option<DistanceBias<'a>>,
    /// Each row sees the keys at most this far away on either side.
    pub window: Option<usize>,
}

/// Attention within each of several sequences whose rows follow each other without padding.
///
/// `q` is `[m, heads, head_dim]`, `k` and `v` are `[m, kv_heads, head_dim]`, `out` is as `q`, and
/// `lengths` gives each sequence's rows, m in all.
///
/// # Panics
/// If sizes do not fit or a sequence is longer than the bias reaches.
pub fn attend_bidirectional(
    exec: &Exec,
    [q, k, v]: [&[f32]; 3],
    lengths: &[usize],
    params: &BidirectionalParams<'_>,
    out: &mut [f32],
) {
    let rows: usize = lengths.iter().sum();
    let BidirectionalParams { heads, kv_heads, head_dim, .. } = *params;
    assert!(kv_heads > 0 && heads.is_multiple_of(kv_heads), "{heads} query heads over {kv_heads}");
    assert_eq!(q.len(), rows * heads * head_dim, "queries of {rows} rows");
    assert_eq!(k.len(), rows * kv_heads * head_dim, "keys of {rows} rows");
    assert_eq!(v.len(), k.len(), "values of {rows} rows");
    assert_eq!(out.len(), q.len(), "outputs of {rows} rows");
    if let Some(bias) = &params.bias {
        assert_eq!(
            bias.values.len(),
            heads * (2 * bias.reach + 1),
            "a bias for each head and distance"
        );
        let longest = lengths.iter().copied().max().unwrap_or(0);
        assert!(
            longest <= bias.reach + 1,
            "a sequence of {longest} rows with a bias of reach {}",
            bias.reach
        );
    }
    let out = SharedMut::new(out);
    let pieces: usize = lengths.iter().map(|len| len.div_ceil(ROWS)).sum();
    exec.team.run(pieces * heads, &|index| {
        let (start, len, first) = locate(lengths, index / heads);
        let piece = Piece {
            cpu: exec.cpu,
            q,
            k,
            v,
            params,
            start,
            len,
            first,
            count: ROWS.min(len - first),
            head: index % heads,
            out: &out,
        };
        piece.run();
    });
}

/// Rows that a task takes through the keys together.
const ROWS: usize = 48;

/// A piece's sequence (first row and length) and its first row in there.
fn locate(lengths: &[usize], mut piece: usize) -> (usize, usize, usize) {
    let mut start = 0;
    for &len in lengths {
        let pieces = len.div_ceil(ROWS);
        if piece < pieces {
            return (start, len, piece * ROWS);
        }
        piece -= pieces;
        start += len;
    }
    unreachable!("every piece lies in a sequence")
}

/// Some rows of a sequence, one query head.
struct Piece<'a> {
    cpu: Cpu,
    q: &'a [f32],
    k: &'a [f32],
    v: &'a [f32],
    params: &'a BidirectionalParams<'a>,
    start: usize,
    len: usize,
    first: usize,
    count: usize,
    head: usize,
    out: &'a SharedMut<'a, f32>,
}

impl Piece<'_> {
    fn query(&self, row: usize) -> Query<'_> {
        let BidirectionalParams { heads, head_dim, bias, window, .. } = *self.params;
        let at = ((self.start + row) * heads + self.head) * head_dim;
        let window = window.unwrap_or(self.len);
        Query {
            values: &self.q[at..at + head_dim],
            low: row.saturating_sub(window),
            high: self.len.min(row.saturating_add(window).saturating_add(1)),
            bias: bias.map(|bias| {
                let start = self.head * (2 * bias.reach + 1) + bias.reach - row;
                &bias.values[start..start + self.len]
            }),
        }
    }

    fn run(&self) {
        let BidirectionalParams { heads, kv_heads, head_dim, scale, .. } = *self.params;
        let rules =
            Rules { scale, softcap: None, k_dim: head_dim, v_width: head_dim.next_multiple_of(16) };
        let len = state_len(rules.v_width);
        let from = self.start * kv_heads * head_dim + self.head / (heads / kv_heads) * head_dim;
        let keys =
            Plain { k: &self.k[from..], v: &self.v[from..], stride: kv_heads * head_dim, head_dim };
        let mut queries = [Query { values: &[], low: 0, high: 0, bias: None }; ROWS];
        for (i, query) in queries[..self.count].iter_mut().enumerate() {
            *query = self.query(self.first + i);
        }
        let queries = &queries[..self.count];
        // The path depends on the sequence's own length alone.
        if self.len <= short::LONGEST && head_dim.is_multiple_of(16) {
            return self.run_short(&keys, queries);
        }
        let mut totals = Scratch::take(self.count * len);
        let mut scratch = Scratch::take(scratch_len(&rules, self.count));
        run(self.cpu, &rules, &keys, queries, &mut scratch, &mut totals);
        for (i, total) in totals.chunks_exact(len).enumerate() {
            let at = ((self.start + self.first + i) * heads + self.head) * head_dim;
            // SAFETY: each row and head belongs to one task.
            finish(total, unsafe { self.out.range(at..at + head_dim) });
        }
    }
}

impl Piece<'_> {
    fn run_short(&self, keys: &Plain<'_>, queries: &[Query<'_>]) {
        let BidirectionalParams { heads, head_dim, scale, .. } = *self.params;
        let mut scratch = Scratch::take((short::LONGEST + self.len) * head_dim);
        let (transposed, made) = scratch.split_at_mut(short::LONGEST * head_dim);
        self.cpu.run(Short {
            queries,
            scale,
            k: keys.k,
            v: keys.v,
            stride: keys.stride,
            head_dim,
            keys: transposed,
            out: made,
        });
        for (i, row) in made.chunks_exact(head_dim).enumerate() {
            let at = ((self.start + i) * heads + self.head) * head_dim;
            // SAFETY: each row and head belongs to one task.
            unsafe { self.out.range(at..at + head_dim) }.copy_from_slice(row);
        }
    }
}

/// One head's keys and values of one sequence, as rows.
struct Plain<'a> {
    k: &'a [f32],
    v: &'a [f32],
    stride: usize,
    head_dim: usize,
}

impl Keys for Plain<'_> {
    fn read(
        &self,
        _cpu: Cpu,
        positions: Range<usize>,
        keys: &mut [[[f32; 16]; 4]],
        values: &mut [f32],
    ) {
        let width = values.len() / BLOCK;
        for (j, position) in positions.enumerate() {
            let at = position * self.stride;
            for (key, value) in keys.iter_mut().zip(&self.k[at..at + self.head_dim]) {
                key[j / 16][j % 16] = *value;
            }
            let row = &mut values[j * width..(j + 1) * width];
            row[..self.head_dim].copy_from_slice(&self.v[at..at + self.head_dim]);
            row[self.head_dim..].fill(0.0);
        }
    }
}
