//! Models that are unloaded by somebody.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::shared::{Locked, Shared};
use super::source::{Resident as _, Source};
use super::table::{Phase, TakenOut};

/// How a model is unloaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Nobody gets it any more, and those who have it may use it for so long. What is not complete
    /// then ends with an error.
    Drain(Duration),
    /// Answers that are being computed end with an error.
    Now,
}

/// How often is looked whether somebody wants it done at once.
const LOOK: Duration = Duration::from_millis(50);

impl<S: Source> Shared<S> {
    /// Unloads these; whether all came to an end by themselves.
    pub(super) fn unload(&self, ids: &[u64], how: How) -> bool {
        let deadline = match how {
            How::Now => Some(Instant::now()),
            // A time past the end of time is none.
            How::Drain(timeout) => Instant::now().checked_add(timeout),
        };
        let mut table = self.lock();
        // All of them at once, so that nobody gets one of them meanwhile.
        let mut taken = Vec::new();
        let mut others = Vec::new();
        for &id in ids {
            match table.take_out(id) {
                Some(out) => taken.push(out),
                None => others.push(id),
            }
        }
        table.counts.unloads += taken.len() as u64;
        let mut finished = true;
        for id in others {
            // What comes is here before it goes, or does not come.
            match table.stop(id, how, deadline) {
                Stopped::Gone => {}
                Stopped::Late => finished = false,
                Stopped::Out(out) => {
                    table.counts.unloads += 1;
                    taken.push(out);
                }
            }
        }
        drop(table);
        for out in taken {
            finished &= self.drain(out, deadline);
        }
        finished
    }

    /// Waits until a model is used no more, and ends it; whether it was.
    fn drain(&self, out: TakenOut<S::Model>, deadline: Option<Instant>) -> bool {
        let id = out.id;
        let left = |most: Duration| match deadline {
            Some(deadline) => deadline.saturating_duration_since(Instant::now()).min(most),
            None => most,
        };
        let mut table = self.lock();
        let mut is_idle;
        loop {
            let (leases, hurry) = match table.entries.get(&id).map(|entry| &entry.phase) {
                Some(Phase::Leaving(leaving)) => (leaving.held.leases, leaving.hurry),
                _ => (0, false),
            };
            is_idle = leases == 0;
            if is_idle || hurry || left(LOOK).is_zero() {
                break;
            }
            table.wait(Some(left(LOOK)));
        }
        drop(table);
        // Answers whose leases are gone.
        while is_idle && !out.model.drain(left(LOOK)) {
            let table = self.lock();
            let hurry = match table.entries.get(&id).map(|entry| &entry.phase) {
                Some(Phase::Leaving(leaving)) => leaving.hurry,
                _ => false,
            };
            is_idle = !hurry && !left(LOOK).is_zero();
        }
        self.end([out]);
        is_idle
    }

    /// Nothing is loaded any more, and what nobody uses goes now.
    pub(super) fn close(self: &Arc<Self>) {
        let mut table = self.lock();
        table.closed = true;
        table.bump();
        let mut gone = Vec::new();
        let ids: Vec<u64> = table.entries.keys().copied().collect();
        for id in ids {
            match &table.entries[&id].phase {
                Phase::Coming(coming) => coming.job.stop(),
                Phase::Here(model, held) if held.leases == 0 && !model.is_answering() => {
                    gone.extend(table.take_out(id));
                }
                _ => {}
            }
        }
        drop(table);
        self.end_keeper();
        self.end(gone);
    }
}

/// What became of a model that was not here when it was to go.
enum Stopped<M> {
    Gone,
    /// It had come, and goes now.
    Out(TakenOut<M>),
    /// It did not go in time.
    Late,
}

impl<S: Source> Locked<'_, S> {
    /// Sees to it that a model goes that is not here.
    fn stop(&mut self, id: u64, how: How, deadline: Option<Instant>) -> Stopped<S::Model> {
        let serial = self.entries.get(&id).and_then(|entry| Some(entry.phase.held()?.serial));
        loop {
            match self.entries.get_mut(&id).map(|entry| &mut entry.phase) {
                None => return Stopped::Gone,
                Some(Phase::Failed(..)) => {
                    self.remove(id);
                    return Stopped::Gone;
                }
                Some(Phase::Coming(coming)) => {
                    coming.job.stop();
                    let over = deadline.is_some_and(|deadline| deadline <= Instant::now());
                    if over && how != How::Now {
                        return Stopped::Late;
                    }
                }
                Some(Phase::Here(..)) => {
                    return self.take_out(id).map_or(Stopped::Gone, Stopped::Out);
                }
                // It was loaded anew.
                Some(Phase::Leaving(leaving))
                    if serial.is_some_and(|s| s != leaving.held.serial) =>
                {
                    return Stopped::Gone;
                }
                Some(Phase::Leaving(leaving)) => {
                    if leaving.ended {
                        // Its leases alone are left, which nobody can end.
                        return if how == How::Now { Stopped::Gone } else { Stopped::Late };
                    }
                    let over = deadline.is_some_and(|deadline| deadline <= Instant::now());
                    leaving.hurry |= how == How::Now;
                    if over && how != How::Now {
                        return Stopped::Late;
                    }
                }
            }
            self.bump();
            self.wait(Some(LOOK));
        }
    }
}
