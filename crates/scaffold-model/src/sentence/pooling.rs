//! One vector from a text's hidden states.

use scaffold_formats::ConfigJson;

use crate::ModelError;

/// A way of making one vector of many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolingMode {
    /// The first token's.
    Cls,
    /// The largest value in each dimension.
    Max,
    /// The mean.
    Mean,
    /// The sum over the root of the count.
    MeanSqrtLength,
    /// The mean, the first token weighted by 1, the second by 2 and so on.
    WeightedMean,
    /// The last token's.
    LastToken,
}

/// In the order in which sentence-transformers puts them side by side: old key, new name, mode.
const MODES: &[(&str, &str, PoolingMode)] = &[
    ("pooling_mode_cls_token", "cls", PoolingMode::Cls),
    ("pooling_mode_max_tokens", "max", PoolingMode::Max),
    ("pooling_mode_mean_tokens", "mean", PoolingMode::Mean),
    (
        "pooling_mode_mean_sqrt_len_tokens",
        "mean_sqrt_len_tokens",
        PoolingMode::MeanSqrtLength,
    ),
    (
        "pooling_mode_weightedmean_tokens",
        "weightedmean",
        PoolingMode::WeightedMean,
    ),
    (
        "pooling_mode_lasttoken",
        "lasttoken",
        PoolingMode::LastToken,
    ),
];

/// How a text's hidden states become one vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pooling {
    /// One or several, whose vectors stand side by side.
    pub modes: Vec<PoolingMode>,
    /// Tokens of an instruction at the head of the text count too.
    pub include_prompt: bool,
}

impl Pooling {
    /// Reads a pooling module's `config.json`.
    pub(super) fn read(config: &ConfigJson) -> Result<Self, ModelError> {
        let root = config.root();
        let mut modes = Vec::new();
        for (old, _, mode) in MODES {
            if root.get_bool(old)?.unwrap_or(false) {
                modes.push(*mode);
            }
        }
        let named: Vec<&str> = match config.map().get("pooling_mode") {
            Some(serde_json::Value::String(name)) => vec![name],
            Some(serde_json::Value::Array(names)) => {
                names.iter().filter_map(|n| n.as_str()).collect()
            }
            _ => Vec::new(),
        };
        for name in named {
            let known = MODES.iter().find(|(_, new, _)| *new == name);
            let (.., mode) = known
                .ok_or_else(|| unknown(config, format!("the pooling `{name}` is not supported")))?;
            modes.push(*mode);
        }
        if modes.is_empty() {
            return Err(unknown(config, "it names no pooling".to_owned()));
        }
        Ok(Self {
            modes,
            include_prompt: root.get_bool("include_prompt")?.unwrap_or(true),
        })
    }

    /// Appends the vector of one text, `hidden` being `[tokens, width]`.
    pub(super) fn pool(
        &self,
        hidden: &[f32],
        width: usize,
        prompt_tokens: usize,
        out: &mut Vec<f32>,
    ) {
        let tokens = hidden.len() / width;
        let skip = if self.include_prompt {
            0
        } else {
            prompt_tokens.min(tokens.saturating_sub(1))
        };
        let rows = &hidden[skip * width..];
        for mode in &self.modes {
            let start = out.len();
            out.resize(start + width, 0.0);
            mode.pool(rows, &mut out[start..]);
        }
    }
}

impl PoolingMode {
    fn pool(self, rows: &[f32], out: &mut [f32]) {
        let width = out.len();
        let count = rows.len() / width;
        let last = count.saturating_sub(1);
        match self {
            Self::Cls => out.copy_from_slice(&rows[..width]),
            Self::LastToken => out.copy_from_slice(&rows[last * width..]),
            Self::Max => {
                out.fill(f32::NEG_INFINITY);
                for row in rows.chunks_exact(width) {
                    for (o, x) in out.iter_mut().zip(row) {
                        *o = o.max(*x);
                    }
                }
            }
            Self::Mean => weighted(rows, out, |_| 1.0, count as f32),
            Self::MeanSqrtLength => weighted(rows, out, |_| 1.0, (count as f32).sqrt()),
            Self::WeightedMean => weighted(
                rows,
                out,
                |i| (i + 1) as f32,
                (count * (count + 1) / 2) as f32,
            ),
        }
    }
}

/// The sum of the rows by their weights, over `total`.
fn weighted(rows: &[f32], out: &mut [f32], weight: impl Fn(usize) -> f32, total: f32) {
    for (i, row) in rows.chunks_exact(out.len()).enumerate() {
        let w = weight(i);
        for (o, x) in out.iter_mut().zip(row) {
            *o += w * x;
        }
    }
    for o in out {
        *o /= total.max(1e-9);
    }
}

fn unknown(config: &ConfigJson, problem: String) -> ModelError {
    ModelError::Module {
        file: config.path().display().to_string(),
        problem,
        action: "supported are cls, max, mean, mean_sqrt_len_tokens, weightedmean and lasttoken",
    }
}
