//! The configurations of `Dense` and `LayerNorm` modules.

use scaffold_error::err;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::needed_json;
use crate::embed::activation::Activation;
use crate::error::Error;

/// A linear map with an activation: `activation(W x + b)`, plus the input where `residual` says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DenseSpec {
    /// The directory of its weights.
    pub directory: PathBuf,
    /// Width of the input.
    pub in_features: usize,
    /// Width of the output.
    pub out_features: usize,
    /// Whether there is a `b`.
    pub bias: bool,
    /// Applied to each number.
    pub activation: Activation,
    /// The input is added to the output (through a linear map of its own where the widths differ).
    pub residual: bool,
}

/// A norm with learned weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerNormSpec {
    /// The directory of its weights.
    pub directory: PathBuf,
    /// Width of input and output.
    pub width: usize,
}

#[derive(Deserialize)]
struct DenseFile {
    in_features: usize,
    out_features: usize,
    bias: Option<bool>,
    activation_function: Option<String>,
    module_input_name: Option<String>,
    module_output_name: Option<String>,
    #[serde(default)]
    use_residual: bool,
}

#[derive(Deserialize)]
struct LayerNormFile {
    #[serde(alias = "embedding_dimension")]
    dimension: usize,
}

/// What a module of an embedding works on; the other names are for models of other kinds.
const SENTENCE: &str = "sentence_embedding";

pub(super) fn read(directory: &Path) -> Result<DenseSpec, Error> {
    let path = directory.join("config.json");
    let file: DenseFile = needed_json(&path)?;
    for name in [&file.module_input_name, &file.module_output_name] {
        if let Some(name) = name.as_deref().filter(|name| *name != SENTENCE) {
            return Err(err!(
                Unsupported,
                "the module works on `{name}`; here modules work on `{SENTENCE}`\n  what it means: the model gives a vector for \
                 each token, or more than one vector"
            )
            .in_file(path));
        }
    }
    // Absent means the module's default there, tanh.
    let class = file.activation_function.as_deref().unwrap_or("torch.nn.modules.activation.Tanh");
    let activation = Activation::by_class(class).map_err(|error| error.in_file(path))?;
    Ok(DenseSpec {
        directory: directory.to_owned(),
        in_features: file.in_features,
        out_features: file.out_features,
        bias: file.bias.unwrap_or(true),
        activation,
        residual: file.use_residual,
    })
}

pub(super) fn read_layer_norm(directory: &Path) -> Result<LayerNormSpec, Error> {
    let path = directory.join("config.json");
    let file: LayerNormFile = needed_json(&path)?;
    Ok(LayerNormSpec { directory: directory.to_owned(), width: file.dimension })
}
