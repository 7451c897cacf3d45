//! What ends a download, as errors that say it.

use std::io;
use std::path::Path;

use scaffold_error::Error;

use super::job::Job;
use crate::disk::{free_bytes, no_space};
use crate::fault::Fault;

/// A full disk gets its own message, with the numbers.
pub(super) fn disk_error(job: &Job, action: &'static str, path: &Path, error: io::Error) -> Error {
    if error.kind() == io::ErrorKind::StorageFull {
        let needed = job.size.unwrap_or(0).saturating_sub(job.bytes_present());
        let free = free_bytes(path).unwrap_or(0);
        return no_space(path, needed, free);
    }
    Error::io(action, path)(error)
}

/// A file could not be fetched whole.
pub(super) fn failed(job: &Job, fault: Fault) -> Error {
    fault.of(&job.file, job.url.host())
}
