//! What models are, from their files.

use std::path::Path;
use std::time::SystemTime;

use scaffold::about::About;
use scaffold::hub::{LocalModel, ModelFiles};
use scaffold::registry::ModelKind;
use scaffold::{Error, LoadOptions, Model};
use sha2::{Digest as _, Sha256};

/// What is told of a model without its template.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    pub(crate) family: String,
    pub(crate) parameters: u64,
    pub(crate) quantization: String,
    pub(crate) context: usize,
    pub(crate) width: usize,
    pub(crate) capabilities: Vec<&'static str>,
    /// Whether its template knows thoughts.
    pub(crate) thinks: bool,
}

impl Facts {
    pub(crate) fn of(about: &About) -> Self {
        Self {
            family: about.architecture.clone(),
            parameters: about.parameters,
            quantization: about.quantization().to_owned(),
            context: about.context,
            width: about.embedding_length,
            capabilities: capabilities(about),
            thinks: about.capabilities.contains(&"thinking"),
        }
    }
}

/// What can be asked of a model here.
pub(crate) fn capabilities(about: &About) -> Vec<&'static str> {
    let done = |word: &&str| {
        ["completion", "tools", "thinking", "insert", "embedding", "rerank"].contains(word)
    };
    about.capabilities.iter().copied().filter(done).collect()
}

/// What a model is to be loaded as.
pub(super) fn kind(local: &LocalModel) -> Result<ModelKind, Error> {
    let about = About::of(&Model::open(local, &LoadOptions::default())?)?;
    Ok(match about.capabilities.first() {
        Some(&"rerank") => ModelKind::CrossEncoder,
        Some(&"embedding") => ModelKind::Embedder,
        _ => ModelKind::Language,
    })
}

pub(super) fn modified(path: &Path) -> SystemTime {
    let time = std::fs::metadata(path).and_then(|meta| meta.modified());
    time.unwrap_or(SystemTime::UNIX_EPOCH)
}

pub(crate) fn digest(name: &str, revision: &str, bytes: u64) -> String {
    let hash = Sha256::digest(format!("{name}\n{revision}\n{bytes}"));
    hash.iter().fold(String::new(), |digits, byte| format!("{digits}{byte:02x}"))
}

pub(super) fn format_of(local: &LocalModel) -> &'static str {
    match local.files {
        ModelFiles::Gguf(_) => "gguf",
        ModelFiles::Directory(_) => "safetensors",
    }
}
