//! What the server counts of itself.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use scaffold::engine::Histogram;
use tokio::sync::watch;

/// Counts, and whether the server takes requests.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    /// Requests by path as it is known here and by status, and the times until their heads were
    /// sent.
    requests: Mutex<BTreeMap<(&'static str, u16), u64>>,
    times: Mutex<Histogram>,
    pub(crate) connections: AtomicUsize,
    draining: watch::Sender<bool>,
}

impl Watched {
    pub(crate) fn count(&self, path: &'static str, status: u16, time: Duration) {
        let lock = |error: PoisonError<_>| error.into_inner();
        *self.requests.lock().unwrap_or_else(lock).entry((path, status)).or_default() += 1;
        self.times.lock().unwrap_or_else(PoisonError::into_inner).add(time);
    }

    pub(crate) fn requests(&self) -> BTreeMap<(&'static str, u16), u64> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn times(&self) -> Histogram {
        self.times.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn is_draining(&self) -> bool {
        *self.draining.borrow()
    }

    /// From now on no more requests are taken.
    pub(crate) fn drain(&self) {
        self.draining.send_replace(true);
    }

    /// Hears of that.
    pub(crate) fn draining(&self) -> watch::Receiver<bool> {
        self.draining.subscribe()
    }
}
