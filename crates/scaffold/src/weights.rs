//! A model's files, opened: what the model is, and its tensors.

use std::path::{Path, PathBuf};

use scaffold_formats::{ConfigJson, Gguf, Safetensors, TensorSource};
use scaffold_model::{Decoder, Kind, ModelSpec, UnknownKeys};

use crate::error::Error;
use crate::notice::Notice;

/// The files of a model, mapped and checked but not computed with yet.
#[derive(Debug)]
pub struct Weights {
    /// What the model is.
    pub spec: ModelSpec,
    path: PathBuf,
    tensors: Tensors,
}

#[derive(Debug)]
enum Tensors {
    Gguf(Box<Gguf>),
    Safetensors(Box<Safetensors>),
}

impl Weights {
    /// Opens a GGUF file (of a split one, the first part), or a directory with `config.json` and
    /// safetensors.
    ///
    /// # Errors
    /// The files are not what they claim to be, or the architecture is not supported.
    pub fn open(path: &Path) -> Result<Weights, Error> {
        Self::open_with(path, UnknownKeys::Refuse)
    }

    /// [`Weights::open`], with a choice of what happens to keys of a `config.json` that nobody
    /// knows.
    ///
    /// # Errors
    /// As [`Weights::open`].
    pub fn open_with(path: &Path, unknown: UnknownKeys) -> Result<Weights, Error> {
        let (spec, tensors) = if path.is_dir() {
            let spec = ModelSpec::from_config_with(&ConfigJson::open(path)?, unknown)?;
            (spec, Tensors::Safetensors(Box::new(Safetensors::open(path)?)))
        } else {
            let gguf = Gguf::open(path)?;
            let mut spec = ModelSpec::from_gguf(gguf.metadata())?;
            spec.see_vocabulary(&gguf);
            (spec, Tensors::Gguf(Box::new(gguf)))
        };
        Ok(Weights { spec, path: path.to_owned(), tensors })
    }

    /// The directory or file that was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The tensors by name.
    pub fn tensors(&self) -> &dyn TensorSource {
        match &self.tensors {
            Tensors::Gguf(gguf) => &**gguf,
            Tensors::Safetensors(safetensors) => &**safetensors,
        }
    }

    /// What the user should know about how the configuration was read, and about the weights that
    /// `decoder` came to.
    pub fn notices(&self, decoder: Option<&Decoder>) -> Vec<Notice> {
        let tied = |spec: &ModelSpec| match &spec.kind {
            Kind::Decoder(head) => head.tied,
            Kind::Encoder(_) => None,
        };
        let untied = tied(&self.spec) == Some(true)
            && decoder.is_some_and(|decoder| tied(decoder.spec()) == Some(false));
        let keys = &self.spec.passed_over;
        let passed_over = (!keys.is_empty())
            .then(|| Notice::PassedOver { keys: keys.clone(), family: self.spec.family });
        passed_over.into_iter().chain(untied.then_some(Notice::OwnHead)).collect()
    }

    /// The GGUF file, if it is one: it also holds the vocabulary and the chat template.
    pub fn gguf(&self) -> Option<&Gguf> {
        match &self.tensors {
            Tensors::Gguf(gguf) => Some(gguf),
            Tensors::Safetensors(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_opened_by_its_config() {
        let llama = scaffold_testing::golden::tiny("llama");
        let weights = Weights::open(&llama.dir).unwrap();
        assert_eq!((weights.spec.family, weights.spec.vocab), ("llama", 512));
        assert!(weights.gguf().is_none());
        assert!(weights.tensors().names().contains(&"model.embed_tokens.weight"));
    }

    #[test]
    fn what_is_missing_is_the_environments_fault_and_what_is_wrong_is_refused() {
        let missing = Weights::open(Path::new("/nowhere/model.gguf")).unwrap_err();
        assert!(
            !missing.is_refusal() && missing.to_string().contains("/nowhere/model.gguf"),
            "{missing}"
        );
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("model.gguf");
        std::fs::write(&path, "GGUF").unwrap();
        let wrong = Weights::open(&path).unwrap_err();
        assert!(wrong.is_refusal() && wrong.to_string().contains("model.gguf"), "{wrong}");
    }
}
