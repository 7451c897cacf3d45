//! An encoder with its tokenizer, from the files of a model.

use std::path::Path;
use std::sync::Arc;

use scaffold_hub::{LocalModel, ModelFiles};
use scaffold_model::{Encoder, Exec, Kind, Precision};
use scaffold_text::Tokenizer;

use super::EmbedError;
use crate::{Error, Weights};

/// How an encoder is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadOptions {
    /// Compute in `f32` whatever the weights are stored in.
    pub dequantize: bool,
    /// Read `tokenizer.json` before `tokenizer.model`.
    pub fast_tokenizer: bool,
}

impl Default for LoadOptions {
    fn default() -> LoadOptions {
        LoadOptions {
            dequantize: false,
            fast_tokenizer: true,
        }
    }
}

/// An encoder with its tokenizer.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) encoder: Encoder,
    pub(crate) tokenizer: Tokenizer,
    pub(crate) notices: Vec<String>,
}

impl Loaded {
    pub(crate) fn open(
        directory: &Path,
        exec: &Arc<Exec>,
        options: LoadOptions,
    ) -> Result<Loaded, Error> {
        let weights = Weights::open(directory)?;
        if matches!(weights.spec.kind, Kind::Decoder(_)) {
            return Err(EmbedError::NotAnEncoder {
                place: directory.display().to_string(),
                family: weights.spec.family,
            }
            .into());
        }
        let precision = if options.dequantize {
            Precision::F32
        } else {
            Precision::Native
        };
        let encoder = Encoder::load(
            weights.tensors(),
            weights.spec.clone(),
            Arc::clone(exec),
            &scaffold_model::LoadOptions { precision },
        )?;
        let (tokenizer, notices) = Tokenizer::from_dir(
            directory,
            &scaffold_text::LoadOptions {
                use_fast: options.fast_tokenizer,
            },
        )?;
        Ok(Loaded {
            encoder,
            tokenizer,
            notices: notices.iter().map(ToString::to_string).collect(),
        })
    }
}

/// The directory of a model's files.
pub(crate) fn directory(model: &LocalModel) -> Result<&Path, EmbedError> {
    match &model.files {
        ModelFiles::Directory(path) => Ok(path),
        ModelFiles::Gguf(path) => Err(EmbedError::NotADirectory { path: path.clone() }),
    }
}
