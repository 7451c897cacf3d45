//! An encoder with its tokenizer, from the files of a model.

use std::path::Path;
use std::sync::Arc;

use scaffold_hub::{LocalModel, ModelFiles};
use scaffold_model::{Encoder, Exec, Kind};
use scaffold_text::Tokenizer;

use super::EmbedError;
use crate::error::Error;
use crate::exec::exec;
use crate::memory::{self, Work};
use crate::options::LoadOptions;
use crate::weights::Weights;

/// An encoder with its tokenizer.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) encoder: Arc<Encoder>,
    pub(crate) tokenizer: Tokenizer,
    pub(crate) exec: Arc<Exec>,
    pub(crate) notices: Vec<String>,
}

impl Loaded {
    pub(crate) fn open(directory: &Path, options: &LoadOptions) -> Result<Loaded, Error> {
        let weights = Weights::open_with(directory, options.unknown_keys)?;
        if matches!(weights.spec.kind, Kind::Decoder(_)) {
            return Err(EmbedError::NotAnEncoder {
                place: directory.display().to_string(),
                family: weights.spec.family,
            }
            .into());
        }
        memory::plan_of(&weights, &Work::of(Some(&weights.spec), options), options)?;
        let mut notices = weights.notices(None);
        let exec = Arc::new(exec(options, &mut notices)?);
        let (tokenizer, about_text) = Tokenizer::from_dir(
            directory,
            &scaffold_text::LoadOptions { use_fast: options.fast_tokenizer },
        )?;
        let encoder = Encoder::load(
            weights.tensors(),
            weights.spec.clone(),
            Arc::clone(&exec),
            &scaffold_model::LoadOptions { precision: options.precision(), store: None },
        )?;
        Ok(Loaded {
            encoder: Arc::new(encoder),
            tokenizer,
            exec,
            notices: notices
                .iter()
                .map(ToString::to_string)
                .chain(about_text.iter().map(ToString::to_string))
                .collect(),
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
