//! The index over the shards of a model.

use std::path::{Component, Path};

use scaffold_error::{Error, err};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::json::read_limited;
use crate::quoted::Quoted;

/// Indices of the largest public models have some megabytes.
const MAX_INDEX_BYTES: u64 = 100_000_000;

#[derive(Deserialize)]
struct RawIndex {
    weight_map: Map<String, Value>,
}

/// Reads an index: pairs of tensor and shard, every shard a plain file name.
pub(super) fn read(path: &Path) -> Result<Vec<(String, String)>, Error> {
    let text = read_limited(path, MAX_INDEX_BYTES)?;
    parse(&text).map_err(|error| error.in_file(path))
}

pub(crate) fn parse(text: &[u8]) -> Result<Vec<(String, String)>, Error> {
    let index: RawIndex = serde_json::from_slice(text)
        .map_err(|cause| err!(Damaged, "not a valid safetensors index: {cause}").because(cause))?;
    index
        .weight_map
        .into_iter()
        .map(|(tensor, shard)| match shard {
            Value::String(shard) if is_plain_name(&shard) => Ok((tensor, shard)),
            Value::String(shard) => Err(outside(&tensor, &shard)),
            other => Err(outside(&tensor, &other.to_string())),
        })
        .collect()
}

/// The index names a file outside its own directory.
fn outside(tensor: &str, shard: &str) -> Error {
    err!(
        Damaged,
        "the index puts tensor {} into {}, which is not a plain file name; shards lie beside their index, so this index is \
         damaged or hostile",
        Quoted(tensor),
        Quoted(shard)
    )
    .of_tensor(tensor)
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
