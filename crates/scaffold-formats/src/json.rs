//! The JSON files beside a model's weights.

mod config;
pub mod generation;
mod lines;
mod object;
mod python;

use std::fs::File;
use std::io::Read;
use std::path::Path;

pub use config::ConfigJson;
pub use generation::GenerationConfig;
pub use object::ConfigObject;
pub use python::read_python_json;

use crate::FormatError;
use crate::quoted::Quoted;

/// What is wrong with a JSON file or a value in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JsonProblem {
    /// The file is larger than any real one of its kind.
    #[error("the file has {size} bytes; at most {most} are read, more than any real model needs")]
    TooLarge {
        /// The file's size.
        size: u64,
        /// The most that is read.
        most: u64,
    },
    /// The text is not JSON.
    #[error("not valid JSON: {0}")]
    Syntax(serde_json::Error),
    /// The text is JSON but not an object.
    #[error("the file should hold an object `{{…}}` but holds {found}")]
    NotAnObject {
        /// The type of what it holds.
        found: &'static str,
    },
    /// A key that must be there is not.
    #[error("key {} is missing", Quoted(key))]
    MissingKey {
        /// The key, with those of the objects around it, joined by dots.
        key: String,
    },
    /// A key holds a value of another type than it should.
    #[error("key {} should be {wanted} but is {}", Quoted(key), Quoted(found))]
    ValueType {
        /// The key, with those of the objects around it, joined by dots.
        key: String,
        /// The type that was expected.
        wanted: &'static str,
        /// The value in the file.
        found: String,
    },
}

/// Reads a whole file of `most` bytes at most.
pub(crate) fn read_limited(path: &Path, most: u64) -> Result<Vec<u8>, FormatError> {
    let io = |action| move |source| FormatError::Io { action, path: path.to_owned(), source };
    let file = File::open(path).map_err(io("open"))?;
    let facts = file.metadata().map_err(io("look at"))?;
    if !facts.is_file() {
        return Err(FormatError::NotAFile { path: path.to_owned() });
    }
    let mut bytes = Vec::new();
    // One byte more than allowed, in case the file grows after its size was taken.
    if facts.len() <= most {
        file.take(most + 1).read_to_end(&mut bytes).map_err(io("read"))?;
    }
    let size = facts.len().max(bytes.len() as u64);
    if size > most {
        let problem = JsonProblem::TooLarge { size, most };
        return Err(FormatError::Json { path: path.to_owned(), line: None, problem });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
