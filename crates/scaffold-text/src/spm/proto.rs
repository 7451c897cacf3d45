//! Reading `tokenizer.model`: the protocol buffer of SentencePiece, of which few fields matter
//! here.
//!
//! Format: sentencepiece_model.proto of the SentencePiece project and the protobuf encoding guide.

use super::normalizer::{Replacements, SpmNormalizer};
use super::{Algorithm, Piece, PieceKind, SentencePiece};
use scaffold_error::{Error, err};
use std::fmt::Display;

/// A reader over one message.
struct Message<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Where the message starts in the file, for error messages.
    base: usize,
}

/// The value of a field.
enum Value<'a> {
    Varint(u64),
    Bits64,
    Bits32(u32),
    Bytes(&'a [u8], usize),
}

fn bad(problem: impl Display, at: usize) -> Error {
    err!(Damaged, "not a SentencePiece model: {problem} (at byte {at})").at_offset(at as u64)
}

impl<'a> Message<'a> {
    fn new(bytes: &'a [u8], base: usize) -> Self {
        Message { bytes, at: 0, base }
    }

    fn varint(&mut self) -> Result<u64, Error> {
        let start = self.base + self.at;
        let mut value = 0u64;
        for shift in (0..70).step_by(7) {
            let Some(&byte) = self.bytes.get(self.at) else {
                return Err(bad("the file ends inside a number", start));
            };
            self.at += 1;
            if shift < 64 {
                value |= u64::from(byte & 0x7f) << shift;
            }
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(bad("a number has more than ten bytes", start))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Error> {
        let left = self.bytes.len() - self.at;
        if length > left {
            return Err(bad(
                format!("a field announces {length} bytes, but only {left} are left"),
                self.base + self.at,
            ));
        }
        let taken = &self.bytes[self.at..self.at + length];
        self.at += length;
        Ok(taken)
    }

    /// The next field's number and value.
    fn field(&mut self) -> Result<Option<(u64, Value<'a>)>, Error> {
        if self.at >= self.bytes.len() {
            return Ok(None);
        }
        let start = self.base + self.at;
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => {
                self.take(8)?;
                Value::Bits64
            }
            2 => {
                let length = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
                let at = self.base + self.at;
                Value::Bytes(self.take(length)?, at)
            }
            5 => {
                let bits = self.take(4)?;
                Value::Bits32(u32::from_le_bytes([bits[0], bits[1], bits[2], bits[3]]))
            }
            other => {
                return Err(bad(
                    format!("a field has wire type {other}, which the format does not know"),
                    start,
                ));
            }
        };
        if tag >> 3 == 0 {
            return Err(bad("a field has number 0", start));
        }
        Ok(Some((tag >> 3, value)))
    }
}

/// What of the model file is used.
pub(crate) struct ModelProto {
    pub(crate) pieces: Vec<Piece>,
    pub(crate) algorithm: Algorithm,
    pub(crate) normalizer: SpmNormalizer,
    /// The training options name these ids; absent ones are -1.
    pub(crate) bos: i64,
    pub(crate) eos: i64,
    pub(crate) pad: i64,
    pub(crate) unk: i64,
    /// The table of replacements as it stands in the file.
    pub(crate) charsmap: Vec<u8>,
}

/// Parses a `tokenizer.model`.
pub(crate) fn parse(bytes: &[u8]) -> Result<ModelProto, Error> {
    let mut model = ModelProto {
        pieces: Vec::new(),
        algorithm: Algorithm::Unigram,
        normalizer: SpmNormalizer::trained(),
        bos: 1,
        eos: 2,
        pad: -1,
        unk: 0,
        charsmap: Vec::new(),
    };
    let mut message = Message::new(bytes, 0);
    while let Some((number, value)) = message.field()? {
        match (number, value) {
            (1, Value::Bytes(piece, at)) => {
                let index = model.pieces.len();
                model.pieces.push(parse_piece(piece, at, index)?);
            }
            (2, Value::Bytes(spec, at)) => parse_trainer(spec, at, &mut model)?,
            (3, Value::Bytes(spec, at)) => parse_normalizer(spec, at, &mut model)?,
            _ => {}
        }
    }
    if model.pieces.is_empty() {
        return Err(bad(
            "it has no pieces: the file is empty, or is no SentencePiece model",
            bytes.len(),
        ));
    }
    Ok(model)
}

impl ModelProto {
    pub(crate) fn build(self) -> Result<SentencePiece, Error> {
        SentencePiece::new(self.pieces, self.algorithm, self.normalizer)
    }
}

fn parse_piece(bytes: &[u8], base: usize, index: usize) -> Result<Piece, Error> {
    let mut piece = Piece { text: String::new(), score: 0.0, kind: PieceKind::Normal };
    let mut message = Message::new(bytes, base);
    while let Some((number, value)) = message.field()? {
        match (number, value) {
            (1, Value::Bytes(text, at)) => {
                let text = std::str::from_utf8(text)
                    .map_err(|_| bad(format!("piece {index} is not UTF-8"), at))?;
                text.clone_into(&mut piece.text);
            }
            (2, Value::Bits32(bits)) => piece.score = f32::from_bits(bits),
            (3, Value::Varint(kind)) => {
                piece.kind = match kind {
                    1 => PieceKind::Normal,
                    2 => PieceKind::Unknown,
                    3 => PieceKind::Control,
                    4 => PieceKind::UserDefined,
                    5 => PieceKind::Unused,
                    6 => PieceKind::Byte,
                    other => {
                        return Err(bad(
                            format!("piece {index} is of kind {other} (known: 1 to 6)"),
                            base,
                        ));
                    }
                }
            }
            _ => {}
        }
    }
    Ok(piece)
}

fn parse_trainer(bytes: &[u8], base: usize, model: &mut ModelProto) -> Result<(), Error> {
    let mut message = Message::new(bytes, base);
    while let Some((number, value)) = message.field()? {
        let Value::Varint(value) = value else {
            continue;
        };
        match number {
            3 => {
                model.algorithm = match value {
                    1 => Algorithm::Unigram,
                    2 => Algorithm::Bpe,
                    other => {
                        return Err(bad(
                            format!(
                                "the model is of type {other}; only unigram (1) and BPE (2) are in use for language models"
                            ),
                            base,
                        ));
                    }
                }
            }
            24 => model.normalizer.space_is_suffix = value != 0,
            40 => model.unk = value as i64,
            41 => model.bos = value as i64,
            42 => model.eos = value as i64,
            43 => model.pad = value as i64,
            _ => {}
        }
    }
    Ok(())
}

fn parse_normalizer(bytes: &[u8], base: usize, model: &mut ModelProto) -> Result<(), Error> {
    let mut message = Message::new(bytes, base);
    let normalizer = &mut model.normalizer;
    while let Some((number, value)) = message.field()? {
        match (number, value) {
            (2, Value::Bytes(table, _)) => {
                table.clone_into(&mut model.charsmap);
                normalizer.replacements = Replacements::from_bytes(table)?;
            }
            (3, Value::Varint(value)) => normalizer.add_dummy_prefix = value != 0,
            (4, Value::Varint(value)) => normalizer.remove_extra_whitespaces = value != 0,
            (5, Value::Varint(value)) => normalizer.escape_whitespaces = value != 0,
            _ => {}
        }
    }
    Ok(())
}
