//! Waiting that Ctrl-C interrupts: Python's signal handlers run in its main thread alone, and only
//! while that asks for them.

use std::sync::mpsc;
use std::time::Duration;

use pyo3::prelude::*;
use scaffold::{Error, Kind};

use crate::errors::OrRaise;

/// How often a thread that waits asks whether a signal has come.
pub(crate) const TICK: Duration = Duration::from_millis(50);

/// What `work` gives, which runs in a thread of its own while this one waits for it and for signals.
/// `stop` is to end it when one has come; its result is then of no interest.
///
/// # Errors
/// What `work` fails with, or the exception of a signal handler, such as `KeyboardInterrupt`.
pub(crate) fn interruptible<T: Send + 'static>(
    py: Python<'_>,
    stop: impl FnOnce(),
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> PyResult<T> {
    let (sender, mut receiver) = mpsc::sync_channel(1);
    let worker = std::thread::Builder::new().name("scaffold-call".to_owned()).spawn(move || {
        // Nobody may be there to hear it any more.
        let _ = sender.send(work());
    });
    worker
        .map_err(|cause| {
            let text = format!("no thread could be started for the call: {cause}; see `ulimit -u`");
            Error::new(Kind::Unavailable, text).because(cause)
        })
        .or_raise(py)?;
    loop {
        // A receiver is one thread's alone, so it goes there and back.
        let waited;
        (receiver, waited) = py.detach(move || {
            let waited = receiver.recv_timeout(TICK);
            (receiver, waited)
        });
        match waited {
            Ok(done) => return done.or_raise(py),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                if let Err(interrupted) = py.check_signals() {
                    stop();
                    return Err(interrupted);
                }
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => return Err(broken()).or_raise(py),
        }
    }
}

fn broken() -> Error {
    Error::new(
        Kind::Internal,
        "the call ended without a result, which is a fault of Scaffold's: report it",
    )
}
