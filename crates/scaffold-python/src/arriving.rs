//! What has arrived of an answer, for whoever waits for it: a thread, or a bell.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use scaffold::{Arrived, Error, PartStream};

/// What a stream and the bell that waits for it share.
pub(crate) struct Arriving(Mutex<State>);

pub(crate) struct State {
    pub(crate) parts: PartStream,
    /// What a poll has found and nobody has taken.
    pub(crate) arrived: VecDeque<Result<Arrived, Error>>,
    pub(crate) is_over: bool,
}

/// How far a thread that waits for the whole answer has come.
pub(crate) enum Waited {
    /// It is there.
    Whole,
    /// It is not.
    NotYet,
}

impl Arriving {
    pub(crate) fn new(parts: PartStream) -> Self {
        Self(Mutex::new(State { parts, arrived: VecDeque::new(), is_over: false }))
    }

    /// Held for as long as a thread waits: not to be asked for with Python's lock.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there is something to take, or the whole answer where that is waited for; otherwise the
    /// context's waker is called when there is more.
    pub(crate) fn poll(&self, context: &mut Context<'_>, whole: bool) -> bool {
        let mut state = self.lock();
        while !state.is_over && (whole || state.arrived.is_empty()) {
            match state.parts.poll_recv(context) {
                Poll::Pending => return false,
                Poll::Ready(next) => state.take(next, whole),
            }
        }
        true
    }

    /// Waits for the next piece until then; none when it did not come, or nothing comes any more.
    pub(crate) fn wait(&self, until: Instant) -> Option<Result<Arrived, Error>> {
        let mut state = self.lock();
        if state.arrived.is_empty() && !state.is_over {
            let next = state.parts.recv_timeout(until.saturating_duration_since(Instant::now()));
            if next.is_some() || state.parts.is_ended() {
                state.take(next, false);
            }
        }
        state.arrived.pop_front()
    }

    /// Waits for the whole answer until then.
    pub(crate) fn wait_whole(&self, until: Instant) -> Result<Waited, Error> {
        let mut state = self.lock();
        loop {
            if let Some(Err(_)) = state.arrived.front()
                && let Some(Err(error)) = state.arrived.pop_front()
            {
                return Err(error);
            }
            state.arrived.clear();
            if state.is_over {
                return Ok(Waited::Whole);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Waited::NotYet);
            }
            let next = state.parts.recv_timeout(left);
            if next.is_some() || state.parts.is_ended() {
                state.take(next, true);
            }
        }
    }
}

impl State {
    /// Notes what has come; of a whole answer nobody looks at the pieces.
    fn take(&mut self, next: Option<Result<Arrived, Error>>, whole: bool) {
        match next {
            None => self.is_over = true,
            Some(Err(error)) => {
                self.is_over = true;
                self.arrived.push_back(Err(error));
            }
            Some(Ok(_)) if whole => {}
            Some(Ok(arrived)) => self.arrived.push_back(Ok(arrived)),
        }
    }
}
