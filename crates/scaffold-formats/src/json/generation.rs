//! `generation_config.json`: what a model's makers recommend for generating.

use std::path::Path;

use serde_json::Value;

use super::{ConfigJson, ConfigObject};
use crate::FormatError;

/// Recommendations for generating, each absent where the file does not say. Meanings are those of `transformers`'
/// `GenerationConfig`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GenerationConfig {
    /// Every token that ends a text.
    pub eos_token_ids: Vec<u32>,
    /// The token that begins a text.
    pub bos_token_id: Option<u32>,
    /// The token that fills rows up.
    pub pad_token_id: Option<u32>,
    /// Whether to sample, rather than to take the likeliest token.
    pub do_sample: Option<bool>,
    /// Divides the logits.
    pub temperature: Option<f32>,
    /// Smallest set of tokens with this probability together.
    pub top_p: Option<f32>,
    /// Number of likeliest tokens to choose from; 0 for all.
    pub top_k: Option<u32>,
    /// Least probability in relation to the likeliest token's.
    pub min_p: Option<f32>,
    /// Mass of the locally typical tokens to choose from.
    pub typical_p: Option<f32>,
    /// Divides positive and multiplies negative logits of tokens that have occurred.
    pub repetition_penalty: Option<f32>,
    /// No run of this many tokens occurs twice; 0 for no such rule.
    pub no_repeat_ngram_size: Option<u32>,
    /// New tokens at most.
    pub max_new_tokens: Option<u32>,
    /// Prompt and new tokens together at most.
    pub max_length: Option<u32>,
    /// New tokens at least.
    pub min_new_tokens: Option<u32>,
}

impl GenerationConfig {
    /// Reads the `generation_config.json` of a model's directory; `None` where there is none.
    ///
    /// # Errors
    /// The file cannot be read, or a key holds something unexpected.
    pub fn from_dir(dir: impl AsRef<Path>) -> Result<Option<Self>, FormatError> {
        let path = dir.as_ref().join("generation_config.json");
        if !path.exists() {
            return Ok(None);
        }
        Self::from_json(&ConfigJson::open(path)?).map(Some)
    }

    /// Takes the same keys from any configuration: older models have them in `config.json`.
    ///
    /// # Errors
    /// A key holds something unexpected.
    pub fn from_json(config: &ConfigJson) -> Result<Self, FormatError> {
        let root = config.root();
        Ok(Self {
            eos_token_ids: token_ids(&root, "eos_token_id")?,
            bos_token_id: token_ids(&root, "bos_token_id")?.first().copied(),
            pad_token_id: token_ids(&root, "pad_token_id")?.first().copied(),
            do_sample: root.get_bool("do_sample")?,
            temperature: root.get_f32("temperature")?,
            top_p: root.get_f32("top_p")?,
            top_k: root.get_u32("top_k")?,
            min_p: root.get_f32("min_p")?,
            typical_p: root.get_f32("typical_p")?,
            repetition_penalty: root.get_f32("repetition_penalty")?,
            no_repeat_ngram_size: root.get_u32("no_repeat_ngram_size")?,
            max_new_tokens: root.get_u32("max_new_tokens")?,
            max_length: root.get_u32("max_length")?,
            min_new_tokens: root.get_u32("min_new_tokens")?,
        })
    }
}

/// One id or a list of them. Ids below zero mean "none": early conversions wrote −1 for a token that does not exist.
fn token_ids(root: &ConfigObject<'_>, key: &str) -> Result<Vec<u32>, FormatError> {
    let values = match root.get(key) {
        None => return Ok(Vec::new()),
        Some(Value::Array(values)) => values.as_slice(),
        Some(single) => std::slice::from_ref(single),
    };
    let wanted = || root.unexpected(key, "a token id or a list of token ids");
    let mut ids = Vec::new();
    for value in values {
        let id = value.as_i64().ok_or_else(wanted)?;
        if id >= 0 {
            let id = u32::try_from(id).map_err(|_| wanted())?;
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
    }
    Ok(ids)
}
