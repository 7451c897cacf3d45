//! How long an input may be: `sentence_bert_config.json`, the tokenizer's and the model's own
//! limits.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{read_json, read_large_json};
use crate::error::Error;

/// The names that this file has had.
const NAMES: [&str; 7] = [
    "sentence_bert_config.json",
    "sentence_roberta_config.json",
    "sentence_distilbert_config.json",
    "sentence_camembert_config.json",
    "sentence_albert_config.json",
    "sentence_xlm-roberta_config.json",
    "sentence_xlnet_config.json",
];

/// How long an input may be, and whether its letters are lowered first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Tokens of an input, with the special ones, and the file that says so.
    pub max_tokens: Option<(usize, PathBuf)>,
    /// All letters are lowered before the tokenizer sees them.
    pub lower_case: bool,
    /// Which end of a text is cut off where it is too long.
    pub cut_side: CutSide,
}

/// Which end of a text is cut off (`truncation_side` in `tokenizer_config.json`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CutSide {
    /// The beginning stays.
    #[default]
    #[serde(alias = "Right")]
    Right,
    /// The end stays.
    #[serde(alias = "Left")]
    Left,
}

impl CutSide {
    /// What of a text stays, in a sentence: `first` or `last`.
    pub fn kept(self) -> &'static str {
        match self {
            CutSide::Right => "first",
            CutSide::Left => "last",
        }
    }
}

impl Limits {
    /// Lowers the limit to what the model can compute. (RoBERTa's table of positions has two rows
    /// more than that.)
    pub(crate) fn at_most(&mut self, context: usize, transformer: &Path) {
        if self.max_tokens.as_ref().is_none_or(|(limit, _)| *limit > context) {
            self.max_tokens = Some((context, transformer.join("config.json")));
        }
    }
}

#[derive(Deserialize)]
struct SentenceFile {
    max_seq_length: Option<usize>,
    #[serde(default)]
    do_lower_case: bool,
}

#[derive(Deserialize)]
struct TokenizerFile {
    // Some files hold 1e30 here, for "no limit".
    model_max_length: Option<f64>,
    truncation_side: Option<CutSide>,
}

/// What is needed of `tokenizer.json`: what cut the texts when it was saved.
#[derive(Deserialize)]
struct FastFile {
    truncation: Option<Truncation>,
}

#[derive(Deserialize)]
struct Truncation {
    direction: Option<CutSide>,
}

#[derive(Deserialize)]
struct ModelFile {
    max_position_embeddings: Option<i64>,
}

pub(crate) fn read(transformer: &Path) -> Result<Limits, Error> {
    let cut_side = cut_side(transformer)?;
    for name in NAMES {
        let path = transformer.join(name);
        if let Some(file) = read_json::<SentenceFile>(&path)? {
            let own = file.max_seq_length.map(|limit| (limit, path));
            return Ok(Limits {
                max_tokens: match own {
                    Some(own) => Some(own),
                    None => of_model(transformer)?,
                },
                lower_case: file.do_lower_case,
                cut_side,
            });
        }
    }
    Ok(Limits { max_tokens: of_model(transformer)?, lower_case: false, cut_side })
}

/// What the tokenizer's settings say, else what its file was saved with.
fn cut_side(transformer: &Path) -> Result<CutSide, Error> {
    let settings = read_json::<TokenizerFile>(&transformer.join("tokenizer_config.json"))?;
    if let Some(side) = settings.and_then(|file| file.truncation_side) {
        return Ok(side);
    }
    // The tokenizer itself reads the file more carefully, and says what is wrong with it.
    let saved = read_large_json::<FastFile>(&transformer.join("tokenizer.json"));
    let direction = saved.and_then(|file| file.truncation?.direction);
    Ok(direction.unwrap_or_default())
}

/// The smaller one of what the tokenizer and the model say.
fn of_model(transformer: &Path) -> Result<Option<(usize, PathBuf)>, Error> {
    let path = transformer.join("tokenizer_config.json");
    let tokenizer = read_json::<TokenizerFile>(&path)?
        .and_then(|file| file.model_max_length)
        .filter(|&limit| limit >= 1.0 && limit < f64::from(u32::MAX))
        .map(|limit| (limit as usize, path));
    let path = transformer.join("config.json");
    let model = read_json::<ModelFile>(&path)?
        .and_then(|file| file.max_position_embeddings)
        .and_then(|limit| usize::try_from(limit).ok())
        .filter(|&limit| limit > 0)
        .map(|limit| (limit, path));
    Ok([tokenizer, model].into_iter().flatten().min_by_key(|(limit, _)| *limit))
}
