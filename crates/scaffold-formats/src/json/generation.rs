//! `generation_config.json`: what a model's makers recommend for generating.

use std::path::{Path, PathBuf};

use scaffold_error::Error;
use serde_json::Value;

use super::object::wrong_value;
use super::{ConfigJson, ConfigObject};

/// Recommendations for generating, each absent where the file does not say. Meanings are those of
/// `transformers`' `GenerationConfig`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GenerationConfig {
    /// Every token that ends a text.
    pub eos_token_ids: Vec<u32>,
    /// The token that begins a text.
    pub bos_token_id: Option<u32>,
    /// The token that fills rows up.
    pub pad_token_id: Option<u32>,
    /// The values for the sampler, as the file has them: [`SAMPLING`] has their keys.
    pub sampling: Vec<Recommended>,
    /// New tokens at most.
    pub max_new_tokens: Option<u32>,
    /// Prompt and new tokens together at most.
    pub max_length: Option<u32>,
    /// Tokens that are never chosen.
    pub suppress_tokens: Vec<u32>,
    /// Tokens that are not chosen as the first new one.
    pub begin_suppress_tokens: Vec<u32>,
    /// Runs of tokens that are never completed.
    pub bad_words_ids: Vec<Vec<u32>>,
    /// Added to the logit of the token that completes a run.
    pub sequence_bias: Vec<(Vec<u32>, f32)>,
    /// Texts that end an answer.
    pub stop_strings: Vec<String>,
    /// What `transformers` would do and nothing here does, as `key value`: see [`NOT_DONE`].
    pub not_done: Vec<String>,
}

/// The keys with one value each for the sampler. What they take is the sampler's to say, so that a
/// file is read as every other source of them.
pub const SAMPLING: &[&str] = &[
    "do_sample",
    "min_length",
    "min_new_tokens",
    "min_p",
    "no_repeat_ngram_size",
    "repetition_penalty",
    "temperature",
    "top_k",
    "top_p",
    "typical_p",
];

/// One value for the sampler.
#[derive(Clone, Debug, PartialEq)]
pub struct Recommended {
    /// The key.
    pub key: &'static str,
    /// The value as JSON has it: text is in quotes.
    pub text: String,
    path: PathBuf,
    line: Option<usize>,
}

impl Recommended {
    /// The error of a value that is not `wanted`: it names the file, the line, the key and the
    /// value.
    pub fn refused(&self, wanted: &'static str) -> Error {
        wrong_value(&self.path, self.line, self.key, wanted, &self.text)
    }

    fn all(config: &ConfigJson) -> Vec<Self> {
        let root = config.root();
        let given = SAMPLING.iter().filter_map(|&key| {
            Some(Self {
                key,
                text: root.get(key)?.to_string(),
                path: config.path().to_owned(),
                line: root.line_of(key),
            })
        });
        given.collect()
    }
}

/// The other keys of `transformers`' `GenerationConfig` that are read here.
pub const DONE: &[&str] = &[
    "bad_words_ids",
    "begin_suppress_tokens",
    "bos_token_id",
    "eos_token_id",
    "max_length",
    "max_new_tokens",
    "pad_token_id",
    "sequence_bias",
    "stop_strings",
    "suppress_tokens",
];

/// Those that change no token of an answer here: how it is computed, what is reported beside it,
/// what only counts together with a key of [`NOT_DONE`], what models have that are no decoders.
pub const WITHOUT_MEANING: &[&str] = &[
    "_from_model_config",
    "assistant_confidence_threshold",
    "assistant_early_exit",
    "assistant_ensemble_weight",
    "assistant_lookbehind",
    "cache_config",
    "cache_implementation",
    "compile_config",
    "continuous_batching_config",
    "decoder_start_token_id",
    "disable_compile",
    "diversity_penalty",
    "early_stopping",
    "is_assistant",
    "length_penalty",
    "low_memory",
    "max_cache_len",
    "max_matching_ngram_size",
    "num_assistant_tokens",
    "num_assistant_tokens_schedule",
    "num_beam_groups",
    "output_attentions",
    "output_hidden_states",
    "output_logits",
    "output_scores",
    "prefill_chunk_size",
    "prompt_lookup_num_tokens",
    "remove_invalid_values",
    "renormalize_logits",
    "return_dict_in_generate",
    "speculation_type",
    "target_lookbehind",
    "transformers_version",
    "use_cache",
    "use_mtp",
];

/// Those that would change an answer and are not done, with the number that switches each off;
/// `null`, `false` and what is empty do so too. [`GenerationConfig::not_done`] names the ones that
/// are on.
pub const NOT_DONE: &[(&str, f64)] = &[
    ("constraints", 0.0),
    ("dola_layers", 0.0),
    ("encoder_no_repeat_ngram_size", 0.0),
    ("encoder_repetition_penalty", 1.0),
    ("epsilon_cutoff", 0.0),
    ("eta_cutoff", 0.0),
    ("exponential_decay_length_penalty", 0.0),
    ("force_words_ids", 0.0),
    ("forced_bos_token_id", -1.0),
    ("forced_eos_token_id", -1.0),
    ("guidance_scale", 1.0),
    ("max_time", 0.0),
    ("num_beams", 1.0),
    ("num_return_sequences", 1.0),
    ("penalty_alpha", 0.0),
    ("token_healing", 0.0),
    ("top_h", 0.0),
    ("watermarking_config", 0.0),
];

impl GenerationConfig {
    /// Reads the `generation_config.json` of a model's directory; `None` where there is none.
    ///
    /// # Errors
    /// The file cannot be read, or a key holds something unexpected.
    pub fn from_dir(dir: impl AsRef<Path>) -> Result<Option<Self>, Error> {
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
    pub fn from_json(config: &ConfigJson) -> Result<Self, Error> {
        let root = config.root();
        Ok(Self {
            eos_token_ids: token_ids(&root, "eos_token_id")?,
            bos_token_id: token_ids(&root, "bos_token_id")?.first().copied(),
            pad_token_id: token_ids(&root, "pad_token_id")?.first().copied(),
            sampling: Recommended::all(config),
            max_new_tokens: root.get_u32("max_new_tokens")?,
            max_length: root.get_u32("max_length")?,
            suppress_tokens: token_ids(&root, "suppress_tokens")?,
            begin_suppress_tokens: token_ids(&root, "begin_suppress_tokens")?,
            bad_words_ids: words(&root, "bad_words_ids")?,
            sequence_bias: biases(&root, "sequence_bias")?,
            stop_strings: texts(&root, "stop_strings")?,
            not_done: NOT_DONE
                .iter()
                .filter_map(|&(key, off)| {
                    let value = root.get(key).filter(|value| is_on(value, off))?;
                    Some(format!("{key} {value}"))
                })
                .collect(),
        })
    }
}

/// One id or a list of them. Ids below zero mean "none": early conversions wrote −1 for a token
/// that does not exist.
fn token_ids(root: &ConfigObject<'_>, key: &str) -> Result<Vec<u32>, Error> {
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

fn is_on(value: &Value, off: f64) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Number(number) => number.as_f64() != Some(off),
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
        Value::Bool(true) | Value::String(_) => true,
    }
}

/// A run of token ids; `None` where the value is something else.
fn run(value: &Value) -> Option<Vec<u32>> {
    let ids = value.as_array()?.iter();
    ids.map(|id| u32::try_from(id.as_u64()?).ok()).collect()
}

/// A list of runs of token ids.
fn words(root: &ConfigObject<'_>, key: &str) -> Result<Vec<Vec<u32>>, Error> {
    let list = root.get_list(key)?.unwrap_or_default();
    let words: Option<Vec<_>> = list.iter().map(run).collect();
    words.ok_or_else(|| root.unexpected(key, "a list of lists of token ids"))
}

/// A list of pairs of a run and a number. An object of numbers by runs, as Python's dictionary
/// would be, is no JSON.
fn biases(root: &ConfigObject<'_>, key: &str) -> Result<Vec<(Vec<u32>, f32)>, Error> {
    let list = root.get_list(key)?.unwrap_or_default();
    let pair = |value: &Value| match value.as_array()?.as_slice() {
        [ids, bias] => Some((run(ids)?, bias.as_f64()? as f32)),
        _ => None,
    };
    let pairs: Option<Vec<_>> = list.iter().map(pair).collect();
    pairs.ok_or_else(|| root.unexpected(key, "a list of pairs [[token ids], number]"))
}

/// One text or a list of them.
fn texts(root: &ConfigObject<'_>, key: &str) -> Result<Vec<String>, Error> {
    match root.get(key) {
        None => Ok(Vec::new()),
        Some(Value::String(text)) => Ok(vec![text.clone()]),
        Some(_) => {
            let texts = root.get_strs(key)?.unwrap_or_default();
            Ok(texts.into_iter().map(str::to_owned).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<GenerationConfig, Error> {
        GenerationConfig::from_json(&ConfigJson::parse("generation_config.json", text.as_bytes())?)
    }

    /// `vars(GenerationConfig())` of transformers 5.24.
    const ALL: &str = "_from_model_config assistant_confidence_threshold assistant_early_exit assistant_ensemble_weight \
        assistant_lookbehind bad_words_ids begin_suppress_tokens bos_token_id cache_config cache_implementation \
        compile_config constraints continuous_batching_config decoder_start_token_id disable_compile diversity_penalty \
        do_sample dola_layers early_stopping encoder_no_repeat_ngram_size encoder_repetition_penalty eos_token_id \
        epsilon_cutoff eta_cutoff exponential_decay_length_penalty force_words_ids forced_bos_token_id \
        forced_eos_token_id guidance_scale is_assistant length_penalty low_memory max_cache_len max_length \
        max_matching_ngram_size max_new_tokens max_time min_length min_new_tokens min_p no_repeat_ngram_size \
        num_assistant_tokens num_assistant_tokens_schedule num_beam_groups num_beams num_return_sequences \
        output_attentions output_hidden_states output_logits output_scores pad_token_id penalty_alpha \
        prefill_chunk_size prompt_lookup_num_tokens remove_invalid_values renormalize_logits repetition_penalty \
        return_dict_in_generate sequence_bias speculation_type stop_strings suppress_tokens target_lookbehind \
        temperature token_healing top_h top_k top_p transformers_version typical_p use_cache use_mtp \
        watermarking_config";

    #[test]
    fn every_key_is_in_one_of_the_four_lists() {
        let not_done = NOT_DONE.iter().map(|(key, _)| *key);
        let mut listed: Vec<_> =
            DONE.iter().chain(SAMPLING).chain(WITHOUT_MEANING).copied().chain(not_done).collect();
        listed.sort_unstable();
        let all: Vec<_> = ALL.split_whitespace().collect();
        assert_eq!(listed, all);
    }

    #[test]
    fn what_is_not_done_is_named_where_it_is_on() {
        let off = r#"{"num_beams": 1, "guidance_scale": 1.0, "top_h": null, "token_healing": false,
                      "epsilon_cutoff": 0.0, "force_words_ids": [], "watermarking_config": {}}"#;
        assert_eq!(read(off).unwrap().not_done, [""; 0]);
        let on = r#"{"num_beams": 4, "penalty_alpha": 0.6, "dola_layers": "high", "forced_eos_token_id": 2,
                     "constraints": [1], "token_healing": true}"#;
        assert_eq!(
            read(on).unwrap().not_done,
            [
                "constraints [1]",
                "dola_layers \"high\"",
                "forced_eos_token_id 2",
                "num_beams 4",
                "penalty_alpha 0.6",
                "token_healing true"
            ]
        );
    }

    #[test]
    fn values_for_the_sampler_are_handed_on_as_they_are() {
        let config =
            read("{\"top_p\": 0.9,\n\"top_k\": \"many\", \"min_p\": null, \"min_length\": 9}")
                .unwrap();
        let texts: Vec<_> =
            config.sampling.iter().map(|given| (given.key, given.text.as_str())).collect();
        assert_eq!(texts, [("min_length", "9"), ("top_k", "\"many\""), ("top_p", "0.9")]);
        let message = config.sampling[1].refused("a whole number").to_string();
        for part in ["generation_config.json", ".json:2: ", "top_k", "many", "a whole number"] {
            assert!(message.contains(part), "{part}: {message}");
        }
    }

    #[test]
    fn lists_of_tokens_are_read_and_wrong_ones_named() {
        let config = read(
            r#"{"suppress_tokens": [1, -1, 2], "begin_suppress_tokens": [3], "bad_words_ids": [[4], [5, 6]],
                "sequence_bias": [[[7, 8], -2.5]], "stop_strings": ["a", "b"]}"#,
        )
        .unwrap();
        assert_eq!((config.suppress_tokens, config.begin_suppress_tokens), (vec![1, 2], vec![3]));
        assert_eq!(config.bad_words_ids, [vec![4], vec![5, 6]]);
        assert_eq!(config.sequence_bias, [(vec![7, 8], -2.5)]);
        assert_eq!(config.stop_strings, ["a", "b"]);
        assert_eq!(read(r#"{"stop_strings": "end"}"#).unwrap().stop_strings, ["end"]);
        for wrong in [
            r#"{"bad_words_ids": [1]}"#,
            r#"{"bad_words_ids": [[-1]]}"#,
            r#"{"sequence_bias": {"1": 2.0}}"#,
            r#"{"stop_strings": [1]}"#,
            r#"{"suppress_tokens": "x"}"#,
        ] {
            let message = read(wrong).unwrap_err().to_string();
            assert!(message.contains(&wrong[2..14]), "{message}");
        }
    }
}
