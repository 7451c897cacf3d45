//! How an engine is, for its handles.

use std::sync::{Mutex, MutexGuard, PoisonError};

use scaffold_error::{Error, err};

/// How an engine is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Health {
    /// Whether it takes requests.
    pub condition: Condition,
    /// Faults of the program's own that it has survived or ended by. Each has failed the requests
    /// that it concerned.
    pub panics: usize,
    /// What the last of them said.
    pub last_panic: Option<String>,
}

/// Whether an engine takes requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Condition {
    /// It computes, or waits for requests.
    #[default]
    Running,
    /// It was shut down.
    Stopped,
    /// It ended by a fault of the program's own and takes no requests: the model has to be loaded
    /// again.
    Ended,
}

impl Health {
    /// Whether the engine takes requests.
    pub fn is_running(&self) -> bool {
        self.condition == Condition::Running
    }
}

/// Where the engine's thread writes its health down.
#[derive(Debug, Default)]
pub(crate) struct Record {
    health: Mutex<Health>,
}

impl Record {
    fn lock(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn read(&self) -> Health {
        self.lock().clone()
    }

    pub(crate) fn panicked(&self, detail: &str) {
        let mut health = self.lock();
        health.panics += 1;
        health.last_panic = Some(detail.to_owned());
    }

    /// The engine cannot go on after a panic that was written down.
    pub(crate) fn ended(&self, detail: &str) {
        let mut health = self.lock();
        health.condition = Condition::Ended;
        health.last_panic = Some(detail.to_owned());
    }

    /// The engine's thread leaves. The first reason stays.
    pub(crate) fn left(&self, condition: Condition) {
        let mut health = self.lock();
        if health.is_running() {
            health.condition = condition;
        }
    }

    /// Why a request that nobody answers any more has no answer.
    pub(crate) fn reason(&self) -> Error {
        let health = self.read();
        let detail =
            health.last_panic.unwrap_or_else(|| "its thread has ended without a word".to_owned());
        match health.condition {
            Condition::Ended => err!(
                Internal,
                "the engine has ended by a fault of the program: {detail}. Load the model again, and report this with the \
                 model's name"
            ),
            // In the middle of a panic, which is written down when it is caught.
            Condition::Running if std::thread::panicking() => {
                panicked("the request was lost on its way through the queue")
            }
            Condition::Running | Condition::Stopped => stopped(),
        }
    }
}

/// A part of the engine broke off while it worked on a request, by a fault of the program's own.
pub(crate) fn panicked(detail: &str) -> Error {
    err!(
        Internal,
        "the engine broke off while it worked on this request: {detail}. This is a fault of the program, not of the \
         request. The engine goes on: repeat the request, and report this with the model's name if it comes again"
    )
}

/// The engine was stopped before an answer was complete.
pub fn stopped() -> Error {
    err!(
        Unavailable,
        "the engine was stopped before the answer was complete: start it again and repeat the request"
    )
}
