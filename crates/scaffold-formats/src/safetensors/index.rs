//! The index over the shards of a model.

use std::path::{Component, Path};

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::error::{FormatError, SafetensorsProblem};
use crate::json::read_limited;

/// Indices of the largest public models have some megabytes.
const MAX_INDEX_BYTES: u64 = 100_000_000;

#[derive(Deserialize)]
struct RawIndex {
    weight_map: Map<String, Value>,
}

/// Reads an index: pairs of tensor and shard, every shard a plain file name.
pub(super) fn read(path: &Path) -> Result<Vec<(String, String)>, FormatError> {
    let text = read_limited(path, MAX_INDEX_BYTES)?;
    parse(&text).map_err(|problem| FormatError::Safetensors { path: path.to_owned(), problem })
}

pub(crate) fn parse(text: &[u8]) -> Result<Vec<(String, String)>, SafetensorsProblem> {
    let index: RawIndex = serde_json::from_slice(text).map_err(SafetensorsProblem::Index)?;
    index
        .weight_map
        .into_iter()
        .map(|(tensor, shard)| match shard {
            Value::String(shard) if is_plain_name(&shard) => Ok((tensor, shard)),
            Value::String(shard) => Err(SafetensorsProblem::ShardName { tensor, shard }),
            other => Err(SafetensorsProblem::ShardName { tensor, shard: other.to_string() }),
        })
        .collect()
}

/// Whether the name stays in its directory on every system: one ordinary component, no separator,
/// no drive, no NUL.
pub(crate) fn is_plain_name(name: &str) -> bool {
    let mut components = Path::new(name).components();
    matches!((components.next(), components.next()), (Some(Component::Normal(_)), None))
        && !name.contains(['/', '\\', ':', '\0'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shard_names_stay_in_their_directory() {
        assert!(is_plain_name("model-00001-of-00002.safetensors"));
        for name in [
            "",
            ".",
            "..",
            "../x",
            "/etc/passwd",
            "a/b",
            "a\\b",
            "C:x",
            "a/",
            "x\0y",
            "a/..",
            "\\\\host\\x",
        ] {
            assert!(!is_plain_name(name), "{name:?}");
        }
    }
}
