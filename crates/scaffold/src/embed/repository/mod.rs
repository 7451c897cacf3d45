//! What a `sentence-transformers` repository says about its embeddings: the chain of modules, the
//! limits, the prompts.
//!
//! The files and their meaning are those of `sentence-transformers` 2.0 to 6.2. A repository
//! without `modules.json` is read as that library reads it: mean pooling, nothing after it.

mod dense;
pub(crate) mod limits;
pub(crate) mod modules;
mod pooling;
pub(crate) mod prompts;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use scaffold_error::{Notice, err};
use scaffold_formats::read_python_json;
use serde::de::DeserializeOwned;

pub use dense::{DenseSpec, LayerNormSpec};
pub use limits::{CutSide, Limits};
pub use pooling::{Pooling, PoolingMode};
pub use prompts::{Prompt, Prompts};

use super::Similarity;
use crate::error::Error;

/// Real ones have a few hundred bytes.
const MAX_JSON_BYTES: u64 = 4 << 20;

/// A repository's description of its embeddings.
#[derive(Clone, Debug, PartialEq)]
pub struct Repository {
    /// The directory of the transformer itself (`config.json`, weights, tokenizer).
    pub transformer: PathBuf,
    /// Longest input and case folding.
    pub limits: Limits,
    /// What happens to the transformer's hidden states, in order. The first is the pooling.
    pub modules: Vec<Module>,
    /// Texts that are put before an input.
    pub prompts: Prompts,
    /// How two embeddings are compared.
    pub similarity: Similarity,
    /// The first this many numbers of an embedding are kept, if the repository says so.
    pub truncate_dim: Option<usize>,
    /// What the user should know about how the repository was read.
    pub notices: Vec<Notice>,
}

/// A step after the transformer.
#[derive(Clone, Debug, PartialEq)]
pub enum Module {
    /// Hidden states of all tokens to one vector.
    Pooling(Pooling),
    /// A linear map with an activation.
    Dense(DenseSpec),
    /// A norm with learned weights.
    LayerNorm(LayerNormSpec),
    /// To length 1.
    Normalize,
}

impl Repository {
    /// Reads the description in `directory`. Weights are not touched.
    ///
    /// # Errors
    /// A file that cannot be read or is not what its name says; a module, pooling mode, activation
    /// or similarity that is unknown, each named with its file and what is known.
    pub fn open(directory: &Path) -> Result<Repository, Error> {
        let mut notices = Vec::new();
        let chain = modules::read(directory, &mut notices)?;
        let settings = prompts::read(directory)?;
        Ok(Repository {
            limits: limits::read(&chain.transformer)?,
            transformer: chain.transformer,
            modules: chain.modules,
            prompts: settings.prompts,
            similarity: settings.similarity,
            truncate_dim: settings.truncate_dim,
            notices,
        })
    }

    /// Whether an embedding leaves the modules with length 1.
    pub fn normalizes(&self) -> bool {
        matches!(self.modules.last(), Some(Module::Normalize))
    }
}

/// Reads a small JSON file; `None` where there is none.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Error> {
    let unreadable = |error| {
        Error::io("read", path)(error)
            .remedy("check that the file is whole and that this user may read it")
    };
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
        Ok(data) if data.len() > MAX_JSON_BYTES => {
            let (place, bytes) = (path.display(), data.len());
            return Err(err!(
                TooLarge,
                "{place} has {bytes} bytes; such a file has {MAX_JSON_BYTES} at most, so this is something else"
            )
            .of_file(path)
            .remedy("fetch the repository again"));
        }
        Ok(_) => {}
    }
    let bytes = fs::read(path).map_err(unreadable)?;
    read_python_json(&bytes)
        .map(Some)
        .map_err(|error| {
            err!(
                Damaged,
                "{error}\n  what it means: the repository's description of its embeddings is damaged, or of a kind that this \
                 version does not know"
            )
            .in_file(path)
        })
}

/// Reads a small JSON file that has to be there.
pub(crate) fn needed_json<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    read_json(path)?.ok_or_else(|| {
        err!(Damaged, "{} is missing, although modules.json names its module", path.display())
            .of_file(path)
            .remedy("fetch the repository again with all its directories")
    })
}

/// Reads a JSON file of any size; `None` where there is none that can be read.
pub(crate) fn read_large_json<T: DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_reader(io::BufReader::new(fs::File::open(path).ok()?)).ok()
}

#[cfg(test)]
mod tests;
