//! All packed weights that are kept, to be shown and removed.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use scaffold_formats::packed::PackedFile;
use scaffold_kernels::Matrix;

use super::files::{SUFFIX, beside, key_parts, remove_unfinished};
use super::identity::identity;
use super::layout::layout;

/// A file of packed weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackedCache {
    /// The file.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// The name that the model was loaded by; empty where the file does not say.
    pub model: String,
    /// The model's file or directory.
    pub source: PathBuf,
    /// Whether it is good for anything.
    pub state: PackedState,
}

/// Whether packed weights are good for anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PackedState {
    /// The next start will use them.
    Usable,
    /// The model is not there any more.
    ModelGone,
    /// The model's files are others by now.
    ModelChanged,
    /// Another version of this program wrote them.
    OtherVersion,
    /// The file is cut short or damaged.
    Damaged,
}

impl fmt::Display for PackedState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Usable => "in use",
            Self::ModelGone => "the model is gone",
            Self::ModelChanged => "the model has changed",
            Self::OtherVersion => "of another version",
            Self::Damaged => "damaged",
        })
    }
}

/// All packed weights in a directory, by name. Their contents are not read.
///
/// # Errors
/// The directory is there and cannot be read.
pub fn list(directory: &Path) -> io::Result<Vec<PackedCache>> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut caches = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_name().to_string_lossy().ends_with(SUFFIX) {
            caches.push(look(&entry.path(), entry.metadata()?.len()));
        }
    }
    caches.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(caches)
}

fn look(path: &Path, bytes: u64) -> PackedCache {
    let damaged = PackedCache {
        path: path.to_owned(),
        bytes,
        model: String::new(),
        source: PathBuf::new(),
        state: PackedState::Damaged,
    };
    let Ok(file) = PackedFile::open(path) else {
        return damaged;
    };
    let about = file.about();
    let state = match key_parts(&about.key) {
        Some([version, written, ..])
            if version != env!("CARGO_PKG_VERSION")
                || written != layout()
                || about.layout != Matrix::LAYOUT =>
        {
            PackedState::OtherVersion
        }
        Some([.., written]) => match identity(&about.source) {
            Ok(now) if now == written => PackedState::Usable,
            Ok(_) => PackedState::ModelChanged,
            Err(_) => PackedState::ModelGone,
        },
        // The index is whole, so another program has written other words into it.
        None => PackedState::OtherVersion,
    };
    PackedCache { model: about.model.clone(), source: about.source.clone(), state, ..damaged }
}

/// Removes a file of packed weights, with what unfinished writing has left beside it. A model that
/// is using it keeps it in memory until it is unloaded. Returns the bytes that this frees; 0 while
/// the file is being written.
///
/// # Errors
/// The file cannot be removed.
pub fn remove_packed(cache: &PackedCache) -> io::Result<u64> {
    let lock_path = beside(&cache.path, ".lock");
    if let Ok(lock) = File::create(&lock_path) {
        if matches!(lock.try_lock(), Err(fs::TryLockError::WouldBlock)) {
            return Ok(0);
        }
        let unfinished = remove_unfinished(&cache.path);
        fs::remove_file(&cache.path)?;
        // Removed while it is held: whoever opens it next makes a new one.
        drop(fs::remove_file(&lock_path));
        return Ok(cache.bytes + unfinished);
    }
    fs::remove_file(&cache.path)?;
    Ok(cache.bytes)
}
