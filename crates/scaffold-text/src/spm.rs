//! SentencePiece: text is normalized, spaces become `▁`, and the whole line is cut into pieces, by
//! merging (BPE) or by the likeliest path (unigram). What the pieces cannot express is written in
//! bytes.
//!
//! Kudo and Richardson, "SentencePiece" (2018); the numbers and ties are those of the C++ library.

mod merge;
pub(crate) mod normalizer;
pub(crate) mod proto;
#[cfg(test)]
mod tests;
mod unigram;

use crate::encoding::Encoding;
use crate::tokens::{Spelling, TokenKind, TokenTable};
use ahash::RandomState;
use normalizer::{Normalized, SpmNormalizer};
use scaffold_error::{Error, err};
use std::collections::HashMap;

/// What a piece is for, as in the model file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PieceKind {
    Normal,
    Unknown,
    Control,
    UserDefined,
    Unused,
    Byte,
}

/// A piece of the vocabulary; its id is its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Piece {
    pub(crate) text: String,
    pub(crate) score: f32,
    pub(crate) kind: PieceKind,
}

/// How a line is cut into pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Bpe,
    Unigram,
}

/// A SentencePiece vocabulary, ready to encode.
#[derive(Debug)]
pub(crate) struct SentencePiece {
    pieces: Vec<Piece>,
    /// The pieces that text can become: normal, user-defined and unused ones.
    index: HashMap<Box<str>, u32, RandomState>,
    byte_ids: Option<Box<[u32; 256]>>,
    unknown: u32,
    algorithm: Algorithm,
    unigram: Option<unigram::Lattice>,
    pub(crate) normalizer: SpmNormalizer,
    /// After a control token in the text, the text goes on as at the start of a line.
    pub(crate) prefix_after_tokens: bool,
}

/// A piece that was found: bytes `start..end` of the normalized line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Found {
    id: u32,
    start: usize,
    end: usize,
}

impl SentencePiece {
    pub(crate) fn new(
        pieces: Vec<Piece>,
        algorithm: Algorithm,
        mut normalizer: SpmNormalizer,
    ) -> Result<Self, Error> {
        let bad = |problem: String| {
            err!(Damaged, "the SentencePiece vocabulary is not usable: {problem}")
        };
        let mut index: HashMap<Box<str>, u32, RandomState> =
            HashMap::with_capacity_and_hasher(pieces.len(), RandomState::new());
        let mut byte_ids = Box::new([u32::MAX; 256]);
        let mut unknown = None;
        let mut user_defined = Vec::new();
        for (id, piece) in pieces.iter().enumerate() {
            let id = id as u32;
            match piece.kind {
                PieceKind::Normal | PieceKind::Unused => {
                    index.insert(piece.text.as_str().into(), id);
                }
                PieceKind::UserDefined => {
                    index.insert(piece.text.as_str().into(), id);
                    user_defined.push(piece.text.clone());
                }
                PieceKind::Byte => {
                    let byte = byte_of(&piece.text)
                        .ok_or_else(|| bad(format!("piece {id} is of the kind byte but is named {:?} (expected <0x00> to <0xFF>)", piece.text)))?;
                    byte_ids[usize::from(byte)] = id;
                }
                PieceKind::Unknown => unknown = unknown.or(Some(id)),
                PieceKind::Control => {}
            }
        }
        let unknown = unknown.ok_or_else(|| bad("no piece is of the kind unknown".to_owned()))?;
        normalizer.protect(&user_defined)?;
        let all_bytes = byte_ids.iter().all(|&id| id != u32::MAX);
        let unigram = match algorithm {
            Algorithm::Unigram => Some(unigram::Lattice::new(&pieces)),
            Algorithm::Bpe => None,
        };
        Ok(SentencePiece {
            pieces,
            index,
            byte_ids: all_bytes.then_some(byte_ids),
            unknown,
            algorithm,
            unigram,
            normalizer,
            prefix_after_tokens: true,
        })
    }

    /// The tokens of the vocabulary as the tokenizer keeps them.
    pub(crate) fn table(&self) -> TokenTable {
        let mut table = TokenTable::new(Spelling::Metaspace);
        table.fill(
            self.pieces
                .iter()
                .enumerate()
                .map(|(id, piece)| (id as u32, piece_bytes(piece), piece_kind(piece.kind)))
                .collect(),
        );
        for (id, piece) in self.pieces.iter().enumerate() {
            if !matches!(piece.kind, PieceKind::Normal | PieceKind::Byte)
                || piece.text.contains(' ')
            {
                table.name(id as u32, &piece.text);
            }
        }
        table
    }

    /// The id of a piece by its name, whatever its kind.
    pub(crate) fn id(&self, name: &str) -> Option<u32> {
        if let Some(&id) = self.index.get(name) {
            return Some(id);
        }
        if let (Some(ids), Some(byte)) = (&self.byte_ids, byte_of(name)) {
            return Some(ids[usize::from(byte)]);
        }
        self.pieces.iter().position(|piece| piece.text == name).map(|id| id as u32)
    }

    pub(crate) fn unknown(&self) -> u32 {
        self.unknown
    }

    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Whether text between control tokens takes the dummy prefix; `first` is the text before all
    /// of them.
    pub(crate) fn starts_line(&self, text: &str, first: bool) -> bool {
        // Where only the first text takes it, `transformers` gives it to none that begins with the
        // prefix, or with spaces that are taken away.
        let cut = self.normalizer.remove_extra_whitespaces && text.starts_with(' ');
        self.prefix_after_tokens || (first && !cut && !text.starts_with('▁'))
    }

    /// Appends the tokens of `text`; `base` is where it starts in the whole input, `line_start`
    /// whether a line starts here (which takes the dummy prefix).
    pub(crate) fn encode(&self, text: &str, base: usize, line_start: bool, out: &mut Encoding) {
        let line = self.normalizer.apply(text, line_start);
        let found = match (&self.unigram, self.algorithm) {
            (Some(lattice), Algorithm::Unigram) => {
                lattice.encode(&line.text, &self.pieces, self.unknown)
            }
            _ => merge::encode(self, &line.text),
        };
        self.emit(&line, &found, base, out);
    }

    fn emit(&self, line: &Normalized, found: &[Found], base: usize, out: &mut Encoding) {
        let mut unknown_before = false;
        for piece in found {
            let (start, end) = line.original(piece.start, piece.end);
            let offsets = (base + start, base + end);
            if piece.id != self.unknown {
                out.push(piece.id, offsets);
                unknown_before = false;
            } else if let Some(ids) = &self.byte_ids {
                for byte in &line.text.as_bytes()[piece.start..piece.end] {
                    out.push(ids[usize::from(*byte)], offsets);
                }
            } else if unknown_before {
                // A run of unknown pieces is one token.
                if let Some(last) = out.offsets.last_mut() {
                    last.1 = offsets.1;
                }
            } else {
                out.push(piece.id, offsets);
                unknown_before = true;
            }
        }
    }
}

/// `<0x0A>` is byte 10.
pub(crate) fn byte_of(name: &str) -> Option<u8> {
    let digits = name.strip_prefix("<0x")?.strip_suffix('>')?;
    (digits.len() == 2).then(|| u8::from_str_radix(digits, 16).ok()).flatten()
}

fn piece_bytes(piece: &Piece) -> Vec<u8> {
    match piece.kind {
        PieceKind::Byte => byte_of(&piece.text).into_iter().collect(),
        PieceKind::Normal | PieceKind::Unused | PieceKind::UserDefined => {
            piece.text.replace('▁', " ").into_bytes()
        }
        PieceKind::Control | PieceKind::Unknown => piece.text.clone().into_bytes(),
    }
}

fn piece_kind(kind: PieceKind) -> TokenKind {
    match kind {
        PieceKind::Normal => TokenKind::Normal,
        PieceKind::Unknown => TokenKind::Unknown,
        PieceKind::Control => TokenKind::Control,
        PieceKind::UserDefined => TokenKind::Added,
        PieceKind::Unused => TokenKind::Unused,
        PieceKind::Byte => TokenKind::Byte,
    }
}
