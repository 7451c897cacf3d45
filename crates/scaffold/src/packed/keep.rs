//! Whether packed weights are worth a file, and writing it.

use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use scaffold_error::{Notice, Topic};
use scaffold_formats::packed::{PackedAbout, PackedMatrix, checksum, write_packed};
use scaffold_hub::free_bytes;
use scaffold_model::StoredMatrix;

use super::caches::PackedCache;
use super::evict::make_room;
use super::files::{beside, remove_unfinished};
use super::identity::Seen;
use super::store::Store;
use crate::config::PackedMode;

/// What a start must gain by a file that is as large as the model.
const WORTH: Duration = Duration::from_millis(500);
/// What the speed of reading back is measured on.
const SAMPLE: usize = 32 << 20;

/// A file that is being written by a thread of its own, from memory that the model uses, too.
#[derive(Debug)]
pub(crate) struct Keeping {
    writer: Mutex<Option<JoinHandle<Result<(), String>>>>,
}

impl Keeping {
    /// Whether it is still being written.
    pub(crate) fn is_running(&self) -> bool {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.as_ref().is_some_and(|writer| !writer.is_finished())
    }

    /// Waits until the file is whole; a notice if it could not be written. Later calls return at
    /// once.
    pub(crate) fn wait(&self) -> Option<Notice> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = writer.take()?.join();
        let reason = outcome.unwrap_or_else(|_| Err("the writing thread has failed".to_owned()));
        reason.err().map(|reason| not_kept(&reason))
    }
}

impl Drop for Keeping {
    fn drop(&mut self) {
        // A file cut short would be thrown away, and the work with it.
        drop(self.wait());
    }
}

impl Store {
    /// Begins to write what was packed, if it is to be kept. Nothing that goes wrong here is an
    /// error of the model.
    pub(crate) fn keep(self, notices: &mut Vec<Notice>) -> Option<Keeping> {
        let loaded = std::mem::take(&mut *self.lock());
        if loaded.packed == 0 {
            return None;
        }
        let packing = self.packing(loaded.took);
        let worth = self.options.mode == PackedMode::On
            || packing > read_back(&loaded.matrices, self.threads) + WORTH;
        if !worth {
            return None;
        }
        if Seen::now(&self.seen.source).as_ref() != Some(&self.seen) {
            notices.push(not_kept("the model's files changed while they were loaded"));
            return None;
        }
        match self.start(loaded.matrices, notices) {
            Ok(keeping) => keeping,
            Err(reason) => {
                notices.push(not_kept(&reason));
                None
            }
        }
    }

    fn start(
        self,
        matrices: Vec<(String, StoredMatrix)>,
        notices: &mut Vec<Notice>,
    ) -> Result<Option<Keeping>, String> {
        let (Some(directory), Some(path)) = (&self.options.directory, self.path) else {
            return Err("there is no place for them: this user has no home directory (HOME), and \
                        SCAFFOLD_CACHE is not set"
                .to_owned());
        };
        let bytes: u64 = matrices.iter().map(|(_, m)| m.bytes.bytes().len() as u64).sum();
        let failed = |what: &str| {
            let what = format!("cannot {what} in {}", directory.display());
            move |error: std::io::Error| format!("{what}: {error}")
        };
        fs::create_dir_all(directory).map_err(failed("make a directory"))?;
        let limit = self.options.limit;
        let removed = make_room(&path, &self.seen.source, bytes, limit);
        if !removed.is_empty() {
            notices.push(made_room(&removed, limit));
        }
        if let Some(free) = free_bytes(directory)
            && free < bytes.saturating_add(self.options.leave_free)
        {
            let mib = |bytes: u64| bytes >> 20;
            return Err(format!(
                "they take {} MiB, and of {} MiB that are free at {} {} MiB must stay so",
                mib(bytes),
                mib(free),
                directory.display(),
                mib(self.options.leave_free)
            ));
        }
        let lock = File::create(beside(&path, ".lock")).map_err(failed("write"))?;
        match lock.try_lock() {
            // Another process is writing this very file.
            Err(TryLockError::WouldBlock) => return Ok(None),
            // Some network disks have no locks; two writers only do the work twice.
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        remove_unfinished(&path);
        let about = self.about;
        let writer = std::thread::Builder::new()
            .name("scaffold-packed".to_owned())
            .spawn(move || {
                let written = write(&path, &about, &matrices);
                drop(lock);
                written
            })
            .map_err(|error| format!("no thread could be started: {error}"))?;
        Ok(Some(Keeping { writer: Mutex::new(Some(writer)) }))
    }
}

fn not_kept(reason: &str) -> Notice {
    let text = format!(
        "the packed weights are not kept for the next start, which will take as long as this one: {reason} \
         (SCAFFOLD_PACKED_CACHE=off does not try)"
    );
    Notice::new(Topic::PackedWeights, text)
}

fn made_room(removed: &[PackedCache], limit: u64) -> Notice {
    let models: Vec<String> = removed.iter().map(|cache| format!("`{}`", cache.model)).collect();
    let bytes: u64 = removed.iter().map(|cache| cache.bytes).sum();
    let text = format!(
        "packed weights of {} were removed ({} MiB), because all that are kept may take {} MiB together: the next start of \
         those will pack again",
        models.join(", "),
        bytes >> 20,
        limit >> 20
    );
    Notice::new(Topic::PackedWeights, text)
}

fn write(
    path: &Path,
    about: &PackedAbout,
    matrices: &[(String, StoredMatrix)],
) -> Result<(), String> {
    let matrices: Vec<_> = matrices
        .iter()
        .map(|(name, matrix)| PackedMatrix {
            name,
            cols: matrix.cols,
            parts: &matrix.parts,
            bytes: matrix.bytes.bytes(),
        })
        .collect();
    write_packed(path, about, &matrices).map(|_| ()).map_err(|error| error.to_string())
}

/// About how long the next start would read these matrices from a mapped file: their checksums, at
/// the speed of a sample.
fn read_back(matrices: &[(String, StoredMatrix)], threads: usize) -> Duration {
    let start = Instant::now();
    let (mut sampled, mut total, mut sum) = (0, 0, 0);
    for (_, matrix) in matrices {
        let bytes = matrix.bytes.bytes();
        let sample = bytes.len().min(SAMPLE - sampled);
        sum ^= checksum(&bytes[..sample]);
        sampled += sample;
        total += bytes.len();
    }
    std::hint::black_box(sum);
    let seconds = start.elapsed().as_secs_f64() * total as f64 / sampled.max(1) as f64;
    Duration::from_secs_f64(seconds / threads.max(1) as f64)
}
