//! What every download of one call is done with.

use std::sync::atomic::AtomicBool;
use std::sync::mpsc::Sender;
use std::time::Duration;

use scaffold_error::Error;

use super::job::Job;
use crate::http::{Http, Reply};
use crate::progress::Event;
use crate::retry::Retry;

/// Fetches files. Shared by the threads of one call.
pub(crate) struct Downloader<'a> {
    pub(crate) http: &'a Http,
    pub(crate) retry: &'a Retry,
    pub(crate) ranges: usize,
    pub(crate) range_threshold: u64,
    pub(crate) stall: Duration,
    pub(crate) events: &'a Sender<Event>,
    /// Set when the call is to end: cancelled, or another file has failed.
    pub(crate) stop: &'a AtomicBool,
    /// Turns a refusal by the server that was asked (not one that it redirects to) into an error.
    pub(crate) refuse: &'a (dyn Fn(&Reply, &Job) -> Error + Sync),
}
