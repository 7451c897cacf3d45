//! What ends a download, as errors that say it.

use std::io;
use std::path::Path;

use super::job::Job;
use crate::disk::free_bytes;
use crate::error::{Fault, HubError};

/// A full disk gets its own message, with the numbers.
pub(super) fn disk_error(
    job: &Job,
    action: &'static str,
    path: &Path,
    error: io::Error,
) -> HubError {
    if error.kind() == io::ErrorKind::StorageFull {
        let needed = job.size.unwrap_or(0).saturating_sub(job.bytes_present());
        let free = free_bytes(path).unwrap_or(0);
        return HubError::NoSpace { path: path.to_owned(), needed, free };
    }
    HubError::io(action, path)(error)
}

/// A file could not be fetched whole.
pub(super) fn failed(job: &Job, fault: Fault) -> HubError {
    HubError::Download { file: job.file.clone(), host: job.url.host().to_owned(), fault }
}
