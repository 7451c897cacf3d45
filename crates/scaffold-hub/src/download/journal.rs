//! What of an unfinished file is on disk, written down so that another process can go on.

use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use scaffold_error::Error;
use serde::{Deserialize, Serialize};

use super::job::Job;
use crate::disk;

/// The ranges of a file and how much of each is on disk.
pub(super) struct Journal {
    lanes: Vec<Lane>,
    /// The strong `ETag` of the server that sends the body, for `If-Range`.
    validator: Mutex<Option<String>>,
    saved: Mutex<Instant>,
}

/// One range, filled from its start.
pub(super) struct Lane {
    pub(super) start: u64,
    /// First byte after it; `u64::MAX` while the file's size is unknown.
    pub(super) end: u64,
    /// Bytes of it that are on disk.
    pub(super) done: AtomicU64,
}

#[derive(Serialize, Deserialize)]
struct Written {
    digest: String,
    size: Option<u64>,
    validator: Option<String>,
    /// Start, end and bytes done of each range.
    lanes: Vec<(u64, u64, u64)>,
}

/// A file is cut into at most this many ranges, whatever a journal from elsewhere says.
const MOST_LANES: usize = 64;
const SAVE_EVERY: Duration = Duration::from_millis(200);

impl Job {
    /// Bytes that an earlier run has left.
    pub(crate) fn bytes_present(&self) -> u64 {
        Journal::load(self).map_or(0, |journal| journal.done())
    }
}

impl Journal {
    pub(super) fn new(job: &Job, pieces: u64) -> Journal {
        let bounds: Vec<(u64, u64, u64)> = match job.size {
            Some(size) => {
                let pieces = pieces.clamp(1, MOST_LANES as u64).min(size.max(1));
                let each = size.div_ceil(pieces);
                (0..pieces).map(|i| ((i * each).min(size), ((i + 1) * each).min(size), 0)).collect()
            }
            None => vec![(0, u64::MAX, 0)],
        };
        Journal::from_bounds(&bounds, None)
    }

    fn from_bounds(bounds: &[(u64, u64, u64)], validator: Option<String>) -> Journal {
        let lanes = bounds
            .iter()
            .map(|&(start, end, done)| Lane { start, end, done: AtomicU64::new(done) })
            .collect();
        Journal { lanes, validator: Mutex::new(validator), saved: Mutex::new(Instant::now()) }
    }

    /// What an earlier run has left of exactly this file, when it makes sense and the data is
    /// there.
    pub(super) fn load(job: &Job) -> Option<Journal> {
        let text = fs::read(job.journal_path()).ok()?;
        let length = fs::metadata(job.data_path()).ok()?.len();
        Self::parse(&text, job, length)
    }

    /// What a journal says of this file, of which `length` bytes are on disk, when it makes sense.
    pub(super) fn parse(text: &[u8], job: &Job, length: u64) -> Option<Journal> {
        let written: Written = serde_json::from_slice(text).ok()?;
        let same_file = written.digest == job.digest.to_string() && written.size == job.size;
        let consistent = !written.lanes.is_empty()
            && written.lanes.len() <= MOST_LANES
            && written.lanes.first().is_some_and(|l| l.0 == 0)
            && written.lanes.windows(2).all(|w| w[0].1 == w[1].0)
            && written.lanes.last().is_some_and(|l| l.1 == job.size.unwrap_or(u64::MAX))
            && written.lanes.iter().all(|&(start, end, done)| {
                start <= end && done <= end - start && (done == 0 || start + done <= length)
            });
        (same_file && consistent).then(|| Journal::from_bounds(&written.lanes, written.validator))
    }

    pub(super) fn save(&self, job: &Job) -> Result<(), Error> {
        let written = Written {
            digest: job.digest.to_string(),
            size: job.size,
            validator: self.validator(),
            lanes: self
                .lanes
                .iter()
                .map(|l| (l.start, l.end, l.done.load(Ordering::Acquire)))
                .collect(),
        };
        let text = serde_json::to_vec(&written).unwrap_or_default();
        disk::write_note(&job.journal_path(), &text)
    }

    /// Saves when the last time is a while ago. Trouble is left for the final [`Journal::save`] to
    /// report.
    pub(super) fn save_now_and_then(&self, job: &Job) {
        let Ok(mut last) = self.saved.try_lock() else {
            return;
        };
        if last.elapsed() >= SAVE_EVERY {
            let _ = self.save(job);
            *last = Instant::now();
        }
    }

    pub(super) fn lanes(&self) -> &[Lane] {
        &self.lanes
    }

    /// Bytes on disk, over all ranges.
    pub(super) fn done(&self) -> u64 {
        self.lanes.iter().map(|l| l.done.load(Ordering::Acquire)).sum()
    }

    pub(super) fn validator(&self) -> Option<String> {
        self.validator.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    pub(super) fn set_validator(&self, etag: Option<&str>) {
        // A weak validator promises nothing about bytes.
        let strong = etag.filter(|e| e.starts_with('"') && e.len() < 256).map(str::to_owned);
        *self.validator.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = strong;
    }
}
