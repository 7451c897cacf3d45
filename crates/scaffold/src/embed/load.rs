//! An encoder with its tokenizer, from the files of a model.

use std::path::Path;
use std::sync::Arc;

use scaffold_error::{Notice, err};
use scaffold_hub::{LocalModel, ModelFiles, Progress};
use scaffold_model::{Encoder, Exec};
use scaffold_text::Tokenizer;

use crate::error::Error;
use crate::memory::Work;
use crate::model::{Model, Placed, check_encoder};

/// An encoder with its tokenizer.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) encoder: Arc<Encoder>,
    pub(crate) tokenizer: Tokenizer,
    pub(crate) exec: Arc<Exec>,
    pub(crate) notices: Vec<Notice>,
}

impl Loaded {
    pub(crate) fn open(model: &Model, progress: &mut dyn Progress) -> Result<Loaded, Error> {
        check_encoder(model)?;
        let placed = Placed::of(model, &Work::of(Some(model.spec()), model.options()))?;
        // A chat template has nothing to do with it, be it damaged.
        let fast = scaffold_text::LoadOptions { use_fast: model.options().fast_tokenizer };
        let (tokenizer, about_text) = Tokenizer::from_dir(model.path(), &fast)?;
        let encoder = placed.encoder(progress)?;
        let mut notices = placed.notices;
        notices.extend(about_text);
        Ok(Loaded { encoder, tokenizer, exec: placed.exec, notices })
    }
}

/// The directory of a model's files.
pub(crate) fn directory(model: &LocalModel) -> Result<&Path, Error> {
    match &model.files {
        ModelFiles::Directory(path) => Ok(path),
        ModelFiles::Gguf(path) => {
            let path = path.display();
            Err(err!(
                Unsupported,
                "{path} is a single file; how a model makes embeddings stands in the files beside its weights"
            )
            .remedy("name the directory or repository with config.json, safetensors weights and modules.json"))
        }
    }
}
