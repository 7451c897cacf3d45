//! How an event loop of asyncio hears that an answer has come on.
//!
//! The thread that computes wakes whoever waits for an answer, and must not wait for Python's lock to do
//! so. It puts the bell into a queue; a thread of this module's takes the lock, once for all bells that
//! are there, and rings them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, OnceLock, Weak};
use std::task::{Context, Wake, Waker};

use pyo3::prelude::*;
use scaffold::{Error, Kind};

use crate::arriving::Arriving;

/// Rings once, when a stream has what is waited for.
pub(crate) struct Bell {
    /// Called without arguments; it must not wait.
    ring: Py<PyAny>,
    /// Not the stream itself, which holds this.
    stream: Weak<Arriving>,
    /// Whether the whole answer is waited for.
    whole: bool,
    is_queued: AtomicBool,
}

impl Bell {
    /// Looks at a stream, which wakes the bell later if there is nothing yet. Whether there is.
    pub(crate) fn hang(
        ring: Py<PyAny>,
        stream: &Arc<Arriving>,
        whole: bool,
    ) -> Result<bool, Error> {
        ringer()?;
        let bell =
            Self { ring, stream: Arc::downgrade(stream), whole, is_queued: AtomicBool::new(false) };
        Ok(Arc::new(bell).is_due())
    }

    /// Whether it is to ring now; otherwise it will be woken again.
    fn is_due(self: &Arc<Self>) -> bool {
        self.is_queued.store(false, Ordering::SeqCst);
        let Some(stream) = self.stream.upgrade() else {
            // Whoever waited is gone.
            return false;
        };
        let waker = Waker::from(Arc::clone(self));
        stream.poll(&mut Context::from_waker(&waker), self.whole)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        if self.is_queued.swap(true, Ordering::SeqCst) {
            return;
        }
        // Without the thread nobody could have hung it.
        if let Ok(ringer) = ringer() {
            let _ = ringer.send(self);
        }
    }
}

/// The way to the thread that rings.
fn ringer() -> Result<&'static Sender<Arc<Bell>>, Error> {
    static RINGER: OnceLock<Result<Sender<Arc<Bell>>, Error>> = OnceLock::new();
    let started = RINGER.get_or_init(|| {
        let (sender, receiver) = mpsc::channel();
        let thread = std::thread::Builder::new().name("scaffold-bells".to_owned());
        let started = thread.spawn(move || ring_all(&receiver));
        started.map(|_| sender).map_err(|cause| {
            let text = format!(
                "the thread that wakes tasks could not be started: {cause}; see `ulimit -u`"
            );
            Error::new(Kind::Unavailable, text).because(cause)
        })
    });
    started.as_ref().map_err(Clone::clone)
}

fn ring_all(bells: &Receiver<Arc<Bell>>) {
    while let Ok(first) = bells.recv() {
        let mut due: Vec<Arc<Bell>> = std::iter::once(first).chain(bells.try_iter()).collect();
        due.retain(Bell::is_due);
        if due.is_empty() {
            continue;
        }
        let rung = Python::try_attach(|py| {
            for bell in due {
                // A loop that was closed hears nothing; its tasks are gone.
                let _ = bell.ring.call0(py);
            }
        });
        if rung.is_none() {
            // Python is ending.
            return;
        }
    }
}
