//! The vocabulary inside a GGUF file.

mod pre;
mod rebuilt;

use super::Tokenizer;
use crate::added::{AddedToken, AddedTokens};
use crate::byte_level::build::Builder;
use crate::frame::Frame;
use crate::normalize::Normalizer;
use crate::parts::{Engine, Parts};
use crate::special::SpecialTokens;
use crate::split::Splitter;
use crate::spm::normalizer::{Replacements, SpmNormalizer};
use crate::spm::{Algorithm, Piece, PieceKind, SentencePiece};
use crate::tokens::{Spelling, TokenKind};
use scaffold_error::{Error, Notice, Topic, err};
use std::fmt::Display;

/// What a GGUF file says about its tokenizer: the values of its `tokenizer.ggml.*` metadata, as
/// they stand.
///
/// Tokens are bytes, since files exist whose tokens are not UTF-8.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GgufVocabulary {
    /// `tokenizer.ggml.model`: `gpt2`, `llama`, `t5`, `bert`, …
    pub model: String,
    /// `tokenizer.ggml.pre`
    pub pre: Option<String>,
    /// `tokenizer.ggml.tokens`
    pub tokens: Vec<Vec<u8>>,
    /// `tokenizer.ggml.scores`, empty where there are none
    pub scores: Vec<f32>,
    /// `tokenizer.ggml.token_type`, empty where there are none
    pub token_types: Vec<i32>,
    /// `tokenizer.ggml.merges`
    pub merges: Vec<String>,
    /// `tokenizer.ggml.bos_token_id`
    pub bos_id: Option<u32>,
    /// `tokenizer.ggml.eos_token_id`
    pub eos_id: Option<u32>,
    /// `tokenizer.ggml.eot_token_id`
    pub eot_id: Option<u32>,
    /// `tokenizer.ggml.unknown_token_id`
    pub unk_id: Option<u32>,
    /// `tokenizer.ggml.padding_token_id`
    pub pad_id: Option<u32>,
    /// `tokenizer.ggml.seperator_token_id` (spelled so in the format)
    pub sep_id: Option<u32>,
    /// `tokenizer.ggml.cls_token_id`
    pub cls_id: Option<u32>,
    /// `tokenizer.ggml.mask_token_id`
    pub mask_id: Option<u32>,
    /// `tokenizer.ggml.add_bos_token`
    pub add_bos: Option<bool>,
    /// `tokenizer.ggml.add_eos_token`
    pub add_eos: Option<bool>,
    /// `tokenizer.ggml.add_space_prefix`
    pub add_space_prefix: Option<bool>,
    /// `tokenizer.ggml.remove_extra_whitespaces`
    pub remove_extra_whitespaces: Option<bool>,
    /// `tokenizer.ggml.normalizer.lowercase`
    pub lowercase: Option<bool>,
    /// `tokenizer.ggml.normalizer.strip_accents`
    pub strip_accents: Option<bool>,
    /// `tokenizer.ggml.precompiled_charsmap`
    pub precompiled_charsmap: Option<Vec<u8>>,
}

/// What such a tokenizer was read from.
const SOURCE: &str = "the GGUF vocabulary";

/// The kinds of vocabulary that are read.
const KNOWN_MODELS: [&str; 5] = ["gpt2", "llama", "t5", "bert", "gemma4"];

/// Pre-tokenizers of the kind `gpt2` whose tokens are raw text and not bytes.
const RAW: [&str; 3] = ["gemma4", "sarvam-moe", "granite-embed-multi-311m"];

impl GgufVocabulary {
    fn kind(&self, id: usize) -> PieceKind {
        match self.token_types.get(id) {
            Some(2) => PieceKind::Unknown,
            Some(3) => PieceKind::Control,
            Some(4) => PieceKind::UserDefined,
            Some(5) => PieceKind::Unused,
            Some(6) => PieceKind::Byte,
            // Files exist that mark the end-of-sequence token and its like as normal text.
            _ if self.steers(id as u32) => PieceKind::Control,
            _ => PieceKind::Normal,
        }
    }

    fn steers(&self, id: u32) -> bool {
        [self.bos_id, self.eos_id, self.eot_id, self.cls_id, self.sep_id, self.mask_id]
            .contains(&Some(id))
    }

    fn text(&self, id: usize) -> String {
        self.tokens
            .get(id)
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
            .unwrap_or_default()
    }

    fn name(&self, id: Option<u32>) -> Option<String> {
        let id = id? as usize;
        (id < self.tokens.len()).then(|| self.text(id))
    }

    fn special(&self, default_bos: Option<u32>, default_eos: Option<u32>) -> SpecialTokens {
        SpecialTokens {
            bos: self.name(self.bos_id.or(default_bos)),
            eos: self.name(self.eos_id.or(default_eos)),
            unk: self.name(self.unk_id),
            pad: self.name(self.pad_id),
            sep: self.name(self.sep_id),
            cls: self.name(self.cls_id),
            mask: self.name(self.mask_id),
            others: Vec::new(),
        }
    }

    /// Refuses a vocabulary of merges that lacks them: text would be cut into bytes or characters.
    fn check_merges(&self) -> Result<(), Error> {
        let longer = |id: &usize| {
            let text = &self.tokens[*id];
            let one = std::str::from_utf8(text).is_ok_and(|text| text.chars().count() <= 1);
            self.kind(*id) == PieceKind::Normal && !one
        };
        let Some(id) = (0..self.tokens.len()).find(longer) else {
            return Ok(());
        };
        if !self.merges.is_empty() {
            return Ok(());
        }
        Err(unusable(format!(
            "`tokenizer.ggml.merges` is missing or empty, so nothing says how tokens such as {:?} ({id}) are made, and text \
             would be cut into single characters. Use a file that was converted completely, or the model's own tokenizer.json",
            self.text(id)
        )))
    }

    /// The tokens that are cut out of text before anything else; user-defined ones where
    /// `user_defined` says so.
    fn added(&self, user_defined: bool) -> Result<AddedTokens, Error> {
        let tokens = (0..self.tokens.len())
            .filter_map(|id| {
                let special = match self.kind(id) {
                    PieceKind::Control | PieceKind::Unknown => true,
                    PieceKind::UserDefined if user_defined => false,
                    _ => return None,
                };
                Some(AddedToken {
                    id: id as u32,
                    content: std::str::from_utf8(&self.tokens[id]).ok()?.to_owned(),
                    special,
                    ..AddedToken::default()
                })
            })
            .collect();
        AddedTokens::new(tokens, str::to_owned)
    }

    fn frame(&self, special: (Option<u32>, Option<u32>), add_bos: bool, add_eos: bool) -> Frame {
        let bos = self.bos_id.or(special.0).filter(|_| self.add_bos.unwrap_or(add_bos));
        let eos = self.eos_id.or(special.1).filter(|_| self.add_eos.unwrap_or(add_eos));
        Frame::with(bos, eos)
    }
}

impl Tokenizer {
    /// The tokenizer of a GGUF file.
    ///
    /// Byte-level vocabularies need to know where text is cut into words before bytes are merged:
    /// the file names a pre-tokenizer, which is looked up in a table.
    ///
    /// # Errors
    /// [`Kind::Unsupported`](scaffold_error::Kind::Unsupported) for names that are not in the
    /// tables, [`Kind::Damaged`](scaffold_error::Kind::Damaged) for vocabularies that contradict
    /// themselves.
    pub fn from_gguf(vocabulary: &GgufVocabulary) -> Result<(Self, Vec<Notice>), Error> {
        if vocabulary.tokens.is_empty() {
            return Err(unusable("`tokenizer.ggml.tokens` is missing or empty"));
        }
        let rebuilt = |parts: Parts| Tokenizer::new(parts, vocabulary.special(None, None), SOURCE);
        let raw = vocabulary.pre.as_deref().is_some_and(|pre| RAW.contains(&pre));
        match vocabulary.model.as_str() {
            "gemma4" => Ok((rebuilt(rebuilt::raw_bpe(vocabulary)?), Vec::new())),
            "gpt2" if raw => Ok((rebuilt(rebuilt::raw_bpe(vocabulary)?), Vec::new())),
            "bert" => Ok((rebuilt(rebuilt::word_piece(vocabulary)?), Vec::new())),
            "gpt2" => byte_level(vocabulary),
            "llama" => Ok((sentence_piece(vocabulary, Algorithm::Bpe)?, Vec::new())),
            "t5" => Ok((sentence_piece(vocabulary, Algorithm::Unigram)?, Vec::new())),
            other => Err(err!(
                Unsupported,
                "`tokenizer.ggml.model` is {other:?}, which is not a known kind of vocabulary (known: {})",
                KNOWN_MODELS.join(", ")
            )),
        }
    }
}

/// A vocabulary that contradicts itself.
fn unusable(problem: impl Display) -> Error {
    err!(Damaged, "{SOURCE} is not usable: {problem}")
}

fn byte_level(vocabulary: &GgufVocabulary) -> Result<(Tokenizer, Vec<Notice>), Error> {
    vocabulary.check_merges()?;
    let mut notices = Vec::new();
    let pre = if let Some(name) = &vocabulary.pre {
        pre::find(name)?
    } else {
        notices.push(Notice::new(
            Topic::Tokenizer,
            "the GGUF file does not name its pre-tokenizer; \"default\" is used, and tokens may differ from training",
        ));
        pre::find("default")?
    };
    let mut builder = Builder::new(SOURCE, vocabulary.tokens.len(), vocabulary.merges.len());
    for (id, token) in vocabulary.tokens.iter().enumerate() {
        let kind = match vocabulary.kind(id) {
            PieceKind::Control => TokenKind::Control,
            PieceKind::Unknown => TokenKind::Unknown,
            PieceKind::UserDefined => TokenKind::Added,
            PieceKind::Unused => TokenKind::Unused,
            PieceKind::Normal | PieceKind::Byte => TokenKind::Normal,
        };
        match (std::str::from_utf8(token), kind) {
            (Ok(name), TokenKind::Normal) => builder.token(id as u32, name),
            (Ok(name), kind) => builder.apart(id as u32, name, kind),
            (Err(_), _) => builder.bytes(id as u32, token.clone()),
        }
    }
    for line in &vocabulary.merges {
        builder.merge_line(line)?;
    }
    let splitter = Splitter::new(pre.steps()?);
    let (mut engine, tokens) = builder.build(splitter, Spelling::ByteLevel, []);
    engine.whole_words = pre.whole_words;
    engine.add_prefix_space = vocabulary.add_space_prefix.unwrap_or(false);
    engine.normalizer = pre.nfc.then(Normalizer::nfc);
    let parts = Parts {
        engine: Engine::ByteLevel(Box::new(engine)),
        tokens,
        added: vocabulary.added(true)?,
        frame: vocabulary.frame((None, None), pre.add_bos, false),
    };
    Ok((Tokenizer::new(parts, vocabulary.special(None, None), SOURCE), notices))
}

fn sentence_piece(vocabulary: &GgufVocabulary, algorithm: Algorithm) -> Result<Tokenizer, Error> {
    let unknown = vocabulary.unk_id.unwrap_or(0) as usize;
    let has_unknown =
        (0..vocabulary.tokens.len()).any(|id| vocabulary.kind(id) == PieceKind::Unknown);
    let pieces = (0..vocabulary.tokens.len())
        .map(|id| Piece {
            // Files spell user-defined runs of spaces as they look.
            text: match vocabulary.kind(id) {
                PieceKind::UserDefined => vocabulary.text(id).replace(' ', "▁"),
                _ => vocabulary.text(id),
            },
            score: vocabulary.scores.get(id).copied().unwrap_or(0.0),
            kind: if !has_unknown && id == unknown {
                PieceKind::Unknown
            } else {
                vocabulary.kind(id)
            },
        })
        .collect();
    let replacements = match &vocabulary.precompiled_charsmap {
        Some(table) => Replacements::from_bytes(table)?,
        None => None,
    };
    let mut normalizer = SpmNormalizer::default();
    normalizer.add_dummy_prefix = vocabulary.add_space_prefix.unwrap_or(true);
    normalizer.remove_extra_whitespaces = vocabulary.remove_extra_whitespaces.unwrap_or(false);
    normalizer.replacements = replacements;
    let engine = SentencePiece::new(pieces, algorithm, normalizer)?;
    let (ids, add_bos, add_eos) = match algorithm {
        Algorithm::Bpe => ((Some(1), Some(2)), true, false),
        Algorithm::Unigram => ((None, Some(1)), false, true),
    };
    let parts = Parts {
        tokens: engine.table(),
        engine: Engine::SentencePiece(Box::new(engine)),
        // SentencePiece finds user-defined pieces itself, and goes on in the same line after them.
        added: vocabulary.added(false)?,
        frame: vocabulary.frame(ids, add_bos, add_eos),
    };
    Ok(Tokenizer::new(parts, vocabulary.special(ids.0, ids.1), SOURCE))
}
