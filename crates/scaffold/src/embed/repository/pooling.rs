//! `1_Pooling/config.json`: how the hidden states of all tokens become one vector.

use scaffold_error::err;
use std::path::Path;

use serde::Deserialize;

use super::needed_json;
use crate::error::Error;

/// How the hidden states of all tokens become one vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pooling {
    /// One or more; their results are concatenated in this order.
    pub modes: Vec<PoolingMode>,
    /// Whether the tokens of a prompt take part.
    pub include_prompt: bool,
    /// Width of a hidden state, if the file says so.
    pub width: Option<usize>,
}

/// One way of pooling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolingMode {
    /// The first token's state.
    Cls,
    /// The largest value of each dimension.
    Max,
    /// The mean.
    Mean,
    /// The sum over the square root of the number of tokens.
    MeanSqrtLen,
    /// A mean in which the token at position `p` (from 1) weighs `p` (Muennighoff 2022, SGPT).
    WeightedMean,
    /// The last token's state.
    LastToken,
}

impl PoolingMode {
    /// Every mode, in the order in which the older files' flags are concatenated.
    pub const ALL: [PoolingMode; 6] = [
        PoolingMode::Cls,
        PoolingMode::Max,
        PoolingMode::Mean,
        PoolingMode::MeanSqrtLen,
        PoolingMode::WeightedMean,
        PoolingMode::LastToken,
    ];

    /// The name in `pooling_mode`.
    pub fn name(self) -> &'static str {
        match self {
            PoolingMode::Cls => "cls",
            PoolingMode::Max => "max",
            PoolingMode::Mean => "mean",
            PoolingMode::MeanSqrtLen => "mean_sqrt_len_tokens",
            PoolingMode::WeightedMean => "weightedmean",
            PoolingMode::LastToken => "lasttoken",
        }
    }
}

impl Pooling {
    /// The mean over all tokens.
    pub fn mean() -> Pooling {
        Pooling { modes: vec![PoolingMode::Mean], include_prompt: true, width: None }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Modes {
    One(String),
    Several(Vec<String>),
}

#[derive(Deserialize)]
struct File {
    #[serde(alias = "word_embedding_dimension")]
    embedding_dimension: Option<usize>,
    pooling_mode: Option<Modes>,
    #[serde(default)]
    pooling_mode_cls_token: bool,
    #[serde(default)]
    pooling_mode_max_tokens: bool,
    #[serde(default)]
    pooling_mode_mean_tokens: bool,
    #[serde(default)]
    pooling_mode_mean_sqrt_len_tokens: bool,
    #[serde(default)]
    pooling_mode_weightedmean_tokens: bool,
    #[serde(default)]
    pooling_mode_lasttoken: bool,
    include_prompt: Option<bool>,
}

pub(super) fn read(directory: &Path) -> Result<Pooling, Error> {
    let path = directory.join("config.json");
    let file: File = needed_json(&path)?;
    let modes = match &file.pooling_mode {
        Some(Modes::One(name)) => vec![mode(name, &path)?],
        Some(Modes::Several(names)) => {
            names.iter().map(|name| mode(name, &path)).collect::<Result<_, _>>()?
        }
        None => file.flags(),
    };
    Ok(Pooling {
        // A file that chooses nothing means the mean.
        modes: if modes.is_empty() { vec![PoolingMode::Mean] } else { modes },
        include_prompt: file.include_prompt.unwrap_or(true),
        width: file.embedding_dimension,
    })
}

impl File {
    fn flags(&self) -> Vec<PoolingMode> {
        let flags = [
            self.pooling_mode_cls_token,
            self.pooling_mode_max_tokens,
            self.pooling_mode_mean_tokens,
            self.pooling_mode_mean_sqrt_len_tokens,
            self.pooling_mode_weightedmean_tokens,
            self.pooling_mode_lasttoken,
        ];
        let chosen = flags.into_iter().zip(PoolingMode::ALL);
        chosen.filter_map(|(flag, mode)| flag.then_some(mode)).collect()
    }
}

fn mode(name: &str, path: &Path) -> Result<PoolingMode, Error> {
    PoolingMode::ALL.into_iter().find(|mode| mode.name() == name).ok_or_else(|| {
        let known = PoolingMode::ALL.map(PoolingMode::name).join(", ");
        err!(Unsupported, "there is no pooling mode `{name}`\n  accepted: {known}").in_file(path)
    })
}
