//! One file from a server to the disk: resumed, in parallel ranges, verified, and only then given
//! its name.

mod downloader;
mod job;
mod journal;
mod lane;
mod trouble;

use std::fs::{self, File, OpenOptions};
use std::io::BufReader;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

pub(crate) use downloader::Downloader;
pub(crate) use job::Job;
use journal::Journal;
use scaffold_error::{Error, Kind};
use trouble::{disk_error, failed};

use crate::fault::Fault;
use crate::progress::Event;

/// Times that a file may be begun again from its first byte.
const MOST_RESTARTS: u32 = 3;

impl Downloader<'_> {
    /// Fetches `job` and gives it its name.
    pub(crate) fn fetch(&self, job: &Job) -> Result<(), Error> {
        let restarts = AtomicU32::new(0);
        loop {
            self.transfer(job, &restarts)?;
            self.tell(Event::Verifying { file: job.file.clone() });
            let Err(fault) = Self::verify(job)? else {
                break;
            };
            // Damage on the way is seldom repeated; a second time it is no accident.
            job.discard();
            if restarts.fetch_add(2, Ordering::Relaxed) + 2 >= MOST_RESTARTS {
                return Err(failed(job, fault));
            }
            self.tell(Event::Restarted { file: job.file.clone(), reason: fault.to_string() });
        }
        publish(job)?;
        self.tell(Event::Finished { file: job.file.clone(), path: job.dest.clone() });
        Ok(())
    }

    /// Brings all bytes to disk, unverified.
    fn transfer(&self, job: &Job, restarts: &AtomicU32) -> Result<(), Error> {
        let mut journal = Journal::load(job).unwrap_or_else(|| self.plan(job, restarts));
        let resumed = journal.done();
        self.tell(Event::Started { file: job.file.clone(), size: job.size, resumed });
        loop {
            prepare_file(job, &journal)?;
            let ended = self.run_lanes(job, &journal);
            // Kept for the next run whether this one ends well or not; unless there is nothing to
            // keep.
            let kept = if ended.is_err() && journal.done() == 0 {
                job.discard();
                Ok(())
            } else {
                journal.save(job)
            };
            match ended {
                Ok(()) => return kept,
                Err(lane::End::Failed(error)) => return Err(error),
                Err(lane::End::StartOver(fault)) => {
                    job.discard();
                    if restarts.fetch_add(1, Ordering::Relaxed) + 1 >= MOST_RESTARTS {
                        return Err(failed(job, fault));
                    }
                    self.tell(Event::Restarted {
                        file: job.file.clone(),
                        reason: fault.to_string(),
                    });
                    journal = self.plan(job, restarts);
                }
            }
        }
    }

    /// A fresh plan: ranges side by side for a large file, until they have once gone wrong.
    fn plan(&self, job: &Job, restarts: &AtomicU32) -> Journal {
        let large = job.size.is_some_and(|size| size >= self.range_threshold.max(1));
        let pieces =
            if large && restarts.load(Ordering::Relaxed) == 0 { self.ranges.max(1) } else { 1 };
        Journal::new(job, pieces as u64)
    }

    fn run_lanes(&self, job: &Job, journal: &Journal) -> Result<(), lane::End> {
        let abandon = AtomicBool::new(false);
        if journal.lanes().len() == 1 {
            return self.run_lane(job, journal, 0, &abandon);
        }
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..journal.lanes().len())
                .map(|index| {
                    let abandon = &abandon;
                    let work = move || {
                        let ended = self.run_lane(job, journal, index, abandon);
                        if ended.is_err() {
                            abandon.store(true, Ordering::Relaxed);
                        }
                        ended
                    };
                    // Where no further thread can be started, this one does the rest, one range
                    // after the other.
                    std::thread::Builder::new().spawn_scoped(scope, work).map_err(|_| index)
                })
                .collect();
            let rest = threads.iter().filter_map(|thread| thread.as_ref().err());
            let mut own = Vec::new();
            for &index in rest {
                own.push(self.run_lane(job, journal, index, &abandon));
            }
            let ends: Vec<_> = threads
                .into_iter()
                .flatten()
                .map(|t| t.join().unwrap_or_else(|_| Err(panicked(job))))
                .chain(own)
                .collect();
            // The lane that failed first made the others stop; its reason is the one that counts.
            let rank = |end: &Result<(), lane::End>| match end {
                Err(lane::End::Failed(error)) if error.kind() == Kind::Cancelled => 2,
                Err(_) => 3,
                Ok(()) => 1,
            };
            ends.into_iter().max_by_key(rank).unwrap_or(Ok(()))
        })
    }

    /// Hashes what is on disk. The outer error is the disk's, the inner one the contents'.
    fn verify(job: &Job) -> Result<Result<(), Fault>, Error> {
        let path = job.data_path();
        let file = File::open(&path).map_err(Error::io("read", &path))?;
        let size = file.metadata().map_err(Error::io("read", &path))?.len();
        if let Some(expected) = job.size.filter(|expected| *expected != size) {
            return Ok(Err(Fault::Cut { got: size, expected }));
        }
        let got = job
            .digest
            .of_same_kind(BufReader::new(file), size, |_| ())
            .map_err(Error::io("read", &path))?;
        if got == job.digest {
            return Ok(Ok(()));
        }
        Ok(Err(Fault::Hash { got: got.to_string(), expected: job.digest.to_string() }))
    }

    fn tell(&self, event: Event) {
        // Nobody listens any more when the call is being given up.
        let _ = self.events.send(event);
    }
}

/// A thread that ended in a panic is a fault of ours, and not the user's wish to stop.
fn panicked(job: &Job) -> lane::End {
    lane::End::Failed(failed(job, Fault::Panicked))
}

fn prepare_file(job: &Job, journal: &Journal) -> Result<(), Error> {
    let path = job.data_path();
    let fail = |e| disk_error(job, "write", &path, e);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
    }
    let file =
        OpenOptions::new().write(true).create(true).truncate(false).open(&path).map_err(fail)?;
    if journal.done() == 0 {
        file.set_len(0).map_err(fail)?;
    }
    Ok(())
}

/// Makes the contents durable, then gives them their name in one step.
fn publish(job: &Job) -> Result<(), Error> {
    let path = job.data_path();
    let published = scaffold_files::publish(&path, &job.dest);
    published.map_err(|e| disk_error(job, "write", &path, e))?;
    let _ = fs::remove_file(job.journal_path());
    Ok(())
}

/// Reads a journal as if `length` bytes of the file were here, for fuzzing: no more is ever
/// believed to be done.
pub(crate) fn check_journal(text: &[u8], job: &Job, length: u64) {
    if let Some(journal) = Journal::parse(text, job, length) {
        assert!(journal.done() <= length, "{} of {length}", journal.done());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::http::Http;
    use crate::url::Url;

    #[test]
    fn without_locks_two_processes_never_write_to_one_file() {
        let dir = tempfile::tempdir().unwrap();
        let job = Job {
            file: "a".to_owned(),
            url: Url::parse("http://127.0.0.1/a").unwrap(),
            authorization: None,
            size: Some(4),
            digest: Digest::parse(&"a".repeat(64)).unwrap(),
            dest: dir.path().join("blob"),
            mark: None,
        };
        let begin = |job: &Job| {
            let journal = Journal::new(job, 1);
            fs::write(job.data_path(), "ab").unwrap();
            journal.lanes()[0].done.store(2, Ordering::Relaxed);
            journal.save(job).unwrap();
        };
        begin(&job);
        // What an earlier run has left goes to one of them alone.
        let (first, second) = (job.apart(), job.apart());
        assert_eq!((first.bytes_present(), second.bytes_present()), (2, 0));
        assert_eq!(job.bytes_present(), 0);
        assert_ne!(first.data_path(), second.data_path());
        begin(&second);
        // Both end early; the next run goes on with one of the two, and nothing else stays.
        first.leave();
        second.leave();
        assert_eq!(job.bytes_present(), 2);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_lane_that_panics_was_not_stopped_on_request() {
        let dir = tempfile::tempdir().unwrap();
        let server = scaffold_testing::hub::FakeHub::start();
        let config = crate::HubConfig::new(dir.path());
        let (events, _heard) = std::sync::mpsc::channel();
        let downloader = Downloader {
            http: &Http::new(&config),
            retry: &config.retry,
            ranges: 2,
            range_threshold: 1,
            stall: config.timeouts.stall,
            events: &events,
            stop: &AtomicBool::new(false),
            refuse: &|_, _| panic!("on purpose"),
        };
        let job = Job {
            file: "a".to_owned(),
            url: Url::parse(&format!("{}/org/absent/resolve/main/a", server.url())).unwrap(),
            authorization: None,
            size: Some(4),
            digest: Digest::parse(&"a".repeat(64)).unwrap(),
            dest: dir.path().join("blob"),
            mark: None,
        };
        let text = downloader.fetch(&job).unwrap_err().to_string();
        assert!(text.contains("panic") && !text.contains("request;"), "{text}");
    }
}
