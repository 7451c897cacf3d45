//! The JSON files beside a model's weights.

mod config;
pub mod generation;
mod lines;
mod object;
mod python;

use std::io::Read;
use std::path::Path;

pub use config::ConfigJson;
pub use generation::GenerationConfig;
pub use object::ConfigObject;
pub use python::read_python_json;

use scaffold_error::{Error, err};

use crate::map::open_file;

/// Reads a whole file of `most` bytes at most.
pub(crate) fn read_limited(path: &Path, most: u64) -> Result<Vec<u8>, Error> {
    let (file, length) = open_file(path)?;
    let mut bytes = Vec::new();
    // One byte more than allowed, in case the file grows after its size was taken.
    if length <= most {
        file.take(most + 1).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
    }
    let size = length.max(bytes.len() as u64);
    if size > most {
        let error = err!(
            TooLarge,
            "the file has {size} bytes; at most {most} are read, more than any real model needs"
        );
        return Err(error.in_file(path));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
