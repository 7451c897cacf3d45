//! What a name was resolved to.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::commit::Commit;
use crate::made::MadeModel;

/// A model's files on this disk.
#[derive(Debug, Clone)]
pub struct LocalModel {
    /// The name, in its full form.
    pub name: String,
    /// The files.
    pub files: ModelFiles,
    /// Where they came from.
    pub source: Source,
    /// The commit, when it is a repository's.
    pub revision: Option<Commit>,
    /// What Ollama's store says besides the weights.
    pub ollama: Option<OllamaModel>,
    /// The model of one's own that the files were asked for as. The name above is that of what it
    /// is made from.
    pub made: Option<Arc<MadeModel>>,
}

impl LocalModel {
    /// A directory or a GGUF file of the user's own, which is called by its path. Nothing is looked
    /// at.
    pub fn on_disk(path: &Path) -> Self {
        let own = path.to_owned();
        Self {
            name: path.display().to_string(),
            files: if path.is_dir() { ModelFiles::Directory(own) } else { ModelFiles::Gguf(own) },
            source: Source::Disk,
            revision: None,
            ollama: None,
            made: None,
        }
    }

    /// The name that it was asked for by, in its full form.
    pub fn called(&self) -> String {
        self.made.as_ref().map_or_else(|| self.name.clone(), |made| made.name.to_string())
    }

    /// The same files by another name.
    #[must_use]
    pub fn named(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }
}

/// In which form a model lies on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelFiles {
    /// A directory with `config.json`, safetensors weights and a tokenizer.
    Directory(PathBuf),
    /// A GGUF file; of a split one the first part, whose name tells the others'.
    Gguf(PathBuf),
}

impl ModelFiles {
    /// The directory or file itself.
    pub fn path(&self) -> &Path {
        match self {
            ModelFiles::Directory(path) | ModelFiles::Gguf(path) => path,
        }
    }
}

/// Where a model's files came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The user's own path.
    Disk,
    /// The cache that is shared with Python; the network was not touched.
    Cache,
    /// The Hub (or mirror) of this host, in this call.
    Hub(String),
    /// A package of a Python package index.
    Package {
        /// `name version`.
        package: String,
        /// The index's host; absent when it was unpacked earlier.
        index: Option<String>,
    },
    /// Ollama's store.
    Ollama,
    /// Files that were brought for a model of one's own.
    Made,
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Source::Disk => f.write_str("this disk"),
            Source::Cache => f.write_str("the cache"),
            Source::Hub(host) => f.write_str(host),
            Source::Package { package, index: Some(host) } => {
                write!(f, "the package {package} from {host}")
            }
            Source::Package { package, index: None } => {
                write!(f, "the package {package}, unpacked earlier")
            }
            Source::Ollama => f.write_str("Ollama's store"),
            Source::Made => f.write_str("the models of one's own"),
        }
    }
}

/// What Ollama's store says about a model besides its weights.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OllamaModel {
    /// The prompt template, in Go's template language.
    pub template: Option<String>,
    /// The system message.
    pub system: Option<String>,
    /// Sampling parameters and stop strings, a JSON object.
    pub parameters: Option<String>,
    /// The licences' texts.
    pub licences: Vec<String>,
    /// Parameter count as Ollama shows it (`3.2B`).
    pub size_label: Option<String>,
    /// Quantization as Ollama shows it (`Q4_K_M`).
    pub quantization: Option<String>,
    /// Parts that are there and not used: adapters, projectors and the like, by media type.
    pub unused: Vec<String>,
}
