//! The BPE of SentencePiece: neighbours whose joint text is a piece are merged, highest score
//! first.

use super::{Found, PieceKind, SentencePiece};
use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};

const NONE: u32 = u32::MAX;

#[derive(Clone, Copy)]
struct Symbol {
    prev: u32,
    next: u32,
    start: u32,
    end: u32,
    /// A user-defined piece merges with nothing.
    frozen: bool,
}

/// Two neighbours that could be one piece.
struct Candidate {
    score: f32,
    left: u32,
    right: u32,
    length: u32,
}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        self.score.total_cmp(&other.score).then(other.left.cmp(&self.left))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Candidate {}

struct Merger<'a> {
    model: &'a SentencePiece,
    line: &'a str,
    symbols: Vec<Symbol>,
    agenda: BinaryHeap<Candidate>,
    /// What unused pieces were merged from: they are taken apart again at the end.
    parts: HashMap<(u32, u32), u32>,
}

/// The pieces of a normalized line.
pub(super) fn encode(model: &SentencePiece, line: &str) -> Vec<Found> {
    let mut merger = Merger {
        model,
        line,
        symbols: symbols(model, line),
        agenda: BinaryHeap::new(),
        parts: HashMap::new(),
    };
    for right in 1..merger.symbols.len() as u32 {
        merger.consider(right - 1, right);
    }
    merger.run();
    merger.found()
}

fn symbols(model: &SentencePiece, line: &str) -> Vec<Symbol> {
    let mut out: Vec<Symbol> = Vec::with_capacity(line.len());
    let mut at = 0;
    while at < line.len() {
        let protected = model.normalizer.protected(line, at);
        let end =
            protected.unwrap_or_else(|| at + line[at..].chars().next().map_or(1, char::len_utf8));
        let index = out.len() as u32;
        out.push(Symbol {
            prev: index.wrapping_sub(1),
            next: if end < line.len() { index + 1 } else { NONE },
            start: at as u32,
            end: end as u32,
            frozen: protected.is_some(),
        });
        at = end;
    }
    out
}

impl Merger<'_> {
    fn consider(&mut self, left: u32, right: u32) {
        if left == NONE || right == NONE {
            return;
        }
        let (l, r) = (self.symbols[left as usize], self.symbols[right as usize]);
        if l.frozen || r.frozen {
            return;
        }
        let Some(&id) = self.model.index.get(&self.line[l.start as usize..r.end as usize]) else {
            return;
        };
        let piece = &self.model.pieces[id as usize];
        self.agenda.push(Candidate { score: piece.score, left, right, length: r.end - l.start });
        if piece.kind == PieceKind::Unused {
            self.parts.insert((l.start, r.end), l.end);
        }
    }

    fn run(&mut self) {
        while let Some(top) = self.agenda.pop() {
            let (left, right) = (self.symbols[top.left as usize], self.symbols[top.right as usize]);
            let alive = left.start < left.end && right.start < right.end;
            if !alive || (left.end - left.start) + (right.end - right.start) != top.length {
                continue;
            }
            self.symbols[top.left as usize].end = right.end;
            self.symbols[top.left as usize].next = right.next;
            self.symbols[top.right as usize].end = right.start;
            if right.next != NONE {
                self.symbols[right.next as usize].prev = top.left;
            }
            self.consider(left.prev, top.left);
            self.consider(top.left, right.next);
        }
    }

    fn found(&self) -> Vec<Found> {
        let mut out = Vec::new();
        let mut at = if self.symbols.is_empty() { NONE } else { 0 };
        while at != NONE {
            let symbol = self.symbols[at as usize];
            self.emit(symbol.start, symbol.end, &mut out);
            at = symbol.next;
        }
        out
    }

    /// A piece, or what an unused piece was merged from.
    fn emit(&self, start: u32, end: u32, out: &mut Vec<Found>) {
        let mut stack = vec![(start, end)];
        while let Some((start, end)) = stack.pop() {
            let text = &self.line[start as usize..end as usize];
            let id = self.model.index.get(text).copied();
            let unused =
                id.is_some_and(|id| self.model.pieces[id as usize].kind == PieceKind::Unused);
            match self.parts.get(&(start, end)) {
                Some(&middle) if unused => {
                    stack.push((middle, end));
                    stack.push((start, middle));
                }
                _ => out.push(Found {
                    id: id.unwrap_or(self.model.unknown),
                    start: start as usize,
                    end: end as usize,
                }),
            }
        }
    }
}
