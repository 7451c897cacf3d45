//! Places in the queue: how many requests were submitted and are not begun, counted where they are,
//! and no more than may be, of all together and of each owner; how long they wait; and how many are
//! open in all.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use scaffold_error::{Error, err};

/// The places of one engine, or of whatever else has a queue with a limit.
#[derive(Debug)]
pub struct Queue {
    state: Mutex<State>,
    freed: Condvar,
    limit: usize,
    owner_limit: Option<usize>,
}

#[derive(Debug, Default)]
struct State {
    /// Requests that are not begun.
    taken: usize,
    /// Requests that are not answered.
    open: usize,
    of_owner: HashMap<Arc<str>, usize>,
    pace: Begins,
}

/// Goes with a request, and keeps its place in the queue until it is begun. Dropping it says that
/// the request is answered, cancelled or lost.
#[derive(Debug)]
pub struct Ticket {
    queue: Arc<Queue>,
    owner: Option<Arc<str>>,
    begun: bool,
}

/// A request was not taken, because too many wait: the cause of the error that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overloaded {
    /// Requests that wait: of all, or of this owner.
    pub waiting: usize,
    /// As many as may.
    pub limit: usize,
    /// The owner whose limit it is; `None` where it is the limit of all together.
    pub owner: Option<Arc<str>>,
    /// About how long it takes until there is a place again; `None` where nothing is known yet.
    pub expected_wait: Option<Duration>,
}

impl fmt::Display for Overloaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { waiting, limit, .. } = self;
        match &self.owner {
            None => {
                write!(
                    f,
                    "{waiting} requests wait already, and {limit} may: this one was not taken"
                )
            }
            Some(owner) => write!(
                f,
                "{waiting} requests of `{owner}` wait already, and {limit} of one owner may: this one was not taken"
            ),
        }?;
        match self.expected_wait {
            Some(wait) => write!(f, "; a place is expected in about {}", seconds(wait)),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Overloaded {}

impl From<Overloaded> for Error {
    fn from(overloaded: Overloaded) -> Self {
        err!(
            Busy,
            "{overloaded}. Submit it again when an answer is complete, or let the engine take requests as places come free \
             (batch_generate and submit_when_free do)"
        )
        .because(overloaded)
    }
}

/// A time for people, in seconds.
pub(crate) fn seconds(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 10.0 { format!("{seconds:.1} s") } else { format!("{seconds:.0} s") }
}

impl Queue {
    /// A queue of `limit` places, of which each owner may have `owner_limit`.
    pub fn new(limit: usize, owner_limit: Option<usize>) -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), freed: Condvar::new(), limit, owner_limit })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many places are taken, and how many requests are begun and not answered.
    pub fn counts(&self) -> (usize, usize) {
        let state = self.lock();
        (state.taken, state.open - state.taken)
    }

    /// Waits until all requests are answered, but not after `deadline`; whether they are.
    pub(crate) fn wait_idle(&self, deadline: Option<Instant>) -> bool {
        let mut state = self.lock();
        while state.open > 0 {
            state = match deadline {
                None => self.freed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return false;
                    }
                    let waited = self.freed.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        true
    }

    /// About how long a request would wait that were submitted now; `None` where nothing is known
    /// yet.
    pub fn expected_wait(&self, now: Instant) -> Option<Duration> {
        let state = self.lock();
        state.pace.wait(state.taken, now)
    }

    /// A place, or why there is none.
    ///
    /// # Errors
    /// All places are taken, or as many as this owner may have.
    pub fn take(self: &Arc<Self>, owner: Option<&Arc<str>>) -> Result<Ticket, Overloaded> {
        let mut state = self.lock();
        match self.full(&state, owner) {
            Some(overloaded) => Err(overloaded),
            None => Ok(self.ticket(&mut state, owner)),
        }
    }

    /// A place, as soon as one is free. An engine that ends drops its requests, which frees theirs.
    pub(crate) fn wait(self: &Arc<Self>, owner: Option<&Arc<str>>) -> Ticket {
        let full = |state: &mut State| self.full(state, owner).is_some();
        let mut state =
            self.freed.wait_while(self.lock(), full).unwrap_or_else(PoisonError::into_inner);
        self.ticket(&mut state, owner)
    }

    fn full(&self, state: &State, owner: Option<&Arc<str>>) -> Option<Overloaded> {
        let full = |waiting, limit, owner| Overloaded {
            waiting,
            limit,
            owner,
            expected_wait: state.pace.wait(1, Instant::now()),
        };
        if state.taken >= self.limit {
            return Some(full(state.taken, self.limit, None));
        }
        let (owner, limit) = (owner?, self.owner_limit?);
        let waiting = state.of_owner.get(owner).copied().unwrap_or(0);
        (waiting >= limit).then(|| full(waiting, limit, Some(Arc::clone(owner))))
    }

    fn ticket(self: &Arc<Self>, state: &mut State, owner: Option<&Arc<str>>) -> Ticket {
        state.taken += 1;
        state.open += 1;
        if let Some(owner) = owner {
            *state.of_owner.entry(Arc::clone(owner)).or_default() += 1;
        }
        Ticket { queue: Arc::clone(self), owner: owner.cloned(), begun: false }
    }
}

impl State {
    /// Frees the place of a request that does not wait any more.
    fn free(&mut self, owner: Option<&Arc<str>>) {
        self.taken -= 1;
        if let Some(owner) = owner
            && let Some(count) = self.of_owner.get_mut(owner)
        {
            *count -= 1;
            if *count == 0 {
                self.of_owner.remove(owner);
            }
        }
    }
}

impl Ticket {
    /// The request is begun.
    pub fn begin(&mut self, now: Instant) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        let mut state = self.queue.lock();
        state.free(self.owner.as_ref());
        let others = state.taken > 0;
        state.pace.begin(others, now);
        drop(state);
        // Those who wait are of different owners: not every one of them can use the place.
        self.queue.freed.notify_all();
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        if !self.begun {
            state.free(self.owner.as_ref());
        }
        state.open -= 1;
        drop(state);
        self.queue.freed.notify_all();
    }
}

/// How often waiting requests are begun. No clock is looked at: times are told.
#[derive(Debug, Default)]
struct Begins {
    last: Option<Instant>,
    /// Seconds from one to the next, while others wait.
    between: Option<f64>,
    /// Whether others waited when the last one was begun.
    waited: bool,
}

impl Begins {
    /// How much of a new measurement counts.
    const WEIGHT: f64 = 0.2;

    fn begin(&mut self, others: bool, now: Instant) {
        if let Some(last) = self.last.filter(|_| self.waited) {
            let seen = now.saturating_duration_since(last).as_secs_f64();
            self.between = Some(self.between.map_or(seen, |b| b + Self::WEIGHT * (seen - b)));
        }
        (self.last, self.waited) = (Some(now), others);
    }

    /// How long it takes until so many more are begun.
    fn wait(&self, count: usize, now: Instant) -> Option<Duration> {
        let since = self.last.filter(|_| self.waited)?;
        let since = now.saturating_duration_since(since).as_secs_f64();
        let between = self.between.map_or(since, |between| between.max(since));
        Duration::try_from_secs_f64(between * count as f64).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_its_ticket_is_gone() {
        let queue = Queue::new(2, None);
        let (first, second) = (queue.take(None).unwrap(), queue.take(None).unwrap());
        let full = queue.take(None).unwrap_err();
        assert_eq!((full.waiting, full.limit, full.owner), (2, 2, None));
        drop(first);
        assert_eq!(queue.counts().0, 1);
        let third = queue.wait(None);
        assert_eq!(queue.counts().0, 2);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| drop(queue.wait(None)));
            drop(second);
            waiting.join().unwrap();
        });
        drop(third);
        assert_eq!(queue.counts().0, 0);
        assert!(queue.wait_idle(None));
    }

    #[test]
    fn a_request_that_is_begun_is_open_until_its_ticket_is_gone() {
        let queue = Queue::new(1, None);
        let mut ticket = queue.take(None).unwrap();
        ticket.begin(Instant::now());
        ticket.begin(Instant::now());
        assert_eq!(queue.counts(), (0, 1));
        assert!(!queue.wait_idle(Some(Instant::now())));
        let other = queue.take(None).unwrap();
        assert_eq!(queue.counts(), (1, 1));
        drop((ticket, other));
        assert!(queue.wait_idle(Some(Instant::now())));
    }

    #[test]
    fn an_owner_has_a_limit_of_its_own() {
        let queue = Queue::new(3, Some(1));
        let (ann, bob): (Arc<str>, Arc<str>) = ("ann".into(), "bob".into());
        let first = queue.take(Some(&ann)).unwrap();
        let full = queue.take(Some(&ann)).unwrap_err();
        assert_eq!((full.waiting, full.limit, full.owner.as_deref()), (1, 1, Some("ann")));
        assert!(full.to_string().contains("`ann`"), "{full}");
        let others = (queue.take(Some(&bob)).unwrap(), queue.take(None).unwrap());
        assert_eq!(queue.take(None).unwrap_err().limit, 3);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| drop(queue.wait(Some(&ann))));
            drop(others);
            drop(first);
            waiting.join().unwrap();
        });
        assert!(queue.lock().of_owner.is_empty());
    }

    #[test]
    fn the_wait_is_told_from_what_was_seen() {
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let mut begins = Begins::default();
        assert_eq!(begins.wait(3, at(0)), None);
        for second in [0, 2, 4, 6] {
            begins.begin(true, at(second));
        }
        assert_eq!(begins.wait(3, at(6)), Some(Duration::from_secs(6)));
        // The answers at hand take longer than those before.
        assert_eq!(begins.wait(1, at(16)), Some(Duration::from_secs(10)));
        // Nobody waited: the next begins at once.
        begins.begin(false, at(20));
        assert_eq!(begins.wait(1, at(30)), None);
        begins.begin(true, at(31));
        assert_eq!(begins.between.map(f64::round), Some(4.0));
    }
}
