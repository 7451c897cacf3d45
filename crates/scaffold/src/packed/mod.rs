//! Packed weights that are kept between runs: where, when, and for which model.
//!
//! A model's weights are rearranged for the processor when it is loaded. What comes out can be kept
//! in a file, which the next start maps instead: nothing is computed, and processes that run the
//! same model share the memory. Where the file system has no large pages for the file, it is copied
//! into such, because every token reads all of it. `auto` keeps it only where that saves a start
//! half a second or more, because the file is about as large as the model itself.
//!
//! The file belongs to one model at one place, in one precision. It is used only if its key is
//! equal: the version of this program, what its packing makes of known weights (`layout.rs`), the
//! precision, and the identity of all the model's files (`identity.rs`), which is looked at before
//! they are opened and again before anything is kept. Its header, its index and every byte of its
//! contents are compared with checksums before anything is computed. Whatever is wrong with it, or
//! with the disk, the model is packed as if there were no such file, and a notice says why.
//!
//! All files together stay within a limit (`evict.rs`).

mod caches;
mod cpu_time;
mod evict;
mod files;
mod identity;
mod keep;
mod layout;
mod store;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use scaffold_error::Error;

pub use caches::{PackedCache, PackedState, list, remove_packed};
pub(crate) use files::use_now;
pub(crate) use identity::Seen;
pub(crate) use keep::Keeping;
pub(crate) use store::Store;

use crate::config::{Config, PackedMode};

/// Whether packed weights are kept, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackedOptions {
    /// Whether they are.
    pub mode: PackedMode,
    /// Where. `None`: there is no place for them, so none are read or kept.
    pub directory: Option<PathBuf>,
    /// Bytes that must stay free on the disk.
    pub leave_free: u64,
    /// Bytes that all packed weights may take together; old ones make room for new ones. One file
    /// may take more.
    pub limit: u64,
}

/// A disk that is filled to the brim makes trouble elsewhere.
const LEAVE_FREE: u64 = 2 << 30;
/// Several models of the size that packing pays for.
const LIMIT: u64 = 64 << 30;

impl PackedOptions {
    /// What the configuration says.
    pub fn of(config: &Config) -> Self {
        Self {
            mode: config.packed_cache.value,
            directory: directory(config).ok(),
            leave_free: LEAVE_FREE,
            limit: LIMIT,
        }
    }
}

/// Where packed weights are kept: `packed` in the directory that `SCAFFOLD_CACHE` names, otherwise
/// in `~/.cache/scaffold`.
///
/// # Errors
/// There is no home directory, and `SCAFFOLD_CACHE` is not set.
pub fn directory(config: &Config) -> Result<PathBuf, Error> {
    let packages = config.hub.package_cache()?;
    Ok(packages.with_file_name("packed"))
}
