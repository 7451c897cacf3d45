//! `tokenizer_config.json` and its companions.

use crate::added::AddedToken;
use crate::error::TextError;
use crate::json::JsonAddedToken;
use crate::tokenizer::SpecialTokens;
use serde_json::{Map, Value};
use std::path::Path;

/// What the configuration says about the tokenizer.
#[derive(Clone, Debug, Default)]
pub(crate) struct TokenizerConfig {
    pub(crate) special: SpecialTokens,
    pub(crate) added_tokens: Vec<AddedToken>,
    pub(crate) add_bos: Option<bool>,
    pub(crate) add_eos: Option<bool>,
    /// SentencePiece tokenizers put a space before the text after a special token.
    pub(crate) legacy: Option<bool>,
    pub(crate) tokenizer_class: Option<String>,
}

/// Reads a JSON object, or nothing where the file does not exist.
pub(crate) fn read_object(path: &Path) -> Result<Option<Map<String, Value>>, TextError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(TextError::Io {
                path: path.to_owned(),
                source,
            });
        }
    };
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|error| TextError::BadFile {
            path: path.to_owned(),
            problem: format!("it is not a JSON object: {error}"),
            advice: "Download the file again".to_owned(),
        })
}

/// A token is written as its text, or as an object with its text in `content`.
fn token_text(value: &Value) -> Option<String> {
    value
        .as_str()
        .or_else(|| value["content"].as_str())
        .map(str::to_owned)
}

fn special_tokens(object: &Map<String, Value>) -> SpecialTokens {
    let token = |name: &str| object.get(name).and_then(token_text);
    let roles = [
        "bos_token",
        "eos_token",
        "unk_token",
        "pad_token",
        "sep_token",
        "cls_token",
        "mask_token",
    ];
    let others = object
        .iter()
        .filter(|(name, _)| {
            name.ends_with("_token") && !name.starts_with("add_") && !roles.contains(&name.as_str())
        })
        .filter_map(|(name, value)| Some((name.clone(), token_text(value)?)))
        .collect();
    SpecialTokens {
        bos: token("bos_token"),
        eos: token("eos_token"),
        unk: token("unk_token"),
        pad: token("pad_token"),
        sep: token("sep_token"),
        cls: token("cls_token"),
        mask: token("mask_token"),
        others,
    }
}

impl TokenizerConfig {
    /// Reads `tokenizer_config.json`, `special_tokens_map.json` and `added_tokens.json`, each if it is there.
    pub(crate) fn from_dir(dir: &Path) -> Result<Self, TextError> {
        let mut config = TokenizerConfig::default();
        if let Some(object) = read_object(&dir.join("tokenizer_config.json"))? {
            config.special = special_tokens(&object);
            config.add_bos = object.get("add_bos_token").and_then(Value::as_bool);
            config.add_eos = object.get("add_eos_token").and_then(Value::as_bool);
            config.legacy = object.get("legacy").and_then(Value::as_bool);
            config.tokenizer_class = object
                .get("tokenizer_class")
                .and_then(Value::as_str)
                .map(str::to_owned);
            if let Some(Value::Object(tokens)) = object.get("added_tokens_decoder") {
                for (id, token) in tokens {
                    let parsed: Result<JsonAddedToken, _> = serde_json::from_value(token.clone());
                    if let (Ok(id), Ok(mut token)) = (id.parse(), parsed) {
                        token.id = id;
                        config.added_tokens.push(token.into_token());
                    }
                }
                config.added_tokens.sort_by_key(|token| token.id);
            }
        }
        if let Some(object) = read_object(&dir.join("special_tokens_map.json"))? {
            config.special.complete(special_tokens(&object));
        }
        if let Some(object) = read_object(&dir.join("added_tokens.json"))? {
            for (content, id) in object {
                let known = config
                    .added_tokens
                    .iter()
                    .any(|token| token.content == content);
                if let (Some(id), false) = (id.as_u64(), known) {
                    config.added_tokens.push(AddedToken {
                        id: id as u32,
                        content,
                        normalized: true,
                        ..AddedToken::default()
                    });
                }
            }
        }
        Ok(config)
    }
}
