//! A limit for all packed weights together: old ones make room for new ones.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use super::caches::{PackedCache, PackedState, list, remove_packed};
use super::files::SUFFIX;

/// Removes packed weights until `bytes` more are within the limit, or there are no others; returns
/// what was removed.
///
/// First goes what is good for nothing, then other revisions of the model at `source`, then what
/// was used least recently. A file that is being written stays.
pub(super) fn make_room(path: &Path, source: &Path, bytes: u64, limit: u64) -> Vec<PackedCache> {
    let Some(directory) = path.parent() else {
        return Vec::new();
    };
    let mut total = kept_bytes(directory, path).saturating_add(bytes);
    if total <= limit {
        return Vec::new();
    }
    let mut others = list(directory).unwrap_or_default();
    others.retain(|cache| cache.path != path);
    others.sort_by_key(|cache| (rank(cache, source), last_used(&cache.path)));
    let mut removed = Vec::new();
    for cache in others {
        if total <= limit {
            break;
        }
        // What cannot be removed stays, and the next one has to go.
        if remove_packed(&cache).is_ok_and(|freed| freed > 0) {
            total = total.saturating_sub(cache.bytes);
            removed.push(cache);
        }
    }
    removed
}

/// Bytes of all files but one, which is written anew.
fn kept_bytes(directory: &Path, but: &Path) -> u64 {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_name().to_string_lossy().ends_with(SUFFIX))
        .filter(|entry| entry.path() != but)
        .filter_map(|entry| entry.metadata().ok())
        .map(|facts| facts.len())
        .sum()
}

fn rank(cache: &PackedCache, source: &Path) -> u8 {
    match (cache.state, repository(&cache.source), repository(source)) {
        (PackedState::Usable, Some(one), Some(other)) if one == other => 1,
        (PackedState::Usable, ..) => 2,
        _ => 0,
    }
}

/// The directory of a repository in the Hub's cache, of a file or directory below its `snapshots`.
fn repository(source: &Path) -> Option<&Path> {
    let mut above = source.ancestors();
    above.find(|path| path.file_name().is_some_and(|name| name == "snapshots"))?.parent()
}

fn last_used(path: &Path) -> Option<SystemTime> {
    let facts = fs::metadata(path).ok()?;
    facts.accessed().ok().max(facts.modified().ok())
}
