//! An encoder with its tokenizer, from the files of a model.

use std::path::Path;
use std::sync::Arc;

use scaffold_hub::{LocalModel, ModelFiles};
use scaffold_model::{Encoder, Exec};
use scaffold_text::Tokenizer;

use super::EmbedError;
use crate::error::Error;
use crate::memory::Work;
use crate::opened::{Opened, check_encoder};
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
        check_encoder(&weights)?;
        let mut opened = Opened::new(&weights, &Work::of(Some(&weights.spec), options), options)?;
        let (tokenizer, about_text) = Tokenizer::from_dir(
            directory,
            &scaffold_text::LoadOptions { use_fast: options.fast_tokenizer },
        )?;
        let encoder = opened.encoder()?;
        let told = opened.notices.iter().map(ToString::to_string);
        let notices = told.chain(about_text.iter().map(ToString::to_string)).collect();
        Ok(Loaded { encoder, tokenizer, exec: opened.exec, notices })
    }
}

/// The directory of a model's files.
pub(crate) fn directory(model: &LocalModel) -> Result<&Path, EmbedError> {
    match &model.files {
        ModelFiles::Directory(path) => Ok(path),
        ModelFiles::Gguf(path) => Err(EmbedError::NotADirectory { path: path.clone() }),
    }
}
