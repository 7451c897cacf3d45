//! Caches without links: files that lie in a snapshot themselves, where no blob stands behind them.
//!
//! Python leaves them on Windows, with `HF_HUB_DISABLE_SYMLINKS=1` and on file systems without
//! links; `cp -rL` makes them, too. A blob got its name when it was verified. Such a file tells
//! nothing about itself, so it is hashed.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use scaffold_error::Error;

use crate::cache::RepoCache;
use crate::commit::Commit;
use crate::disk::is_same_file;
use crate::download::Job;
use crate::progress::{Event, Progress, stopped};
use crate::transfer::{self, Task};

/// A plan's files by where they are.
#[derive(Default)]
pub(super) struct Sorted {
    /// In the snapshot itself, and sound.
    pub(super) own: Vec<Task>,
    /// As a blob.
    pub(super) blobs: Vec<Task>,
    /// Nowhere, or damaged.
    pub(super) missing: Vec<Task>,
}

impl Sorted {
    /// Sorts the files of a plan. Files in the snapshot without a blob are hashed.
    pub(super) fn of(
        tasks: Vec<Task>,
        repo: &RepoCache,
        commit: &Commit,
        progress: &mut dyn Progress,
    ) -> Result<Sorted, Error> {
        let mut sorted = Sorted::default();
        let root = repo.snapshot(commit);
        for task in tasks {
            let pointer = root.join(&task.job.file);
            let blob = transfer::is_there(&task.job);
            let linked = blob && is_same_file(&pointer, &task.job.dest);
            if !linked && is_sound(&pointer, &task.job, progress)? {
                sorted.own.push(task);
            } else if blob {
                sorted.blobs.push(task);
            } else {
                sorted.missing.push(task);
            }
        }
        Ok(sorted)
    }

    /// Bytes that are here already.
    pub(super) fn present(&self) -> u64 {
        let here = self.own.iter().chain(&self.blobs);
        here.filter_map(|task| task.job.size).sum()
    }
}

/// Whether the file at `pointer` has the size and the hash that `job` is to have.
fn is_sound(pointer: &Path, job: &Job, progress: &mut dyn Progress) -> Result<bool, Error> {
    if !transfer::is_there_at(pointer, job.size) {
        return Ok(false);
    }
    if progress.cancelled() {
        return Err(stopped());
    }
    progress.event(&Event::Verifying { file: job.file.clone() });
    let hashed = File::open(pointer).and_then(|file| {
        let size = file.metadata()?.len();
        job.digest.of_same_kind(BufReader::new(file), size, |_| ())
    });
    // What cannot be read is as good as damaged: it is fetched.
    Ok(hashed.is_ok_and(|got| got == job.digest))
}
