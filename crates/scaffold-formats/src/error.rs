//! What can be wrong with a model's files.

mod gguf;
mod json;
mod packed;
mod safetensors;
mod write;

use std::io;
use std::path::PathBuf;

pub use gguf::GgufProblem;
pub use json::JsonProblem;
pub use packed::PackedProblem;
pub use safetensors::SafetensorsProblem;
pub use write::WriteProblem;

use crate::quoted::Quoted;

/// Why a model's files could not be read or written. Every message names the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// The system refused an operation on a file.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// The operation as a verb: open, map, read, write…
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A path that should be a file is something else.
    #[error("{} is not a regular file; give the path of a model file, or of the directory that holds one", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// A directory holds none of the weight files that can be read.
    #[error(
        "{} holds no safetensors weights: neither model.safetensors nor model.safetensors.index.json is there{}",
        path.display(),
        if *pickled {
            "; its pytorch_model.bin is a Python pickle, which can run code when it is read and is therefore not \
             supported: look for a revision or a conversion with safetensors"
        } else {
            ""
        }
    )]
    NoWeights {
        /// The directory.
        path: PathBuf,
        /// Whether weights in PyTorch's pickle format are there instead.
        pickled: bool,
    },
    /// A GGUF file is damaged, hostile or of a kind that is not supported.
    #[error("{}: {problem}", path.display())]
    Gguf {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: GgufProblem,
    },
    /// A safetensors file or its index is damaged, hostile or of a kind that is not supported.
    #[error("{}: {problem}", path.display())]
    Safetensors {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: SafetensorsProblem,
    },
    /// A JSON file is damaged, or a key holds something unexpected.
    #[error("{}{}: {problem}", path.display(), line.map(|line| format!(", line {line}")).unwrap_or_default())]
    Json {
        /// The file.
        path: PathBuf,
        /// The line, from 1, where one can be named.
        line: Option<usize>,
        /// What is wrong with it.
        problem: JsonProblem,
    },
    /// A file of packed weights cannot be used; the weights are packed again from the model's own
    /// files.
    #[error("{} {problem}", path.display())]
    Packed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: PackedProblem,
    },
    /// A tensor that the model needs is not there.
    #[error(
        "{origin} has no tensor {}; the file is incomplete or of another architecture than its configuration says",
        Quoted(tensor)
    )]
    MissingTensor {
        /// The name that was looked for.
        tensor: String,
        /// Where it was looked for.
        origin: String,
    },
    /// What was asked to be written makes no valid file.
    #[error("cannot write {}: {problem}", path.display())]
    Write {
        /// The file that was to be written.
        path: PathBuf,
        /// What is wrong with the request.
        problem: WriteProblem,
    },
}
