//! `tokenizer.json`: our own byte-level engine where the file describes one, the `tokenizers` crate for
//! everything else.

mod diagnose;
mod pipeline;

use crate::added::{AddedToken, AddedTokens};
use crate::byte_level::build::Builder;
use crate::error::TextError;
use crate::foreign::Foreign;
use crate::normalize::Normalizer;
use crate::tokenizer::{Engine, Frame};
use crate::tokens::{Spelling, TokenKind, TokenTable};
use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::path::Path;

/// The parts of a tokenizer, before special tokens are known by their roles.
pub(crate) struct Parts {
    pub(crate) engine: Engine,
    pub(crate) tokens: TokenTable,
    pub(crate) added: AddedTokens,
    pub(crate) frame: Frame,
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    added_tokens: Vec<JsonAddedToken>,
    normalizer: Option<Value>,
    pre_tokenizer: Option<Value>,
    post_processor: Option<Value>,
    decoder: Option<Value>,
    model: Model,
}

/// An added token, as `tokenizer.json` and `tokenizer_config.json` write it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct JsonAddedToken {
    #[serde(default)]
    pub(crate) id: u32,
    pub(crate) content: String,
    #[serde(default)]
    pub(crate) single_word: bool,
    #[serde(default)]
    pub(crate) lstrip: bool,
    #[serde(default)]
    pub(crate) rstrip: bool,
    pub(crate) normalized: Option<bool>,
    #[serde(default)]
    pub(crate) special: bool,
}

impl JsonAddedToken {
    pub(crate) fn into_token(self) -> AddedToken {
        AddedToken {
            id: self.id,
            normalized: self.normalized.unwrap_or(!self.special),
            content: self.content,
            single_word: self.single_word,
            lstrip: self.lstrip,
            rstrip: self.rstrip,
            special: self.special,
        }
    }
}

#[derive(Deserialize)]
struct Model {
    #[serde(rename = "type")]
    kind: Option<String>,
    vocab: Option<Vocabulary>,
    merges: Option<Vec<Pair>>,
    dropout: Option<f32>,
    unk_token: Option<String>,
    continuing_subword_prefix: Option<String>,
    end_of_word_suffix: Option<String>,
    #[serde(default)]
    ignore_merges: bool,
}

/// The vocabulary of a BPE model; other kinds are lists, which are left to the crate.
enum Vocabulary {
    Tokens(Vec<(String, u32)>),
    Other,
}

impl<'de> Deserialize<'de> for Vocabulary {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Vocabulary;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a vocabulary: a map of tokens to ids, or a list")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vocabulary, A::Error> {
                let mut tokens = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    tokens.push(entry);
                }
                Ok(Vocabulary::Tokens(tokens))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vocabulary, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Vocabulary::Other)
            }
        }
        deserializer.deserialize_any(V)
    }
}

/// A merge, written `"left right"` or `["left", "right"]`.
struct Pair(String, String);

impl<'de> Deserialize<'de> for Pair {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Pair;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a merge: two tokens, as a string with a space between or as a list")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Pair, E> {
                match text.split_once(' ') {
                    Some((left, right)) if !right.contains(' ') => {
                        Ok(Pair(left.to_owned(), right.to_owned()))
                    }
                    _ => Err(E::custom(format!(
                        "the merge {text:?} is not two tokens with one space between"
                    ))),
                }
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Pair, A::Error> {
                let left = seq.next_element()?;
                let right = seq.next_element()?;
                match (left, right, seq.next_element::<IgnoredAny>()?) {
                    (Some(left), Some(right), None) => Ok(Pair(left, right)),
                    _ => Err(serde::de::Error::custom(
                        "a merge is not a list of two tokens",
                    )),
                }
            }
        }
        deserializer.deserialize_any(V)
    }
}

/// Reads a `tokenizer.json`. `path` is for error messages; `extra` are tokens that only the configuration has.
pub(crate) fn read(bytes: &[u8], path: &Path, extra: &[AddedToken]) -> Result<Parts, TextError> {
    let file: File =
        serde_json::from_slice(bytes).map_err(|error| diagnose::unreadable(bytes, path, &error))?;
    match file.byte_level(extra) {
        Ok(Some(parts)) => Ok(parts),
        Ok(None) => foreign(bytes, path, extra),
        Err(error) => Err(diagnose::unusable(path, &error)),
    }
}

impl File {
    /// The parts of a byte-level tokenizer, or nothing where the file describes another kind.
    fn byte_level(mut self, extra: &[AddedToken]) -> Result<Option<Parts>, TextError> {
        let model = &mut self.model;
        let plain = model.dropout.is_none()
            && model.unk_token.is_none()
            && model
                .continuing_subword_prefix
                .as_deref()
                .unwrap_or_default()
                .is_empty()
            && model
                .end_of_word_suffix
                .as_deref()
                .unwrap_or_default()
                .is_empty();
        let is_bpe = matches!(model.kind.as_deref(), Some("BPE") | None);
        if !plain || !is_bpe || !pipeline::decodes_bytes(self.decoder.as_ref()) {
            return Ok(None);
        }
        let (Some(cuts), Some(Vocabulary::Tokens(vocabulary)), Some(merges)) = (
            pipeline::pre_tokenizer(self.pre_tokenizer.as_ref())?,
            model.vocab.take(),
            model.merges.take(),
        ) else {
            return Ok(None);
        };
        let Some(post) = pipeline::post_processor(self.post_processor.as_ref()) else {
            return Ok(None);
        };
        let normalizer =
            match pipeline::normalizer(self.normalizer.as_ref()).map(Normalizer::from_json) {
                Some(Ok(normalizer)) => Some(normalizer),
                // The crate will not read it either: the file is diagnosed there, part by part.
                Some(Err(_)) => return Ok(None),
                None => None,
            };

        let mut added: Vec<AddedToken> = self
            .added_tokens
            .into_iter()
            .map(JsonAddedToken::into_token)
            .collect();
        added.extend(
            extra
                .iter()
                .filter(|token| !added.iter().any(|a| a.content == token.content))
                .cloned()
                .collect::<Vec<_>>(),
        );
        let mut builder = Builder::new("the vocabulary", vocabulary.len(), merges.len());
        for (name, id) in &vocabulary {
            builder.token(*id, name);
        }
        for Pair(left, right) in &merges {
            builder.merge(left, right)?;
        }
        let (mut engine, mut tokens, named) = builder.build(cuts.splitter);
        engine.whole_words = model.ignore_merges;
        engine.add_prefix_space = cuts.add_prefix_space;
        engine.trim = post.trim;
        engine.normalizer = normalizer;

        let mut table = TokenTable::new(Spelling::ByteLevel);
        tokens.extend(added.iter().map(|token| {
            let kind = if token.special {
                TokenKind::Control
            } else {
                TokenKind::Added
            };
            (
                token.id,
                crate::bpe::alphabet::token_bytes(&token.content),
                kind,
            )
        }));
        table.fill(tokens);
        for (id, name) in named {
            table.name(id, &name);
        }
        for token in &added {
            table.name(token.id, &token.content);
        }
        let normalizer = engine.normalizer.as_ref();
        let added = AddedTokens::new(added, |name| {
            normalizer.map_or_else(|| name.to_owned(), |n| n.apply_to_name(name))
        })?;
        Ok(Some(Parts {
            engine: Engine::ByteLevel(Box::new(engine)),
            tokens: table,
            added,
            frame: post.frame,
        }))
    }
}

fn foreign(bytes: &[u8], path: &Path, extra: &[AddedToken]) -> Result<Parts, TextError> {
    let mut inner = tokenizers::Tokenizer::from_bytes(bytes)
        .map_err(|error| diagnose::rejected(bytes, path, &*error))?;
    let missing = extra
        .iter()
        .filter(|token| inner.token_to_id(&token.content).is_none());
    let missing: Vec<tokenizers::AddedToken> = missing.map(to_crate).collect();
    if !missing.is_empty() {
        inner
            .add_tokens(missing)
            .map_err(|error| diagnose::rejected(bytes, path, &*error))?;
    }
    let engine = Foreign::new(inner);
    Ok(Parts {
        added: engine.added()?,
        engine: Engine::Foreign(Box::new(engine)),
        tokens: TokenTable::new(Spelling::Raw),
        frame: Frame::default(),
    })
}

fn to_crate(token: &AddedToken) -> tokenizers::AddedToken {
    tokenizers::AddedToken {
        content: token.content.clone(),
        single_word: token.single_word,
        lstrip: token.lstrip,
        rstrip: token.rstrip,
        normalized: token.normalized,
        special: token.special,
    }
}
