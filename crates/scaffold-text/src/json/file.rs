//! What a `tokenizer.json` says, and what the older files of a model say once they are understood.

use crate::added::JsonAddedToken;
use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// The largest id that a file may give. Tables are as long as the largest id, and no vocabulary
/// comes near.
pub(crate) const LARGEST_ID: u32 = 16_000_000;

/// A tokenizer, part by part.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct File {
    #[serde(default)]
    pub(crate) added_tokens: Vec<JsonAddedToken>,
    pub(crate) normalizer: Option<Value>,
    pub(crate) pre_tokenizer: Option<Value>,
    pub(crate) post_processor: Option<Value>,
    pub(crate) decoder: Option<Value>,
    pub(crate) model: Model,
}

/// How words are cut into tokens.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Model {
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    pub(crate) vocab: Option<Vocabulary>,
    pub(crate) merges: Option<Vec<Pair>>,
    pub(crate) dropout: Option<f32>,
    pub(crate) unk_token: Option<String>,
    pub(crate) unk_id: Option<usize>,
    pub(crate) continuing_subword_prefix: Option<String>,
    pub(crate) end_of_word_suffix: Option<String>,
    #[serde(default)]
    pub(crate) fuse_unk: bool,
    #[serde(default)]
    pub(crate) byte_fallback: bool,
    #[serde(default)]
    pub(crate) ignore_merges: bool,
}

/// The vocabulary of a model.
#[derive(Debug)]
pub(crate) enum Vocabulary {
    /// Tokens with their ids.
    Tokens(Vec<(String, u32)>),
    /// Pieces with their scores, in order of their ids.
    Scored(Vec<(String, f64)>),
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
                let mut pieces = Vec::new();
                while let Some(piece) = seq.next_element()? {
                    pieces.push(piece);
                }
                Ok(Vocabulary::Scored(pieces))
            }
        }
        deserializer.deserialize_any(V)
    }
}

/// A merge, written `"left right"` or `["left", "right"]`.
#[derive(Debug)]
pub(crate) struct Pair(pub(crate) String, pub(crate) String);

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
                    _ => Err(serde::de::Error::custom("a merge is not a list of two tokens")),
                }
            }
        }
        deserializer.deserialize_any(V)
    }
}
