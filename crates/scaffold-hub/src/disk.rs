//! Small operations on files that several modules share.

use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::{BuildHasher as _, Hasher as _};
use std::io::Write as _;
use std::path::Path;

use crate::error::HubError;

/// Bytes that can still be written on the file system of `path` (or of its nearest existing
/// parent), where the platform says so.
pub fn free_bytes(path: &Path) -> Option<u64> {
    let existing = path.ancestors().find(|p| p.exists())?;
    free_bytes_at(existing)
}

#[cfg(unix)]
fn free_bytes_at(path: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(path).ok()?;
    stat.f_bavail.checked_mul(stat.f_frsize)
}

#[cfg(not(unix))]
fn free_bytes_at(_path: &Path) -> Option<u64> {
    None
}

/// Fails when `needed` bytes do not fit where `path` is to be.
pub(crate) fn require_space(path: &Path, needed: u64) -> Result<(), HubError> {
    match free_bytes(path) {
        Some(free) if free < needed => {
            Err(HubError::NoSpace { path: path.to_owned(), needed, free })
        }
        _ => Ok(()),
    }
}

/// Whether both names lead to one file on the disk.
pub(crate) fn is_same_file(a: &Path, b: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let place = |path| fs::metadata(path).map(|meta| (meta.dev(), meta.ino()));
        matches!((place(a), place(b)), (Ok(a), Ok(b)) if a == b)
    }
    #[cfg(not(unix))]
    {
        matches!((fs::canonicalize(a), fs::canonicalize(b)), (Ok(a), Ok(b)) if a == b)
    }
}

/// Writes a file so that it is never seen half written.
pub(crate) fn write_atomically(path: &Path, contents: &[u8]) -> Result<(), HubError> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(HubError::io("create", parent))?;
    }
    let temporary = temporary_beside(path);
    let written = fs::File::create_new(&temporary)
        .and_then(|mut file| file.write_all(contents))
        .and_then(|()| fs::rename(&temporary, path));
    written.map_err(|error| {
        let _ = fs::remove_file(&temporary);
        HubError::io("write", path)(error)
    })
}

/// A name beside `path` that no other thread or process uses.
pub(crate) fn temporary_beside(path: &Path) -> std::path::PathBuf {
    let name = format!(".{}{}", unique_mark(), crate::download::UNFINISHED);
    crate::download::with_suffix(path, &name)
}

/// 16 digits that nobody else has. Numbers of processes will not do: containers that share a cache
/// have the same ones.
pub(crate) fn unique_mark() -> String {
    // The keys come from the system's randomness and differ for each of these.
    format!("{:016x}", RandomState::new().build_hasher().finish())
}
