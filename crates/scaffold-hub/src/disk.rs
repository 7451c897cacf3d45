//! Small operations on files that several modules share.

use std::fs;
use std::path::{Path, PathBuf};

use scaffold_error::{Error, Remedy, err};

/// Everything that ends in this is unfinished; `hf cache prune` recognises and removes it too.
pub(crate) use scaffold_files::UNFINISHED;

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
pub(crate) fn require_space(path: &Path, needed: u64) -> Result<(), Error> {
    match free_bytes(path) {
        Some(free) if free < needed => Err(no_space(path, needed, free)),
        _ => Ok(()),
    }
}

/// `needed` bytes are still to be written, and `free` are free.
pub(crate) fn no_space(path: &Path, needed: u64, free: u64) -> Error {
    let mb = |bytes: u64| bytes as f64 / 1e6;
    err!(
        Unavailable,
        "not enough room on the disk of {}: {:.1} MB are still to be written and {:.1} MB are free",
        path.display(),
        mb(needed),
        mb(free)
    )
    .of_file(path)
    .remedy(Remedy::ListModels)
    .remedy(Remedy::RemoveModels)
    .remedy(
        "put the cache elsewhere with HF_HUB_CACHE (files from package indexes: SCAFFOLD_CACHE)",
    )
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

/// Writes a file so that it is never seen half written, nor empty after a loss of power.
pub(crate) fn write_atomically(path: &Path, contents: &[u8]) -> Result<(), Error> {
    below_directory(path)?;
    scaffold_files::write(path, contents).map_err(Error::io("write", path))
}

/// The same for what nobody else may read.
pub(crate) fn write_secret(path: &Path, contents: &[u8]) -> Result<(), Error> {
    below_directory(path)?;
    scaffold_files::write_secret(path, contents).map_err(Error::io("write", path))
}

/// The same for a note about a download, which is written every moment. One that a loss of power
/// emptied is not read, and to wait each time until it is on the disk would be to wait for the
/// download's own bytes, too.
pub(crate) fn write_note(path: &Path, contents: &[u8]) -> Result<(), Error> {
    below_directory(path)?;
    scaffold_files::write_unsynced(path, contents).map_err(Error::io("write", path))
}

fn below_directory(path: &Path) -> Result<(), Error> {
    match path.parent() {
        Some(parent) => fs::create_dir_all(parent).map_err(Error::io("create", parent)),
        None => Ok(()),
    }
}

/// The path with more after its last name.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
