//! Several files at once, with the caller's progress heard on the caller's thread.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use scaffold_error::{Error, Kind, err};

use crate::cache::lock::Lock;
use crate::config::HubConfig;
use crate::download::{Downloader, Job};
use crate::http::{Http, Reply};
use crate::progress::{Event, Progress, WaitReason};

/// A download and the lock under which it is done.
pub(crate) struct Task {
    pub(crate) job: Job,
    pub(crate) lock: Held,
}

/// Which lock keeps others away from a download.
pub(crate) enum Held {
    /// One of its own, to be taken.
    At(PathBuf),
    /// The caller's; and whether it really does, which not every file system can promise.
    ByCaller(bool),
}

/// How often cancellation is looked at while nothing happens.
const POLL: Duration = Duration::from_millis(200);

/// Fetches all files, a few at a time. The first failure ends the others; what they have is kept.
pub(crate) fn fetch_all(
    config: &HubConfig,
    http: &Http,
    tasks: Vec<Task>,
    refuse: &(dyn Fn(&Reply, &Job) -> Error + Sync),
    progress: &mut dyn Progress,
) -> Result<(), Error> {
    let threads = config.parallel_files.clamp(1, 32).min(tasks.len());
    let queue = Mutex::new(VecDeque::from(tasks));
    let failure: Mutex<Option<Error>> = Mutex::new(None);
    let stop = AtomicBool::new(false);
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        let mut started = 0;
        for _ in 0..threads {
            let sender = sender.clone();
            let (queue, failure, stop) = (&queue, &failure, &stop);
            let work = move || {
                let downloader = Downloader {
                    http,
                    retry: &config.retry,
                    ranges: config.parallel_ranges,
                    range_threshold: config.range_threshold,
                    stall: config.timeouts.stall,
                    events: &sender,
                    stop,
                    refuse,
                };
                while let Some(task) = next(queue) {
                    if let Err(error) = fetch_one(&downloader, &task) {
                        stop.store(true, Ordering::Relaxed);
                        let mut first =
                            failure.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                        // Those that were only made to stop do not hide the reason.
                        if first.is_none()
                            || first.as_ref().is_some_and(|first| first.kind() == Kind::Cancelled)
                        {
                            *first = Some(error);
                        }
                        return;
                    }
                }
            };
            match std::thread::Builder::new().spawn_scoped(scope, work) {
                Ok(_) => started += 1,
                // Those that were started do the work.
                Err(_) if started > 0 => break,
                Err(error) => {
                    *failure.lock().unwrap_or_else(std::sync::PoisonError::into_inner) =
                        Some(no_thread(error));
                }
            }
        }
        drop(sender);
        loop {
            match receiver.recv_timeout(POLL) {
                Ok(event) if !stop.load(Ordering::Relaxed) => progress.event(&event),
                Ok(_) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if progress.cancelled() {
                stop.store(true, Ordering::Relaxed);
            }
        }
    });
    match failure.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

fn next(queue: &Mutex<VecDeque<Task>>) -> Option<Task> {
    queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop_front()
}

fn fetch_one(downloader: &Downloader, task: &Task) -> Result<(), Error> {
    let mut told = false;
    let waiting = || {
        if !told {
            told = true;
            let event = Event::Waiting {
                file: task.job.file.clone(),
                reason: WaitReason::OtherProcess,
                delay: None,
            };
            let _ = downloader.events.send(event);
        }
        !downloader.stop.load(Ordering::Relaxed)
    };
    let (_lock, exclusive) = match &task.lock {
        Held::At(path) => {
            let lock = Lock::take(path, waiting)?;
            let exclusive = lock.is_exclusive();
            (Some(lock), exclusive)
        }
        Held::ByCaller(exclusive) => (None, *exclusive),
    };
    // Another process may have finished it meanwhile.
    if is_there(&task.job) {
        return Ok(());
    }
    if exclusive {
        return downloader.fetch(&task.job);
    }
    let apart = task.job.apart();
    let fetched = downloader.fetch(&apart);
    apart.leave();
    fetched
}

/// Whether the file is there with the right size. (Only verified files ever get their name;
/// `cache verify` hashes anew.)
pub(crate) fn is_there(job: &Job) -> bool {
    is_there_at(&job.dest, job.size)
}

pub(crate) fn is_there_at(path: &Path, size: Option<u64>) -> bool {
    std::fs::metadata(path)
        .is_ok_and(|meta| meta.is_file() && size.is_none_or(|size| size == meta.len()))
}

fn no_thread(cause: std::io::Error) -> Error {
    err!(
        Unavailable,
        "no thread can be started to download with: {cause}. This user may have no more of them (see `ulimit -u`); end other \
         programs, or raise that limit"
    )
    .because(cause)
}
