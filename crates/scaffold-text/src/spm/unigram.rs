//! The unigram model: the cut of a line into pieces with the highest sum of scores (Viterbi).
//!
//! Kudo, "Subword Regularization" (2018).

use super::{Found, Piece, PieceKind};

/// How far below the worst piece an unknown character scores.
const UNKNOWN_PENALTY: f32 = 10.0;

/// A trie over the bytes of the pieces, and the scores that depend on all of them.
#[derive(Debug)]
pub(super) struct Lattice {
    nodes: Vec<Node>,
    unknown_score: f32,
}

#[derive(Debug, Default)]
struct Node {
    /// Children as (byte, node), sorted.
    children: Vec<(u8, u32)>,
    piece: Option<u32>,
}

/// The best way to a byte of the line.
#[derive(Clone, Copy)]
struct Best {
    id: u32,
    score: f32,
    from: u32,
}

const UNREACHED: u32 = u32::MAX;

impl Lattice {
    pub(super) fn new(pieces: &[Piece]) -> Self {
        let min_score = pieces
            .iter()
            .filter(|piece| piece.kind == PieceKind::Normal)
            .map(|piece| piece.score)
            .fold(f32::INFINITY, f32::min);
        let mut lattice =
            Lattice { nodes: vec![Node::default()], unknown_score: min_score - UNKNOWN_PENALTY };
        for (id, piece) in pieces.iter().enumerate() {
            if matches!(piece.kind, PieceKind::Normal | PieceKind::UserDefined | PieceKind::Unused)
                && !piece.text.is_empty()
            {
                lattice.insert(piece.text.as_bytes(), id as u32);
            }
        }
        lattice
    }

    fn insert(&mut self, text: &[u8], id: u32) {
        let mut at = 0;
        for &byte in text {
            at = match self.nodes[at].children.binary_search_by_key(&byte, |child| child.0) {
                Ok(index) => self.nodes[at].children[index].1 as usize,
                Err(index) => {
                    let node = self.nodes.len();
                    self.nodes.push(Node::default());
                    self.nodes[at].children.insert(index, (byte, node as u32));
                    node
                }
            };
        }
        self.nodes[at].piece = Some(id);
    }

    fn step(&self, node: usize, byte: u8) -> Option<usize> {
        let children = &self.nodes[node].children;
        let index = children.binary_search_by_key(&byte, |child| child.0).ok()?;
        Some(children[index].1 as usize)
    }

    pub(super) fn encode(&self, line: &str, pieces: &[Piece], unknown: u32) -> Vec<Found> {
        let bytes = line.as_bytes();
        let mut best = vec![Best { id: unknown, score: 0.0, from: UNREACHED }; bytes.len() + 1];
        let mut start = 0;
        while start < bytes.len() {
            let so_far = best[start].score;
            let char_length = line[start..].chars().next().map_or(1, char::len_utf8);
            let mut single = false;
            let mut node = 0;
            for end in start + 1..=bytes.len() {
                match self.step(node, bytes[end - 1]) {
                    Some(next) => node = next,
                    None => break,
                }
                let Some(id) = self.nodes[node].piece else {
                    continue;
                };
                let piece = &pieces[id as usize];
                if piece.kind == PieceKind::Unused {
                    continue;
                }
                let length = end - start;
                // A longer user-defined piece beats a shorter one; what its model file says does
                // not count.
                let score = if piece.kind == PieceKind::UserDefined {
                    (length - 1) as f32 * 0.1
                } else {
                    piece.score
                };
                let candidate = score + so_far;
                if best[end].from == UNREACHED || candidate > best[end].score {
                    best[end] = Best { id, score: candidate, from: start as u32 };
                }
                single |= length == char_length;
            }
            if !single {
                let end = start + char_length;
                let candidate = self.unknown_score + so_far;
                if best[end].from == UNREACHED || candidate > best[end].score {
                    best[end] = Best { id: unknown, score: candidate, from: start as u32 };
                }
            }
            start += char_length;
        }
        let mut out = Vec::new();
        let mut end = bytes.len();
        while end > 0 {
            let Best { id, from, .. } = best[end];
            out.push(Found { id, start: from as usize, end });
            end = from as usize;
        }
        out.reverse();
        out
    }
}
