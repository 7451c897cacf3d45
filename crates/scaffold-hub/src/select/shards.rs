//! The shards that an index names.

use std::path::Path;

use serde_json::Value;

use super::WEIGHTS_INDEX;

/// An index of shards larger than this is none.
const LARGEST_INDEX: u64 = 64 << 20;

/// The shards that `model.safetensors.index.json` names.
pub(crate) fn shards(root: &Path) -> Option<Vec<String>> {
    let path = root.join(WEIGHTS_INDEX);
    if std::fs::metadata(&path).ok()?.len() > LARGEST_INDEX {
        return None;
    }
    parse_shards(&std::fs::read(path).ok()?)
}

/// The same from the text of that file.
pub(crate) fn parse_shards(text: &[u8]) -> Option<Vec<String>> {
    let index: Value = serde_json::from_slice(text).ok()?;
    let map = index.get("weight_map")?.as_object()?;
    let mut shards: Vec<String> =
        map.values().filter_map(|v| v.as_str().map(str::to_owned)).collect();
    shards.sort();
    shards.dedup();
    Some(shards)
}
