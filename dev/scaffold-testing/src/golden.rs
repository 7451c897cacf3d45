//! Small models with the numbers that other software computed from them.
//!
//! They lie in `tests/golden/tiny` at the root of the repository, beside the scripts that made
//! them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use scaffold_formats::{ConfigJson, Safetensors};
use scaffold_kernels::dequantize;
use serde_json::Value;

/// Rows of numbers: logits, hidden states or pooled outputs.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    /// Values per row.
    pub cols: usize,
    /// Row after row.
    pub values: Vec<f32>,
}

impl Rows {
    /// The number of rows.
    pub fn len(&self) -> usize {
        self.values.len() / self.cols.max(1)
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// One row.
    pub fn row(&self, index: usize) -> &[f32] {
        &self.values[index * self.cols..(index + 1) * self.cols]
    }
}

/// One row of a batch that was computed with padding, its padding taken off again.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchRow {
    /// The tokens that are not padding.
    pub ids: Vec<u32>,
    /// What they give: a row per token for hidden states, one row for the logits of a classifier.
    pub expected: Rows,
}

/// A tiny model and what `transformers` computed from it.
#[derive(Clone, Debug)]
pub struct TinyGolden {
    /// The directory's name, such as `llama3_rope`.
    pub name: String,
    /// The directory: `config.json`, `model.safetensors` and the golden's own files.
    pub dir: PathBuf,
    /// The class of `transformers` that computed it, such as `LlamaForCausalLM`.
    pub class: String,
    /// The tokens of the single row.
    pub input_ids: Vec<u32>,
    /// Decoders: the tokens that greedy decoding adds. Empty where they depend on how the model is
    /// run: see the goldens' own README about `llama_dynamic_rope`.
    pub greedy_ids: Vec<u32>,
    /// Encoders with token types: a type for every token of `input_ids`, used for the arrays that
    /// start with `tt_`.
    pub token_type_ids: Vec<u32>,
    json: Value,
    arrays: HashMap<String, Rows>,
    batch: Vec<BatchRow>,
}

/// The folder with the tiny models.
pub fn tiny_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/tiny")
}

/// The names of all tiny models, sorted.
pub fn tiny_names() -> Vec<String> {
    let entries = std::fs::read_dir(tiny_root())
        .unwrap_or_else(|error| panic!("cannot list the tiny models: {error}"));
    let mut names: Vec<String> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.path().join("golden.json").exists())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}

/// The tiny models with a language-modelling head, sorted.
pub fn tiny_decoders() -> Vec<TinyGolden> {
    tiny_names().iter().map(|name| tiny(name)).filter(TinyGolden::is_decoder).collect()
}

/// The tiny models without one, sorted: encoders and classifiers.
pub fn tiny_encoders() -> Vec<TinyGolden> {
    tiny_names().iter().map(|name| tiny(name)).filter(|golden| !golden.is_decoder()).collect()
}

/// Loads the golden of a tiny model.
///
/// # Panics
/// There is none of that name (the message lists those that there are), or its files are damaged.
pub fn tiny(name: &str) -> TinyGolden {
    let dir = tiny_root().join(name);
    assert!(
        dir.join("golden.json").exists(),
        "there is no tiny model {name:?}; there are {}",
        tiny_names().join(", ")
    );
    TinyGolden::load(name, dir)
}

impl TinyGolden {
    fn load(name: &str, dir: PathBuf) -> Self {
        let text = std::fs::read(dir.join("golden.json"))
            .unwrap_or_else(|error| panic!("{name}/golden.json: {error}"));
        let json: Value = serde_json::from_slice(&text)
            .unwrap_or_else(|error| panic!("{name}/golden.json: {error}"));
        let arrays = read_arrays(&dir.join("golden.safetensors"));
        let batch = batch_rows(&json, &arrays);
        Self {
            name: name.to_owned(),
            class: json["class"].as_str().unwrap_or_default().to_owned(),
            input_ids: id_rows(&json["input_ids"]).into_iter().next().unwrap_or_default(),
            greedy_ids: ids(&json["greedy_ids"]),
            token_type_ids: id_rows(&json["token_type_ids"]).into_iter().next().unwrap_or_default(),
            arrays,
            batch,
            dir,
            json,
        }
    }

    /// Whether it is a language model, with `logits` for every position.
    pub fn is_decoder(&self) -> bool {
        self.class.ends_with("ForCausalLM") || self.class.ends_with("LMHeadModel")
    }

    /// The tokens of any of the golden's id rows, such as `short_input_ids`; empty where there is
    /// none.
    pub fn ids(&self, key: &str) -> Vec<u32> {
        id_rows(&self.json[key]).into_iter().next().unwrap_or_default()
    }

    /// The model's `config.json`.
    pub fn config(&self) -> ConfigJson {
        ConfigJson::open(&self.dir).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The model's weights.
    pub fn weights(&self) -> Safetensors {
        Safetensors::open(&self.dir).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Logits: of a decoder a row per position, of a classifier one row.
    pub fn logits(&self) -> &Rows {
        self.rows("logits")
    }

    /// Hidden states of an encoder, a row per position.
    pub fn last_hidden_state(&self) -> &Rows {
        self.rows("last_hidden_state")
    }

    /// The rows of a batch of different lengths.
    pub fn batch(&self) -> &[BatchRow] {
        &self.batch
    }

    /// Any of the golden's arrays, all leading dimensions flattened into rows.
    ///
    /// # Panics
    /// There is none of that name.
    pub fn rows(&self, array: &str) -> &Rows {
        self.find_rows(array).unwrap_or_else(|| {
            let mut known: Vec<_> = self.arrays.keys().map(String::as_str).collect();
            known.sort_unstable();
            panic!("{} has no {array:?}; it has {}", self.name, known.join(", "))
        })
    }

    /// Any of the golden's arrays, where it is there.
    pub fn find_rows(&self, array: &str) -> Option<&Rows> {
        self.arrays.get(array)
    }
}

fn read_arrays(path: &Path) -> HashMap<String, Rows> {
    let file = Safetensors::open(path).unwrap_or_else(|error| panic!("{error}"));
    let read = |tensor: scaffold_formats::Tensor<'_>| {
        let mut values = vec![0.0; tensor.len()];
        dequantize(tensor.ty, tensor.bytes, &mut values).unwrap_or_else(|error| panic!("{error}"));
        (tensor.name.to_owned(), Rows { cols: tensor.shape.last().copied().unwrap_or(1), values })
    };
    file.tensors().map(|tensor| read(tensor.unwrap_or_else(|error| panic!("{error}")))).collect()
}

fn ids(value: &Value) -> Vec<u32> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|id| u32::try_from(id.as_u64()?).ok())
        .collect()
}

fn id_rows(value: &Value) -> Vec<Vec<u32>> {
    value.as_array().into_iter().flatten().map(ids).collect()
}

fn batch_rows(json: &Value, arrays: &HashMap<String, Rows>) -> Vec<BatchRow> {
    let all_ids = id_rows(&json["batch_input_ids"]);
    let masks = id_rows(&json["batch_attention_mask"]);
    let per_token = arrays.get("batch_last_hidden_state");
    let Some(expected) = per_token.or_else(|| arrays.get("batch_logits")) else {
        return Vec::new();
    };
    let mut rows = Vec::new();
    for (number, (ids, mask)) in all_ids.iter().zip(&masks).enumerate() {
        let kept: Vec<usize> = (0..ids.len()).filter(|&position| mask[position] == 1).collect();
        let values = match per_token {
            Some(states) => kept
                .iter()
                .flat_map(|position| states.row(number * ids.len() + position))
                .copied()
                .collect(),
            None => expected.row(number).to_vec(),
        };
        rows.push(BatchRow {
            ids: kept.iter().map(|&position| ids[position]).collect(),
            expected: Rows { cols: expected.cols, values },
        });
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_golden_loads() {
        let names = tiny_names();
        assert!(names.len() >= 47, "{names:?}");
        assert_eq!(tiny_decoders().len() + tiny_encoders().len(), names.len());
        for golden in tiny_decoders() {
            assert_eq!(golden.logits().len(), golden.input_ids.len(), "{}", golden.name);
            assert_eq!(
                golden.greedy_ids.is_empty(),
                golden.name == "llama_dynamic_rope",
                "{}",
                golden.name
            );
        }
        let long = tiny("phi3_longrope");
        assert_eq!((long.ids("short_input_ids").len(), long.rows("short_logits").len()), (16, 16));
        for golden in tiny_encoders() {
            assert_eq!(golden.batch().len(), 2, "{}", golden.name);
            assert_eq!(golden.weights().paths().len(), 1);
        }
    }

    #[test]
    fn padding_is_taken_off() {
        let golden = tiny("bert");
        let short = &golden.batch()[1];
        assert_eq!(short.ids, [4, 310, 8, 200, 44]);
        assert_eq!((short.expected.len(), short.expected.cols), (5, 64));
        assert_eq!(short.expected.row(0), golden.rows("batch_last_hidden_state").row(16));
        assert_eq!(golden.token_type_ids.len(), 16);
        let classes = tiny("bert_seqcls");
        assert_eq!((classes.batch()[1].expected.len(), classes.logits().len()), (1, 1));
    }
}
