//! A team of threads that works through numbered chunks.
//!
//! Work is claimed chunk by chunk from a counter, by the caller too. The caller waits for workers
//! that are inside a chunk, never for one that has not started: if the machine is busy and no
//! worker wakes up in time, the caller has done everything alone by then and goes on. Workers spin
//! for a short while between jobs, because the next one usually follows within microseconds, and
//! then sleep.

use std::{
    any::Any,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    ptr,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::turns::{Seat, Turn, Turns};

/// How long a thread without work watches for more before it sleeps.
const SPIN: Duration = Duration::from_micros(40);

/// The job word: the low bits count workers inside the job, one bit closes it, the rest number it.
const CLOSED: u64 = 1 << 31;
const INSIDE: u64 = CLOSED - 1;
const NUMBER: u64 = 1 << 32;

/// Worker threads that share the chunks of a job with the thread that calls [`Team::run`].
///
/// ```
/// use scaffold_kernels::Team;
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// let team = Team::new(2);
/// let sum = AtomicUsize::new(0);
/// team.run(100, &|chunk| { sum.fetch_add(chunk, Ordering::Relaxed); });
/// assert_eq!(sum.into_inner(), 4950);
/// ```
pub struct Team {
    members: Arc<Members>,
    /// Where it takes turns with the other teams of the process.
    seat: Option<Seat>,
}

/// The threads of a team, which several may share.
struct Members {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    /// Threads that were asked for, the caller included.
    asked: usize,
    number: usize,
}

/// The threads that the teams of the process share.
static MEMBERS: Mutex<Vec<Weak<Members>>> = Mutex::new(Vec::new());

type Body<'a> = &'a (dyn Fn(usize) + Sync);

struct Shared {
    /// Number, closed bit and count of the current job. Starts closed.
    job: AtomicU64,
    /// The job's closure (a pointer to the caller's `Body`); valid while the job is open or a
    /// worker is counted as inside.
    body: AtomicPtr<()>,
    /// One for each thread, the caller's first.
    lanes: Box<[Lane]>,
    /// Taken while a job runs: a second or nested `run` works serially instead.
    busy: AtomicBool,
    stop: AtomicBool,
    /// Workers that sleep or are about to.
    sleepers: AtomicUsize,
    /// Whether the caller sleeps until the last worker leaves.
    caller_sleeps: AtomicBool,
    gate: Mutex<()>,
    work: Condvar,
    done: Condvar,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

/// The chunks that a thread begins with, in order; when it is through with them it goes on with
/// those of others. So a thread mostly meets the same part of a job's data as in the jobs before,
/// which its caches still hold, and reads weights in one run.
#[derive(Default)]
#[repr(align(64))] // A cache line each: threads count up their own without disturbing the others.
struct Lane {
    /// The next chunk to claim.
    next: AtomicUsize,
    end: AtomicUsize,
}

impl Team {
    /// A team of `threads` of its own, counting the thread that calls [`Team::run`]; 0 means 1.
    ///
    /// More threads than [`Team::cores`] only get in each other's way. If the system refuses to
    /// start a thread, the team is smaller; [`Team::threads`] tells.
    pub fn new(threads: usize) -> Self {
        Self { members: Arc::new(Members::new(threads)), seat: None }
    }

    /// A team of `threads` that takes turns with the other teams of the process that were made so,
    /// and shares its threads with them: no more run at once than the machine has processors for.
    /// See [`Team::turn`].
    pub fn shared(threads: usize) -> Self {
        let members = Members::shared(threads.max(1));
        let seat = Turns::of_process().join(members.number, members.asked);
        Self { members, seat: Some(seat) }
    }

    /// Waits for the right to compute with the team's threads. Whoever waits that has had the least
    /// time goes next, in proportion to the weights: [`Turn::AWAITED`] where somebody waits for the
    /// result, else 1.
    ///
    /// A job without a turn runs all the same, but finds the threads at another's work, and is then
    /// done serially. A thread that has a turn has it for all that it computes: a second one is part
    /// of the first. A team of its own waits for nobody.
    pub fn turn(&self, weight: u32) -> Turn<'_> {
        Turn::take(self.seat.as_ref(), weight)
    }

    /// As [`Team::run`], within turns that are passed between chunks: for many small chunks that
    /// others should not have to wait for.
    ///
    /// # Panics
    /// As [`Team::run`].
    pub fn run_in_turns(&self, weight: u32, chunks: usize, body: Body<'_>) {
        let next = AtomicUsize::new(0);
        let mut turn = self.turn(weight);
        while next.load(Ordering::Relaxed) < chunks {
            self.run(self.threads().min(chunks), &|_| {
                loop {
                    let chunk = next.fetch_add(1, Ordering::Relaxed);
                    if chunk >= chunks {
                        return;
                    }
                    body(chunk);
                    if turn.is_wanted() {
                        return;
                    }
                }
            });
            turn.pass();
        }
    }

    /// How many threads this machine runs at once (1 if it does not say).
    pub fn cores() -> usize {
        thread::available_parallelism().map_or(1, usize::from)
    }

    /// Threads that work on a job, the caller included.
    pub fn threads(&self) -> usize {
        self.members.workers.len() + 1
    }

    /// Calls `body` once for every number below `chunks`, in no particular order, on the calling
    /// thread and on workers, and returns when all calls have returned.
    ///
    /// A call from inside `body`, or from another thread while a job runs, works serially.
    ///
    /// # Panics
    /// If `body` panics, the other chunks may be skipped, and the panic goes on in the caller.
    pub fn run(&self, chunks: usize, body: Body<'_>) {
        self.members.run(chunks, body);
    }
}

impl Members {
    fn new(threads: usize) -> Self {
        static NUMBERS: AtomicUsize = AtomicUsize::new(0);
        let shared = Arc::new(Shared {
            job: AtomicU64::new(CLOSED),
            body: AtomicPtr::new(ptr::null_mut()),
            lanes: (0..threads.max(1)).map(|_| Lane::default()).collect(),
            busy: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            sleepers: AtomicUsize::new(0),
            caller_sleeps: AtomicBool::new(false),
            gate: Mutex::new(()),
            work: Condvar::new(),
            done: Condvar::new(),
            panic: Mutex::new(None),
        });
        let workers = (1..threads)
            .map_while(|index| {
                let shared = Arc::clone(&shared);
                thread::Builder::new()
                    .name(format!("scaffold-{index}"))
                    .spawn(move || shared.work(index))
                    .ok()
            })
            .collect();
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        Self { shared, workers, asked: threads, number }
    }

    /// Threads that others use too, where there are some of this number already and the machine
    /// would not run more of them at once.
    fn shared(threads: usize) -> Arc<Self> {
        let mut all = lock(&MEMBERS);
        all.retain(|members| members.strong_count() > 0);
        let known: Vec<_> = all
            .iter()
            .filter_map(Weak::upgrade)
            .filter(|members| members.asked == threads)
            .collect();
        // A thread alone is that of the caller.
        let at_once = if threads == 1 { usize::MAX } else { (Team::cores() / threads).max(1) };
        if known.len() >= at_once
            && let Some(least) = known.into_iter().min_by_key(Arc::strong_count)
        {
            return least;
        }
        let members = Arc::new(Self::new(threads));
        all.push(Arc::downgrade(&members));
        members
    }

    fn run(&self, chunks: usize, body: Body<'_>) {
        let alone = self.workers.is_empty() || chunks < 2;
        if alone || self.shared.busy.swap(true, Ordering::Acquire) {
            (0..chunks).for_each(body);
            return;
        }
        self.shared.open(chunks, &body);
        self.shared.claim(0, body);
        self.shared.close();
        let panic = lock(&self.shared.panic).take();
        self.shared.busy.store(false, Ordering::Release);
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }
}

impl Drop for Members {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        drop(lock(&self.shared.gate));
        self.shared.work.notify_all();
        for worker in self.workers.drain(..) {
            // A worker catches what its chunks throw; there is nothing to report from here.
            let _ = worker.join();
        }
    }
}

impl fmt::Debug for Team {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Team").field("threads", &self.threads()).finish()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// Publishes a job. No worker is inside one: the last `close` has seen to that.
    fn open(&self, chunks: usize, body: &Body<'_>) {
        self.body.store(ptr::from_ref(body).cast_mut().cast(), Ordering::Relaxed);
        let lanes = self.lanes.len();
        for (index, lane) in self.lanes.iter().enumerate() {
            let start = |index| chunks / lanes * index + (chunks % lanes).min(index);
            lane.next.store(start(index), Ordering::Relaxed);
            lane.end.store(start(index + 1), Ordering::Relaxed);
        }
        let number = (self.job.load(Ordering::Relaxed) & !(NUMBER - 1)).wrapping_add(NUMBER);
        // Sequentially consistent with `sleepers`: either this sees the sleeper or it sees the job.
        self.job.store(number, Ordering::SeqCst);
        if self.sleepers.load(Ordering::SeqCst) > 0 {
            drop(lock(&self.gate));
            self.work.notify_all();
        }
    }

    /// Works on chunks until none is left, beginning with the thread's own lane.
    fn claim(&self, own: usize, body: Body<'_>) {
        let (before, after) = self.lanes.split_at(own);
        let all = catch_unwind(AssertUnwindSafe(|| {
            for lane in after.iter().chain(before) {
                loop {
                    let chunk = lane.next.fetch_add(1, Ordering::Relaxed);
                    if chunk >= lane.end.load(Ordering::Relaxed) {
                        break;
                    }
                    body(chunk);
                }
            }
        }));
        if let Err(panic) = all {
            for lane in &self.lanes {
                lane.next.store(lane.end.load(Ordering::Relaxed), Ordering::Relaxed);
            }
            lock(&self.panic).get_or_insert(panic);
        }
    }

    /// Lets no more workers in and waits for those inside.
    fn close(&self) {
        let mut word = self.job.fetch_or(CLOSED, Ordering::AcqRel);
        let start = Instant::now();
        while word & INSIDE != 0 {
            if start.elapsed() > SPIN {
                return self.sleep_until_left();
            }
            std::hint::spin_loop();
            word = self.job.load(Ordering::Acquire);
        }
    }

    #[cold]
    fn sleep_until_left(&self) {
        let mut gate = lock(&self.gate);
        self.caller_sleeps.store(true, Ordering::SeqCst);
        while self.job.load(Ordering::SeqCst) & INSIDE != 0 {
            gate = self.done.wait(gate).unwrap_or_else(PoisonError::into_inner);
        }
        self.caller_sleeps.store(false, Ordering::SeqCst);
    }

    /// A worker's life.
    fn work(&self, lane: usize) {
        let mut seen = 0;
        while let Some(word) = self.next_job(seen) {
            seen = word & !(NUMBER - 1);
            if self.enter(seen) {
                // SAFETY: this thread is counted as inside the job, so its caller has not returned
                // from `close` and the closure that the pointer was made from is alive.
                let body = unsafe { *self.body.load(Ordering::Relaxed).cast::<Body<'_>>() };
                self.claim(lane, body);
                self.leave();
            }
        }
    }

    /// Waits for a job other than `seen`; `None` when the team ends.
    fn next_job(&self, seen: u64) -> Option<u64> {
        let fresh = |word: u64| word & CLOSED == 0 && word & !(NUMBER - 1) != seen;
        loop {
            let start = Instant::now();
            while start.elapsed() < SPIN {
                for _ in 0..32 {
                    let word = self.job.load(Ordering::Acquire);
                    if fresh(word) {
                        return Some(word);
                    }
                    std::hint::spin_loop();
                }
            }
            let mut gate = lock(&self.gate);
            self.sleepers.fetch_add(1, Ordering::SeqCst);
            let mut word = self.job.load(Ordering::SeqCst);
            while !fresh(word) && !self.stop.load(Ordering::SeqCst) {
                gate = self.work.wait(gate).unwrap_or_else(PoisonError::into_inner);
                word = self.job.load(Ordering::SeqCst);
            }
            self.sleepers.fetch_sub(1, Ordering::SeqCst);
            if self.stop.load(Ordering::SeqCst) {
                return None;
            }
            if fresh(word) {
                return Some(word);
            }
        }
    }

    /// Counts this thread into the job, unless it has been closed or replaced.
    fn enter(&self, number: u64) -> bool {
        let mut word = self.job.load(Ordering::Acquire);
        while word & CLOSED == 0 && word & !(NUMBER - 1) == number {
            match self.job.compare_exchange_weak(
                word,
                word + 1,
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
        false
    }

    fn leave(&self) {
        let word = self.job.fetch_sub(1, Ordering::SeqCst) - 1;
        if word & INSIDE == 0 && self.caller_sleeps.load(Ordering::SeqCst) {
            drop(lock(&self.gate));
            self.done.notify_all();
        }
    }
}

#[cfg(test)]
mod tests;
