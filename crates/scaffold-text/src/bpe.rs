//! Byte-pair merging: symbols of a word are joined, lowest rank first, until no known pair is left.
//!
//! Sennrich et al., "Neural Machine Translation of Rare Words with Subword Units" (2016), over
//! bytes as in GPT-2.

pub(crate) mod alphabet;
pub(crate) mod cache;
#[cfg(test)]
mod tests;

use ahash::RandomState;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

/// Words of at most this many symbols are merged by looking through all pairs, longer ones with a
/// heap.
const SHORT: usize = 48;
const NONE: u32 = u32::MAX;

/// What two neighbours become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Merge {
    rank: u32,
    id: u32,
}

const NO_MERGE: Merge = Merge { rank: NONE, id: NONE };

/// The table of merges.
#[derive(Debug, Default)]
pub(crate) struct Merges {
    pairs: HashMap<u64, Merge, RandomState>,
}

impl Merges {
    pub(crate) fn with_capacity(pairs: usize) -> Self {
        Merges { pairs: HashMap::with_capacity_and_hasher(pairs, RandomState::new()) }
    }

    /// Adds the merge of `left` and `right` into `id`. A pair that is named again takes its last
    /// rank, as in `tokenizers`.
    pub(crate) fn insert(&mut self, left: u32, right: u32, rank: u32, id: u32) {
        self.pairs.insert(key(left, right), Merge { rank, id });
    }

    fn get(&self, left: u32, right: u32) -> Merge {
        self.pairs.get(&key(left, right)).copied().unwrap_or(NO_MERGE)
    }

    /// Merges `symbols` in place as far as the table goes; among equal ranks the leftmost pair is
    /// first.
    pub(crate) fn apply(&self, symbols: &mut Vec<u32>, scratch: &mut Scratch) {
        if symbols.len() <= SHORT {
            self.apply_short(symbols, &mut scratch.merges);
        } else {
            self.apply_long(symbols, scratch);
        }
    }

    fn apply_short(&self, symbols: &mut Vec<u32>, merges: &mut Vec<Merge>) {
        merges.clear();
        merges.extend(symbols.windows(2).map(|pair| self.get(pair[0], pair[1])));
        loop {
            let mut best = NO_MERGE;
            let mut at = 0;
            for (index, merge) in merges.iter().enumerate() {
                if merge.rank < best.rank {
                    best = *merge;
                    at = index;
                }
            }
            if best.rank == NONE {
                return;
            }
            symbols[at] = best.id;
            symbols.remove(at + 1);
            merges.remove(at);
            if at > 0 {
                merges[at - 1] = self.get(symbols[at - 1], symbols[at]);
            }
            if at < merges.len() {
                merges[at] = self.get(symbols[at], symbols[at + 1]);
            }
        }
    }

    fn apply_long(&self, symbols: &mut Vec<u32>, scratch: &mut Scratch) {
        let Scratch { next, prev, heap, .. } = scratch;
        let count = symbols.len();
        next.clear();
        next.extend(1..=count as u32);
        prev.clear();
        prev.extend((0..count as u32).map(|at| at.wrapping_sub(1)));
        heap.clear();
        let push = |heap: &mut BinaryHeap<_>, symbols: &[u32], at: u32, right: u32| {
            let merge = self.get(symbols[at as usize], symbols[right as usize]);
            if merge.rank != NONE {
                heap.push(Reverse((merge.rank, at, merge.id)));
            }
        };
        for at in 1..count as u32 {
            push(heap, symbols, at - 1, at);
        }
        while let Some(Reverse((rank, at, id))) = heap.pop() {
            let right = next[at as usize];
            if symbols[at as usize] == NONE || right as usize >= count {
                continue;
            }
            if self.get(symbols[at as usize], symbols[right as usize]) != (Merge { rank, id }) {
                continue;
            }
            symbols[at as usize] = id;
            symbols[right as usize] = NONE;
            let after = next[right as usize];
            next[at as usize] = after;
            if (after as usize) < count {
                prev[after as usize] = at;
                push(heap, symbols, at, after);
            }
            let before = prev[at as usize];
            if before != NONE {
                push(heap, symbols, before, at);
            }
        }
        symbols.retain(|&id| id != NONE);
    }
}

fn key(left: u32, right: u32) -> u64 {
    u64::from(left) << 32 | u64::from(right)
}

/// Buffers of [`Merges::apply`], reused from word to word.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    merges: Vec<Merge>,
    next: Vec<u32>,
    prev: Vec<u32>,
    heap: BinaryHeap<Reverse<(u32, u32, u32)>>,
}
