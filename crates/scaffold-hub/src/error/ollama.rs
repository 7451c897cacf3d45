//! What can go wrong with Ollama's store.

use std::path::PathBuf;

/// What can go wrong with a model of Ollama's.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OllamaError {
    /// There is no store.
    #[error("no Ollama models are on this machine; looked in {}. If they are elsewhere, set OLLAMA_MODELS", join(.looked))]
    NoStore {
        /// The directories that were looked at.
        looked: Vec<PathBuf>,
    },
    /// The store does not have it.
    #[error("Ollama's store has no `{name}`{}", if .available.is_empty() { "; it is empty".to_owned() } else { format!(". It has: {}", .available.join(", ")) })]
    NotFound {
        /// The name in full.
        name: String,
        /// What is there, the nearest first.
        available: Vec<String>,
    },
    /// The store may not be read.
    #[error("{path} cannot be read: {source}. The Linux service keeps its models for the user `ollama`; add yourself to its group, or run as a user who may read them", path = .path.display())]
    Unreadable {
        /// The file or directory.
        path: PathBuf,
        /// The system's own words.
        #[source]
        source: std::io::Error,
    },
    /// The manifest makes no sense.
    #[error("Ollama's manifest {path} cannot be used: {problem}. `ollama pull` the model again", path = .path.display())]
    BadManifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
}

fn join(paths: &[PathBuf]) -> String {
    paths.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", ")
}
