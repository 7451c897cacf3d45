//! The vocabulary inside a GGUF file.

pub(super) mod pre;
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

/// How a value of a GGUF file's metadata is asked for by its key: nothing where the file has no such
/// key, an error where it holds something else.
pub type GgufKey<'a, T> = &'a dyn Fn(&str) -> Result<Option<T>, Error>;

/// How the values of a GGUF file's metadata are asked for, by their types. The keys, all of them
/// `tokenizer.ggml.*`, and what they mean are known here alone.
pub struct GgufKeys<'a> {
    /// Text.
    pub text: GgufKey<'a, String>,
    /// The id of a token.
    pub id: GgufKey<'a, u32>,
    /// True or false.
    pub flag: GgufKey<'a, bool>,
    /// A list of texts.
    pub texts: GgufKey<'a, Vec<String>>,
    /// A list of texts as bytes, since files exist whose tokens are not UTF-8.
    pub bytes: GgufKey<'a, Vec<Vec<u8>>>,
    /// A list of numbers.
    pub f32s: GgufKey<'a, Vec<f32>>,
    /// A list of whole numbers.
    pub i32s: GgufKey<'a, Vec<i32>>,
}

/// What a GGUF file says about its tokens.
struct Vocabulary<'a> {
    keys: &'a GgufKeys<'a>,
    tokens: Vec<Vec<u8>>,
    kinds: Vec<i32>,
    merges: Vec<String>,
    /// The tokens that steer, whatever the file says of their kinds.
    steering: Vec<u32>,
}

/// What such a tokenizer was read from.
const SOURCE: &str = "the GGUF vocabulary";

/// What keys call the separator (the format's own spelling), and the unknown token.
const SEP: &str = "seperator";
const UNK: &str = "unknown";

/// The kinds of vocabulary that are read.
const KNOWN_MODELS: [&str; 5] = ["gpt2", "llama", "t5", "bert", "gemma4"];

/// Pre-tokenizers of the kind `gpt2` whose tokens are raw text and not bytes.
const RAW: [&str; 3] = ["gemma4", "sarvam-moe", "granite-embed-multi-311m"];

fn key(name: &str) -> String {
    format!("tokenizer.ggml.{name}")
}

impl<'a> Vocabulary<'a> {
    fn of(keys: &'a GgufKeys<'a>) -> Result<Self, Error> {
        let mut vocabulary = Self {
            keys,
            tokens: (keys.bytes)(&key("tokens"))?.unwrap_or_default(),
            kinds: (keys.i32s)(&key("token_type"))?.unwrap_or_default(),
            merges: (keys.texts)(&key("merges"))?.unwrap_or_default(),
            steering: Vec::new(),
        };
        for name in ["bos", "eos", "eot", "cls", SEP, "mask"] {
            vocabulary.steering.extend(vocabulary.id(name)?);
        }
        Ok(vocabulary)
    }

    fn id(&self, name: &str) -> Result<Option<u32>, Error> {
        (self.keys.id)(&key(&format!("{name}_token_id")))
    }

    fn flag(&self, name: &str) -> Result<Option<bool>, Error> {
        (self.keys.flag)(&key(name))
    }

    fn kind(&self, id: usize) -> PieceKind {
        match self.kinds.get(id) {
            Some(2) => PieceKind::Unknown,
            Some(3) => PieceKind::Control,
            Some(4) => PieceKind::UserDefined,
            Some(5) => PieceKind::Unused,
            Some(6) => PieceKind::Byte,
            // Files exist that mark the end-of-sequence token and its like as normal text.
            _ if self.steering.contains(&(id as u32)) => PieceKind::Control,
            _ => PieceKind::Normal,
        }
    }

    fn text(&self, id: usize) -> String {
        self.tokens
            .get(id)
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
            .unwrap_or_default()
    }

    fn special(&self, bos: Option<u32>, eos: Option<u32>) -> Result<SpecialTokens, Error> {
        let name = |name: &str, default: Option<u32>| {
            let id = self.id(name)?.or(default).map(|id| id as usize);
            Ok::<_, Error>(id.filter(|id| *id < self.tokens.len()).map(|id| self.text(id)))
        };
        Ok(SpecialTokens {
            bos: name("bos", bos)?,
            eos: name("eos", eos)?,
            unk: name(UNK, None)?,
            pad: name("padding", None)?,
            sep: name(SEP, None)?,
            cls: name("cls", None)?,
            mask: name("mask", None)?,
            others: Vec::new(),
        })
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

    /// The frame with these tokens where the file names no others, if it is to have them where the
    /// file does not say.
    fn frame(&self, bos: (Option<u32>, bool), eos: (Option<u32>, bool)) -> Result<Frame, Error> {
        let token = |name: &str, (id, add): (Option<u32>, bool)| {
            let added = self.flag(&format!("add_{name}_token"))?.unwrap_or(add);
            Ok::<_, Error>(self.id(name)?.or(id).filter(|_| added))
        };
        Ok(Frame::with(token("bos", bos)?, token("eos", eos)?))
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
    pub fn from_gguf(keys: &GgufKeys<'_>) -> Result<(Self, Vec<Notice>), Error> {
        let vocabulary = &Vocabulary::of(keys)?;
        if vocabulary.tokens.is_empty() {
            return Err(unusable("`tokenizer.ggml.tokens` is missing or empty"));
        }
        let rebuilt = |parts: Parts| {
            Ok((Tokenizer::new(parts, vocabulary.special(None, None)?, SOURCE), Vec::new()))
        };
        let pre = (keys.text)(&key("pre"))?;
        let raw = pre.as_deref().is_some_and(|pre| RAW.contains(&pre));
        match (keys.text)(&key("model"))?.unwrap_or_default().as_str() {
            "gemma4" => rebuilt(rebuilt::raw_bpe(vocabulary)?),
            "gpt2" if raw => rebuilt(rebuilt::raw_bpe(vocabulary)?),
            "bert" => rebuilt(rebuilt::word_piece(vocabulary)?),
            "gpt2" => byte_level(vocabulary, pre.as_deref()),
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

fn byte_level(
    vocabulary: &Vocabulary<'_>,
    pre: Option<&str>,
) -> Result<(Tokenizer, Vec<Notice>), Error> {
    vocabulary.check_merges()?;
    let mut notices = Vec::new();
    let pre = if let Some(name) = pre {
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
    engine.add_prefix_space = vocabulary.flag("add_space_prefix")?.unwrap_or(false);
    engine.normalizer = pre.nfc.then(Normalizer::nfc);
    let parts = Parts {
        engine: Engine::ByteLevel(Box::new(engine)),
        tokens,
        added: vocabulary.added(true)?,
        frame: vocabulary.frame((None, pre.add_bos), (None, false))?,
    };
    Ok((Tokenizer::new(parts, vocabulary.special(None, None)?, SOURCE), notices))
}

fn sentence_piece(vocabulary: &Vocabulary<'_>, algorithm: Algorithm) -> Result<Tokenizer, Error> {
    let scores = (vocabulary.keys.f32s)(&key("scores"))?.unwrap_or_default();
    let unknown = vocabulary.id(UNK)?.unwrap_or(0) as usize;
    let has_unknown =
        (0..vocabulary.tokens.len()).any(|id| vocabulary.kind(id) == PieceKind::Unknown);
    let pieces = (0..vocabulary.tokens.len())
        .map(|id| Piece {
            // Files spell user-defined runs of spaces as they look.
            text: match vocabulary.kind(id) {
                PieceKind::UserDefined => vocabulary.text(id).replace(' ', "▁"),
                _ => vocabulary.text(id),
            },
            score: scores.get(id).copied().unwrap_or(0.0),
            kind: if !has_unknown && id == unknown {
                PieceKind::Unknown
            } else {
                vocabulary.kind(id)
            },
        })
        .collect();
    // Files store its bytes as signed or unsigned ones.
    let charsmap = (vocabulary.keys.i32s)(&key("precompiled_charsmap"))?.unwrap_or_default();
    let charsmap: Vec<u8> = charsmap.into_iter().map(|byte| byte as u8).collect();
    let mut normalizer = SpmNormalizer::default();
    normalizer.add_dummy_prefix = vocabulary.flag("add_space_prefix")?.unwrap_or(true);
    normalizer.remove_extra_whitespaces =
        vocabulary.flag("remove_extra_whitespaces")?.unwrap_or(false);
    normalizer.replacements = Replacements::from_bytes(&charsmap)?;
    let engine = SentencePiece::new(pieces, algorithm, normalizer)?;
    let (bos, eos) = match algorithm {
        Algorithm::Bpe => ((Some(1), true), (Some(2), false)),
        Algorithm::Unigram => ((None, false), (Some(1), true)),
    };
    let parts = Parts {
        tokens: engine.table(),
        engine: Engine::SentencePiece(Box::new(engine)),
        // SentencePiece finds user-defined pieces itself, and goes on in the same line after them.
        added: vocabulary.added(false)?,
        frame: vocabulary.frame(bos, eos)?,
    };
    Ok(Tokenizer::new(parts, vocabulary.special(bos.0, eos.0)?, SOURCE))
}
