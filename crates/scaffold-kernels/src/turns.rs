//! Turns of those who compute in one process: each has the processors to itself for a while, so that
//! models do not take them from each other in the middle of a step.
//!
//! There are as many places as the machine runs threads at once. A turn takes one for each thread of
//! its team, so a team of all threads computes alone, and small teams beside each other. Who goes
//! next is a rule ([`shares`]); if the next one does not fit yet, nobody overtakes it.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

mod shares;

use shares::{SLICE, Shares};

thread_local! {
    /// Whether this thread has a turn: what it computes belongs to that one.
    static HAS_TURN: Cell<bool> = const { Cell::new(false) };
}

/// Lets those who compute go one after the other.
pub(crate) struct Turns {
    state: Mutex<State>,
    /// How many wait.
    waiting: AtomicUsize,
    places: usize,
    start: Instant,
}

struct State {
    shares: Shares,
    waiting: Vec<Waiting>,
    at_work: Vec<AtWork>,
    free: usize,
}

struct Waiting {
    place: Arc<Place>,
    weight: u32,
    granted: Arc<AtomicBool>,
    thread: Thread,
}

struct AtWork {
    place: Arc<Place>,
    weight: u32,
    begun: Instant,
    /// Until when its time was charged.
    charged: Instant,
}

/// What is known of one contender.
struct Place {
    contender: usize,
    /// The threads that it computes with: those who share them never compute at once.
    members: usize,
    width: usize,
    /// Until when it may go on with its turn, in nanoseconds since the start; the end of time where
    /// nobody waits.
    until: AtomicU64,
}

/// One that wants turns.
pub(crate) struct Seat {
    turns: &'static Turns,
    place: Arc<Place>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.turns.lock().shares.leave(self.place.contender);
    }
}

/// The right to compute, until it is dropped. While another waits, whoever has one should
/// [pass](Turn::pass) it often, and should not wait for anything else.
#[must_use = "dropping it ends the turn"]
pub struct Turn<'a> {
    /// `None`: nobody has to be waited for.
    seat: Option<&'a Seat>,
    weight: u32,
    waited: Duration,
    /// Whether a thread has a turn is noted in the thread.
    of_thread: PhantomData<MutexGuard<'static, ()>>,
}

impl Turns {
    /// Those of this process.
    pub(crate) fn of_process() -> &'static Turns {
        static TURNS: OnceLock<Turns> = OnceLock::new();
        TURNS.get_or_init(|| Turns::new(thread::available_parallelism().map_or(1, usize::from)))
    }

    fn new(places: usize) -> Self {
        let state = State {
            shares: Shares::default(),
            waiting: Vec::new(),
            at_work: Vec::new(),
            free: places,
        };
        let (state, waiting) = (Mutex::new(state), AtomicUsize::new(0));
        Self { state, waiting, places, start: Instant::now() }
    }

    /// One that computes with the threads called `members`, of which there are `threads`.
    pub(crate) fn join(&'static self, members: usize, threads: usize) -> Seat {
        let contender = self.lock().shares.join();
        let width = threads.clamp(1, self.places);
        let place = Place { contender, members, width, until: AtomicU64::new(u64::MAX) };
        Seat { turns: self, place: Arc::new(place) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a turn.
    fn take(&self, place: &Arc<Place>, weight: u32) -> Duration {
        let mut state = self.lock();
        let now = Instant::now();
        state.want(place, now);
        if state.waiting.is_empty() && state.fits(place) {
            state.begin(place, weight, now);
            return Duration::ZERO;
        }
        self.wait(state, place, weight, now);
        now.elapsed()
    }

    fn wait(
        &self,
        mut state: MutexGuard<'_, State>,
        place: &Arc<Place>,
        weight: u32,
        now: Instant,
    ) {
        let granted = Arc::new(AtomicBool::new(false));
        state.waiting.push(Waiting {
            place: Arc::clone(place),
            weight,
            granted: Arc::clone(&granted),
            thread: thread::current(),
        });
        self.go_on(state, now);
        while !granted.load(Ordering::Acquire) {
            thread::park();
        }
    }

    fn give_back(&self, place: &Place) {
        let mut state = self.lock();
        let now = Instant::now();
        state.finish(place, now);
        self.go_on(state, now);
    }

    /// Ends a turn where the rule says so, and waits for another.
    fn pass(&self, place: &Arc<Place>, weight: u32) -> Duration {
        let mut state = self.lock();
        let now = Instant::now();
        if self.since_start(now) < place.until.load(Ordering::Relaxed) {
            return Duration::ZERO;
        }
        state.finish(place, now);
        state.want(place, now);
        self.wait(state, place, weight, now);
        now.elapsed()
    }

    /// Lets in who is next, if there is room, and tells those at work how long they may go on.
    fn go_on(&self, mut state: MutexGuard<'_, State>, now: Instant) {
        let mut woken = Vec::new();
        while let Some(next) = state.next().filter(|&next| state.fits(&state.waiting[next].place)) {
            let Waiting { place, weight, granted, thread } = state.waiting.remove(next);
            state.begin(&place, weight, now);
            granted.store(true, Ordering::Release);
            woken.push(thread);
        }
        self.waiting.store(state.waiting.len(), Ordering::Relaxed);
        let next = state.next().map(|next| state.waiting[next].place.contender);
        for AtWork { place, weight, begun, charged } in &state.at_work {
            let until = next.map_or(u64::MAX, |next| {
                let ahead = state.shares.ahead(place.contender, next, *weight);
                let equal = self.since_start(*charged).saturating_add(ahead);
                equal.max(self.since_start(*begun).saturating_add(SLICE))
            });
            place.until.store(until, Ordering::Relaxed);
        }
        drop(state);
        let me = thread::current().id();
        woken.iter().filter(|thread| thread.id() != me).for_each(Thread::unpark);
    }

    fn since_start(&self, time: Instant) -> u64 {
        time.saturating_duration_since(self.start).as_nanos().try_into().unwrap_or(u64::MAX)
    }
}

impl State {
    fn next(&self) -> Option<usize> {
        self.shares.next(self.waiting.iter().map(|waiting| waiting.place.contender))
    }

    fn fits(&self, place: &Place) -> bool {
        let same = |other: &AtWork| other.place.members == place.members;
        place.width <= self.free && !self.at_work.iter().any(same)
    }

    fn begin(&mut self, place: &Arc<Place>, weight: u32, now: Instant) {
        self.shares.begin(place.contender);
        self.free -= place.width;
        place.until.store(u64::MAX, Ordering::Relaxed);
        self.at_work.push(AtWork { place: Arc::clone(place), weight, begun: now, charged: now });
    }

    /// Charges those at work with their time until now.
    fn charge(&mut self, now: Instant) {
        for AtWork { place, weight, charged, .. } in &mut self.at_work {
            let time = now.saturating_duration_since(*charged).as_nanos();
            self.shares.charge(place.contender, time.try_into().unwrap_or(u64::MAX), *weight);
            *charged = now;
        }
    }

    fn want(&mut self, place: &Place, now: Instant) {
        self.charge(now);
        self.shares.want(place.contender);
    }

    fn finish(&mut self, place: &Place, now: Instant) {
        let own = |other: &AtWork| other.place.contender == place.contender;
        let Some(at) = self.at_work.iter().position(own) else {
            return;
        };
        self.charge(now);
        self.at_work.swap_remove(at);
        self.shares.end(place.contender);
        self.free += place.width;
    }
}

impl<'a> Turn<'a> {
    /// The weight of work that somebody waits for. Work of weight 1 gets a quarter as much time
    /// beside it.
    pub const AWAITED: u32 = 4;

    /// Waits for a turn of this weight. A thread that has one already computes within that, and
    /// without a seat nobody has to be waited for.
    pub(crate) fn take(seat: Option<&'a Seat>, weight: u32) -> Self {
        let seat = seat.filter(|_| !HAS_TURN.get());
        let waited = seat.map_or(Duration::ZERO, |seat| seat.turns.take(&seat.place, weight));
        if seat.is_some() {
            HAS_TURN.set(true);
        }
        Self { seat, weight, waited, of_thread: PhantomData }
    }

    /// Whether another is to have a turn now: the work at hand should come to a place where it can
    /// be left, and the turn be [passed](Self::pass). May be asked by any thread, as often as one
    /// likes.
    pub fn is_wanted(&self) -> bool {
        self.seat.is_some_and(|seat| {
            seat.turns.waiting.load(Ordering::Relaxed) > 0
                && seat.turns.since_start(Instant::now())
                    >= seat.place.until.load(Ordering::Relaxed)
        })
    }

    /// Lets another have its turn, if one waits that has had less time, and then goes on.
    pub fn pass(&mut self) {
        if let Some(seat) = self.seat.filter(|_| self.is_wanted()) {
            self.waited += seat.turns.pass(&seat.place, self.weight);
        }
    }

    /// What its work counts from the next [`pass`](Self::pass) on.
    pub fn set_weight(&mut self, weight: u32) {
        self.weight = weight;
    }

    /// For how long others were waited for.
    pub fn waited(&self) -> Duration {
        self.waited
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if let Some(seat) = self.seat {
            HAS_TURN.set(false);
            seat.turns.give_back(&seat.place);
        }
    }
}

impl fmt::Debug for Turn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn").field("weight", &self.weight).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
