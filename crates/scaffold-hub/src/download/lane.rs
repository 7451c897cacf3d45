//! One range of a file: requests until it is filled.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use scaffold_error::Error;

use super::downloader::Downloader;
use super::job::Job;
use super::journal::{Journal, Lane};
use super::trouble::{disk_error, failed};
use crate::fault::{Fault, NetworkFault};
use crate::http::{Reply, Request};
use crate::progress::{Event, WaitReason, stopped};

/// Why a lane ended unfilled.
pub(super) enum End {
    /// For good.
    Failed(Error),
    /// What is on disk cannot be continued.
    StartOver(Fault),
}

/// Why one request ended early.
enum Stop {
    Again { fault: Fault, after: Option<Duration> },
    End(End),
}

/// A transfer slower than this many bytes in the stall time is taken for dead.
const LEAST_BYTES_PER_STALL: u64 = 1024;
const REPORT_EVERY: Duration = Duration::from_millis(100);
const POLL: Duration = Duration::from_millis(100);

impl Downloader<'_> {
    pub(super) fn run_lane(
        &self,
        job: &Job,
        journal: &Journal,
        index: usize,
        abandon: &AtomicBool,
    ) -> Result<(), End> {
        let lane = &journal.lanes()[index];
        let mut fruitless = 0;
        loop {
            let before = lane.done.load(Ordering::Relaxed);
            if before >= lane.end - lane.start {
                return Ok(());
            }
            if self.must_stop(abandon) {
                return Err(End::Failed(stopped()));
            }
            let (fault, after) = match self.request(job, journal, lane, abandon) {
                Ok(()) => return Ok(()),
                Err(Stop::End(end)) => return Err(end),
                Err(Stop::Again { fault, after }) => (fault, after),
            };
            let progressed = lane.done.load(Ordering::Relaxed) > before;
            fruitless = if progressed { 1 } else { fruitless + 1 };
            if fruitless >= self.retry.attempts {
                return Err(End::Failed(failed(job, fault)));
            }
            if let Some(wait) = after.filter(|wait| *wait > self.retry.longest_retry_after) {
                return Err(End::Failed(failed(job, Fault::Busy { wait })));
            }
            let delay = after.unwrap_or_else(|| self.retry.delay(fruitless));
            let reason = if after.is_some() {
                WaitReason::ServerBusy
            } else {
                WaitReason::Retry(fault.to_string())
            };
            self.tell(Event::Waiting { file: job.file.clone(), reason, delay: Some(delay) });
            self.pause(delay, abandon);
        }
    }

    fn must_stop(&self, abandon: &AtomicBool) -> bool {
        self.stop.load(Ordering::Relaxed) || abandon.load(Ordering::Relaxed)
    }

    fn pause(&self, delay: Duration, abandon: &AtomicBool) {
        let until = Instant::now() + delay;
        while !self.must_stop(abandon) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            std::thread::sleep(left.min(POLL));
        }
    }

    /// One request for what the lane lacks.
    fn request(
        &self,
        job: &Job,
        journal: &Journal,
        lane: &Lane,
        abandon: &AtomicBool,
    ) -> Result<(), Stop> {
        let from = lane.start + lane.done.load(Ordering::Relaxed);
        let whole = lane.start == 0 && lane.end == job.size.unwrap_or(u64::MAX);
        let ranged = from > 0 || !whole;
        let mut request = Request::get(&job.url).header("accept-encoding", "identity");
        request.authorization.clone_from(&job.authorization);
        if ranged {
            let last =
                if lane.end == u64::MAX { String::new() } else { (lane.end - 1).to_string() };
            request = request.header("range", format!("bytes={from}-{last}"));
            if let Some(validator) = journal.validator() {
                request = request.header("if-range", validator);
            }
        }
        let reply = self.http.send(&request).map_err(|fault| again(Fault::Network(fault)))?;
        let asked = Asked { job, journal, lane, from };
        let expected = self.check_head(&asked, ranged, &reply)?;
        if journal.validator().is_none() {
            journal.set_validator(reply.header("etag"));
        }
        self.copy(&asked, expected, reply, abandon)
    }

    /// Decides from the head whether the body is what was asked for; returns the body's length, if
    /// it is known.
    fn check_head(
        &self,
        asked: &Asked<'_>,
        ranged: bool,
        reply: &Reply,
    ) -> Result<Option<u64>, Stop> {
        let &Asked { job, lane, from, .. } = asked;
        let announced = reply.header("content-length").and_then(|v| v.trim().parse::<u64>().ok());
        let wanted = (lane.end != u64::MAX).then(|| lane.end - from);
        let other_part =
            |got: &str| Err(start_over(Fault::Range { asked: from, got: got.to_owned() }));
        match reply.status {
            206 => {
                let header = reply.header("content-range").unwrap_or("");
                if !ranged || !range_fits(header, from, job.size) {
                    return other_part(header);
                }
            }
            // The whole file although a part was asked for: the file has changed, or the server
            // knows no ranges.
            200 if ranged => return other_part("the whole file"),
            200 => {}
            416 => return other_part("none (416)"),
            408 | 425 | 429 | 500..=599 => {
                let after =
                    if matches!(reply.status, 429 | 503) { reply.retry_after() } else { None };
                return Err(Stop::Again { fault: status_fault(reply), after });
            }
            // A signed link that ran out, or a proxy's page: asking the Hub again gives a new link.
            // Not so where a mirror has sent us on to the Hub and that one says no, in its own
            // words.
            _ if reply.elsewhere && reply.header("x-error-code").is_none() => {
                return Err(again(status_fault(reply)));
            }
            _ => return Err(Stop::End(End::Failed((self.refuse)(reply, job)))),
        }
        match (announced, wanted) {
            (Some(announced), Some(expected)) if announced != expected => {
                Err(again(Fault::Length { announced, expected }))
            }
            (announced, wanted) => Ok(wanted.or(announced)),
        }
    }

    /// Writes the body to its place.
    fn copy(
        &self,
        asked: &Asked<'_>,
        expected: Option<u64>,
        reply: Reply,
        abandon: &AtomicBool,
    ) -> Result<(), Stop> {
        let &Asked { job, journal, lane, from } = asked;
        let mut file = open_at(job, from)?;
        let mut body = reply.into_reader();
        let mut buffer = vec![0; 128 * 1024];
        let mut got = 0;
        let mut report = Reporter::new(self, job);
        let mut pace = Pace::new(self.stall);
        // A body without an end is cut off where the file ends.
        while expected.is_none_or(|expected| got < expected) {
            if self.must_stop(abandon) {
                return Err(Stop::End(End::Failed(stopped())));
            }
            let room =
                expected.map_or(buffer.len(), |e| (e - got).min(buffer.len() as u64) as usize);
            let n = match body.read(&mut buffer[..room]) {
                Ok(0) => break,
                Ok(n) => n,
                Err(e) => return Err(again(broken(crate::http::classify_io(&e), got, expected))),
            };
            file.write_all(&buffer[..n]).map_err(|e| write_failed(job, e))?;
            got += n as u64;
            lane.done.fetch_add(n as u64, Ordering::AcqRel);
            report.add(n as u64);
            journal.save_now_and_then(job);
            if pace.is_dead(n as u64) {
                return Err(again(Fault::Network(NetworkFault::Stalled)));
            }
        }
        match expected {
            Some(expected) if got < expected => Err(again(Fault::Cut { got, expected })),
            _ => Ok(()),
        }
    }
}

/// What a request asks for: a lane of a file from a position on.
struct Asked<'a> {
    job: &'a Job,
    journal: &'a Journal,
    lane: &'a Lane,
    from: u64,
}

fn open_at(job: &Job, position: u64) -> Result<File, Stop> {
    let path = job.data_path();
    let opened = OpenOptions::new().write(true).open(&path).and_then(|mut file| {
        file.seek(SeekFrom::Start(position))?;
        Ok(file)
    });
    opened.map_err(|e| write_failed(job, e))
}

fn write_failed(job: &Job, error: std::io::Error) -> Stop {
    Stop::End(End::Failed(disk_error(job, "write", &job.data_path(), error)))
}

fn again(fault: Fault) -> Stop {
    Stop::Again { fault, after: None }
}

/// A connection that ended early says more when it says where.
fn broken(fault: NetworkFault, got: u64, expected: Option<u64>) -> Fault {
    match (fault, expected) {
        (NetworkFault::Broken(_), Some(expected)) => Fault::Cut { got, expected },
        (fault, _) => Fault::Network(fault),
    }
}

fn start_over(fault: Fault) -> Stop {
    Stop::End(End::StartOver(fault))
}

fn status_fault(reply: &Reply) -> Fault {
    Fault::Status {
        status: reply.status,
        message: reply.header("x-error-message").map(str::to_owned),
    }
}

/// Whether `bytes from-…/total` is the part that was asked for.
fn range_fits(header: &str, from: u64, size: Option<u64>) -> bool {
    let Some((range, total)) = header.trim().strip_prefix("bytes ").and_then(|r| r.split_once('/'))
    else {
        return false;
    };
    let Some((first, _)) = range.split_once('-') else {
        return false;
    };
    first.trim().parse() == Ok(from)
        && (total == "*" || size.is_none_or(|size| total.trim().parse() == Ok(size)))
}

/// Gathers small reads into fewer events.
struct Reporter<'a> {
    downloader: &'a Downloader<'a>,
    job: &'a Job,
    count: u64,
    last: Instant,
}

impl<'a> Reporter<'a> {
    fn new(downloader: &'a Downloader<'a>, job: &'a Job) -> Reporter<'a> {
        Reporter { downloader, job, count: 0, last: Instant::now() }
    }

    fn add(&mut self, count: u64) {
        self.count += count;
        if self.last.elapsed() >= REPORT_EVERY {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if self.count > 0 {
            self.downloader.tell(Event::Bytes { file: self.job.file.clone(), count: self.count });
        }
        self.count = 0;
        self.last = Instant::now();
    }
}

impl Drop for Reporter<'_> {
    fn drop(&mut self) {
        self.flush();
    }
}

/// Notices a body that drips without ever stopping.
struct Pace {
    window: Duration,
    since: Instant,
    bytes: u64,
}

impl Pace {
    fn new(window: Duration) -> Pace {
        Pace { window, since: Instant::now(), bytes: 0 }
    }

    fn is_dead(&mut self, count: u64) -> bool {
        self.bytes += count;
        if self.since.elapsed() < self.window {
            return false;
        }
        let dead = self.bytes < LEAST_BYTES_PER_STALL;
        *self = Pace::new(self.window);
        dead
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_range_must_be_what_was_asked_for() {
        assert!(range_fits("bytes 5-9/10", 5, Some(10)));
        assert!(range_fits("bytes 5-9/*", 5, Some(10)));
        for bad in ["", "bytes 4-9/10", "bytes 5-9/11", "items 5-9/10", "bytes */10", "bytes 5/10"]
        {
            assert!(!range_fits(bad, 5, Some(10)), "{bad}");
        }
    }

    #[test]
    fn a_drip_is_dead_and_a_trickle_is_not() {
        let mut pace = Pace::new(Duration::ZERO);
        assert!(pace.is_dead(1));
        assert!(!pace.is_dead(LEAST_BYTES_PER_STALL));
    }
}
