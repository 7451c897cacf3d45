//! Attention over the KV store: each row sees its own position and those before.

use std::ops::Range;

use super::{
    CHUNK,
    core::{Keys, Merge, Query, Rules, finish, run, run_chunk, scratch_len, state_len},
};
use crate::{
    cpu::Cpu,
    exec::Exec,
    kv::{KEYS, KvStore, Place},
    scratch::Scratch,
    shared::SharedMut,
    spans::AttendSpan,
};

/// What the heads of an [`attend`] call share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AttendParams {
    /// Query heads; a multiple of the store's key and value heads.
    pub heads: usize,
    /// Factor for the dot products, usually `1 / sqrt(k_dim)`.
    pub scale: f32,
    /// Scaled products are squeezed to ±cap by `cap * tanh(x / cap)`.
    pub softcap: Option<f32>,
    /// Each row sees this many positions, its own included; the others are never touched.
    pub window: Option<usize>,
}

/// Causal attention: queries `q` (`[m, heads, k_dim]`) over the stored keys and values of their
/// sequences; `out` is `[m, heads, v_dim]`. The rows of all spans follow each other, and their own
/// keys and values have been written already. Query head h reads key and value head
/// `h / (heads / kv_heads)`.
///
/// # Panics
/// If sizes do not fit, a block table is too short, or the window is 0.
pub fn attend(
    exec: &Exec,
    kv: &KvStore,
    layer: usize,
    q: &[f32],
    spans: &[AttendSpan<'_>],
    params: &AttendParams,
    out: &mut [f32],
) {
    let shape = kv.shape();
    let rows: usize = spans.iter().map(|span| span.rows).sum();
    assert!(
        params.heads > 0 && params.heads.is_multiple_of(shape.kv_heads),
        "{} query heads over {}",
        params.heads,
        shape.kv_heads
    );
    assert!(params.window != Some(0), "a window of 0 positions sees nothing");
    assert_eq!(q.len(), rows * params.heads * shape.k_dim, "queries of {rows} rows");
    assert_eq!(out.len(), rows * params.heads * shape.v_dim, "outputs of {rows} rows");
    kv.check(layer, spans);
    if rows == 0 {
        return;
    }
    let call = Call {
        kv,
        layer,
        q,
        params,
        group: params.heads / shape.kv_heads,
        rules: Rules {
            scale: params.scale,
            softcap: params.softcap,
            k_dim: shape.k_dim,
            v_width: shape.v_dim.next_multiple_of(16),
        },
    };
    let out = SharedMut::new(out);
    let rows_each = (QUERIES / call.group).max(1);
    let pieces = spans.iter().map(|span| span.rows.div_ceil(rows_each)).sum::<usize>();
    let longest = spans.iter().map(|span| span.start + span.rows).max().unwrap_or(0);
    if pieces * shape.kv_heads < 2 * exec.team.threads()
        && longest > CHUNK
        && exec.team.threads() > 1
    {
        return call.by_chunks(exec, spans, rows, longest.div_ceil(CHUNK), &out);
    }
    exec.team.run(pieces * shape.kv_heads, &|index| {
        let (span, row, first, count) = locate(spans, index / shape.kv_heads, rows_each);
        let piece = Piece {
            cpu: exec.cpu,
            call: &call,
            span,
            row,
            first,
            count,
            head: index % shape.kv_heads,
            out: &out,
        };
        piece.run();
    });
}

/// Queries that a task takes through the keys together.
const QUERIES: usize = 96;
/// Most queries of a task: one row of a model with a single key head may have more than `QUERIES`.
const MOST: usize = 128;

/// The span of a piece, the span's first row in the batch, and the piece's rows within the span.
fn locate<'a>(
    spans: &[AttendSpan<'a>],
    mut piece: usize,
    rows_each: usize,
) -> (AttendSpan<'a>, usize, usize, usize) {
    let mut row = 0;
    for span in spans {
        let pieces = span.rows.div_ceil(rows_each);
        if piece < pieces {
            let first = piece * rows_each;
            return (*span, row, first, rows_each.min(span.rows - first));
        }
        piece -= pieces;
        row += span.rows;
    }
    unreachable!("every piece lies in a span")
}

struct Call<'a> {
    kv: &'a KvStore,
    layer: usize,
    q: &'a [f32],
    params: &'a AttendParams,
    /// Query heads for each key head.
    group: usize,
    rules: Rules,
}

impl<'a> Call<'a> {
    /// The query of head `head * group + offset` in batch row `row` at `position`.
    fn query(&self, row: usize, position: usize, head: usize, offset: usize) -> Query<'a> {
        let start = (row * self.params.heads + head * self.group + offset) * self.rules.k_dim;
        let high = position + 1;
        Query {
            values: &self.q[start..start + self.rules.k_dim],
            low: self.params.window.map_or(0, |window| high.saturating_sub(window)),
            high,
            bias: None,
        }
    }

    /// Few rows with much to read: every chunk of keys is a task of its own.
    fn by_chunks(
        &self,
        exec: &Exec,
        spans: &[AttendSpan<'_>],
        rows: usize,
        chunks: usize,
        out: &SharedMut<'_, f32>,
    ) {
        let kv_heads = self.kv.shape().kv_heads;
        let len = state_len(self.rules.v_width);
        let states_each = self.group * len;
        let mut states = Scratch::take(rows * kv_heads * chunks * states_each);
        {
            let shared = SharedMut::new(&mut states);
            exec.team.run(rows * kv_heads * chunks, &|index| {
                let (row, head, chunk) =
                    (index / chunks / kv_heads, index / chunks % kv_heads, index % chunks);
                let (span, _, first, _) = locate(spans, row, 1);
                // SAFETY: every task has states of its own.
                let states =
                    unsafe { shared.range(index * states_each..(index + 1) * states_each) };
                let one = OneChunk {
                    cpu: exec.cpu,
                    call: self,
                    span,
                    row,
                    position: span.start + first,
                    head,
                    chunk,
                    states,
                };
                one.run();
            });
        }
        let combine = Combine { cpu: exec.cpu, call: self, chunks, states: &mut states, out };
        combine.run();
    }
}

/// Some rows of a span, all query heads of one key head.
struct Piece<'a> {
    cpu: Cpu,
    call: &'a Call<'a>,
    span: AttendSpan<'a>,
    /// The span's first row in the batch.
    row: usize,
    first: usize,
    count: usize,
    head: usize,
    out: &'a SharedMut<'a, f32>,
}

impl Piece<'_> {
    fn run(&self) {
        let call = self.call;
        let len = state_len(call.rules.v_width);
        let v_dim = call.kv.shape().v_dim;
        let keys = Stored {
            kv: call.kv,
            layer: call.layer,
            head: self.head,
            blocks: self.span.blocks,
            end: self.span.start + self.first + self.count,
        };
        let total = self.count * call.group;
        let mut start = 0;
        while start < total {
            let count = MOST.min(total - start);
            let mut queries = [Query { values: &[], low: 0, high: 0, bias: None }; MOST];
            for (i, query) in queries[..count].iter_mut().enumerate() {
                let (row, offset) =
                    (self.first + (start + i) / call.group, (start + i) % call.group);
                *query = call.query(self.row + row, self.span.start + row, self.head, offset);
            }
            let mut totals = Scratch::take(count * len);
            let mut scratch = Scratch::take(scratch_len(&call.rules, count));
            run(self.cpu, &call.rules, &keys, &queries[..count], &mut scratch, &mut totals);
            for (i, total) in totals.chunks_exact(len).enumerate() {
                let (row, offset) =
                    (self.first + (start + i) / call.group, (start + i) % call.group);
                let at = ((self.row + row) * call.params.heads + self.head * call.group + offset)
                    * v_dim;
                // SAFETY: each row and query head belongs to one task.
                finish(total, unsafe { self.out.range(at..at + v_dim) });
            }
            start += count;
        }
    }
}

/// One row, the query heads of one key head, one chunk of keys.
struct OneChunk<'a> {
    cpu: Cpu,
    call: &'a Call<'a>,
    span: AttendSpan<'a>,
    row: usize,
    position: usize,
    head: usize,
    chunk: usize,
    states: &'a mut [f32],
}

impl OneChunk<'_> {
    fn run(self) {
        let call = self.call;
        let len = state_len(call.rules.v_width);
        let keys = Stored {
            kv: call.kv,
            layer: call.layer,
            head: self.head,
            blocks: self.span.blocks,
            end: self.position + 1,
        };
        let mut start = 0;
        while start < call.group {
            let count = MOST.min(call.group - start);
            let mut queries = [Query { values: &[], low: 0, high: 0, bias: None }; MOST];
            for (i, query) in queries[..count].iter_mut().enumerate() {
                *query = call.query(self.row, self.position, self.head, start + i);
            }
            let mut scratch = Scratch::take(scratch_len(&call.rules, count));
            run_chunk(self.cpu, &call.rules, &keys, &queries[..count], self.chunk, &mut scratch);
            let states_at = scratch.len() - count * len;
            self.states[start * len..(start + count) * len].copy_from_slice(&scratch[states_at..]);
            start += count;
        }
    }
}

/// Merges the chunks of every row and head, in order.
struct Combine<'a> {
    cpu: Cpu,
    call: &'a Call<'a>,
    chunks: usize,
    /// `[rows][kv heads][chunks][group][state]`.
    states: &'a mut [f32],
    out: &'a SharedMut<'a, f32>,
}

impl Combine<'_> {
    fn run(self) {
        let len = state_len(self.call.rules.v_width);
        let (group, v_dim) = (self.call.group, self.call.kv.shape().v_dim);
        for (pair, states) in self.states.chunks_exact_mut(self.chunks * group * len).enumerate() {
            let (totals, others) = states.split_at_mut(group * len);
            for (offset, total) in totals.chunks_exact_mut(len).enumerate() {
                for chunk in others.chunks_exact(group * len) {
                    let state = &chunk[offset * len..(offset + 1) * len];
                    self.cpu.run(Merge { total: &mut *total, state });
                }
                let at = (pair * group + offset) * v_dim;
                // SAFETY: each row and query head is written once.
                finish(total, unsafe { self.out.range(at..at + v_dim) });
            }
        }
    }
}

/// One head's keys and values of one sequence.
struct Stored<'a> {
    kv: &'a KvStore,
    layer: usize,
    head: usize,
    blocks: &'a [u32],
    /// End of the positions that are read.
    end: usize,
}

impl Stored<'_> {
    /// Where the 16 positions from this one lie.
    #[inline(always)]
    fn place(&self, position: usize) -> Place {
        let block_tokens = self.kv.shape().block_tokens;
        Place {
            layer: self.layer,
            head: self.head,
            block: self.blocks[position / block_tokens],
            first: position % block_tokens,
        }
    }
}

impl Keys for Stored<'_> {
    fn read(
        &self,
        cpu: Cpu,
        positions: Range<usize>,
        keys: &mut [[[f32; 16]; 4]],
        values: &mut [f32],
    ) {
        let group_values = values.len() / super::BLOCK * KEYS;
        for (at, values) in
            values.chunks_exact_mut(group_values).enumerate().take(positions.len().div_ceil(KEYS))
        {
            let position = positions.start + at * KEYS;
            let next = position + KEYS;
            if next < self.end {
                self.kv.ask(cpu, self.place(next));
            }
            self.kv.read(cpu, self.place(position), keys, at, values);
        }
    }
}
