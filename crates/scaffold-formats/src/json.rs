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

use crate::error::{FormatError, JsonProblem};

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
