//! One call: its texts, its standing, and what has come of it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar};
use std::time::{Duration, Instant};

use scaffold_engine::{Priority, Standing, Ticket};

use super::cancel::Cancel;
use super::error::{cancelled, late};
use crate::embed::input::Input;
use crate::error::Error;

/// How a call is computed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct How<'a> {
    /// Where it stands among others.
    pub(crate) standing: Option<&'a Standing>,
    /// What stops it.
    pub(crate) cancel: Option<&'a Cancel>,
    /// Whether each text fails alone; otherwise the first that does fails the call.
    pub(crate) each: bool,
}

impl How<'_> {
    pub(super) fn owner(&self) -> Option<&Arc<str>> {
        self.standing.and_then(|standing| standing.owner.as_ref())
    }

    pub(super) fn priority(&self) -> Priority {
        self.standing.map_or(Priority::default(), |standing| standing.priority)
    }

    /// # Errors
    /// It was stopped.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match self.cancel {
            Some(cancel) if cancel.is_cancelled() => Err(cancelled()),
            _ => Ok(()),
        }
    }
}

/// What threads share of a call.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) id: u64,
    pub(super) inputs: Vec<Input>,
    /// Tokens at the start of each input that do not count for its result.
    pub(super) skip: usize,
    pub(super) each: bool,
    pub(super) weight: u32,
    pub(super) submitted: Instant,
    cancel: Option<Cancel>,
    max_wait: Option<Duration>,
    pub(super) begun: AtomicBool,
    /// It has all that it will have.
    pub(super) ended: AtomicBool,
    /// Whoever made it is not there any more.
    pub(super) gone: AtomicBool,
    /// It has ended, or somebody has to go on with what is left.
    pub(super) changed: Condvar,
}

impl Call {
    pub(super) fn new(
        id: u64,
        inputs: Vec<Input>,
        skip: usize,
        how: &How<'_>,
        weight: u32,
        submitted: Instant,
    ) -> Self {
        Self {
            id,
            inputs,
            skip,
            each: how.each,
            weight,
            submitted,
            cancel: how.cancel.cloned(),
            max_wait: how.standing.and_then(|standing| standing.max_wait),
            begun: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            gone: AtomicBool::new(false),
            changed: Condvar::new(),
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    pub(super) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Relaxed) || self.is_cancelled()
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancel.as_ref().is_some_and(Cancel::is_cancelled)
    }

    /// How long it may still wait to be begun; `None`: as long as it takes.
    fn may_wait(&self) -> Option<Duration> {
        let most = self.max_wait.filter(|_| !self.begun.load(Ordering::Relaxed))?;
        Some(most.saturating_sub(self.submitted.elapsed()))
    }

    /// Whether nothing more is to be done for it: it has ended (`Ok`), or may not go on.
    pub(super) fn is_over(&self) -> Option<Result<(), Error>> {
        if self.has_ended() {
            return Some(Ok(()));
        }
        if self.is_cancelled() {
            return Some(Err(cancelled()));
        }
        self.may_wait().filter(Duration::is_zero).map(|_| Err(late(self.submitted.elapsed())))
    }

    /// How long it may be until [`is_over`](Self::is_over) is asked again, though nothing is heard.
    pub(super) fn look_again(&self) -> Option<Duration> {
        /// What stops a call wakes nobody.
        const LOOK: Duration = Duration::from_millis(5);
        let look = self.cancel.is_some().then_some(LOOK);
        match (self.may_wait(), look) {
            (Some(wait), Some(look)) => Some(wait.min(look)),
            (wait, look) => wait.or(look),
        }
    }
}

/// A call that is not answered, as those who compute see it.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) call: Arc<Call>,
    pub(super) ticket: Ticket,
    /// `[texts, width]`.
    pub(super) values: Vec<f32>,
    /// Texts that failed, by their places.
    pub(super) failed: Vec<(usize, Error)>,
    /// Texts that are not computed.
    pub(super) left: usize,
}

impl Open {
    /// The result of a text.
    pub(super) fn put(&mut self, place: usize, result: Result<&[f32], &Error>) {
        self.left = self.left.saturating_sub(1);
        match result {
            Ok(row) => {
                let width = row.len();
                self.values[place * width..(place + 1) * width].copy_from_slice(row);
            }
            Err(error) => self.failed.push((place, error.clone())),
        }
        if self.left == 0 || !self.failed.is_empty() && !self.call.each {
            self.end();
        }
    }

    /// Tells whoever made it that it has all that it will have.
    pub(super) fn end(&self) {
        self.call.ended.store(true, Ordering::Release);
        self.call.changed.notify_all();
    }
}
