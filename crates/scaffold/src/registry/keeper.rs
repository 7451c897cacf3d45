//! The thread that lets models go which nobody has used for long enough. It sleeps until the next
//! one's time, and there is none while none has a time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::options::KeepAlive;
use super::shared::Shared;
use super::source::{Resident, Source};
use super::table::{Phase, Table};

/// How long a model stays at least that still answers though nobody holds it.
const ANSWERING: Duration = Duration::from_millis(50);

impl<M: Resident> Table<M> {
    /// Nobody uses this model from now on: sets its time.
    pub(super) fn set_expiry(&mut self, id: u64, now: Instant) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        if let Phase::Here(_, held) = &mut entry.phase
            && held.leases == 0
        {
            held.expires = match entry.keep_alive {
                // A time past the end of time is none.
                KeepAlive::For(time) => now.checked_add(time),
                KeepAlive::Forever => None,
            };
        }
    }

    /// The next time at which something is to be done.
    fn next_expiry(&self) -> Option<Instant> {
        let unpinned = self.entries.values().filter(|entry| !self.is_pinned(entry));
        unpinned.filter_map(|entry| entry.phase.held()?.expires).min()
    }

    /// Those whose time is over at `now`.
    fn expired(&self, now: Instant) -> Vec<u64> {
        let over = self.entries.iter().filter(|(_, entry)| {
            let expires = entry.phase.held().and_then(|held| held.expires);
            !self.is_pinned(entry) && expires.is_some_and(|expires| expires <= now)
        });
        over.map(|(&id, _)| id).collect()
    }
}

impl<S: Source> Shared<S> {
    /// Sees to it that somebody lets models go in time. To be called when a time was set.
    pub(super) fn keep(self: &Arc<Self>) {
        let mut table = self.lock();
        let Some(next) = table.next_expiry() else {
            return;
        };
        if table.closed {
            return;
        }
        if table.keeper.runs {
            if table.keeper.until.is_none_or(|until| next < until) {
                self.keeper.notify_all();
            }
            return;
        }
        let shared = Arc::clone(self);
        let thread = std::thread::Builder::new().name("scaffold-registry".into());
        // Where the system gives no thread, the next model that becomes idle tries again.
        if let Ok(thread) = thread.spawn(move || shared.let_go()) {
            table.keeper.runs = true;
            // One before it has left its loop already, which it said behind this lock.
            table.keeper.thread = Some(thread);
        }
    }

    fn let_go(&self) {
        let mut table = self.lock();
        while !table.closed {
            let now = Instant::now();
            let mut gone = Vec::new();
            for id in table.expired(now) {
                let is_answering = match table.entries.get_mut(&id).map(|entry| &mut entry.phase) {
                    Some(Phase::Here(model, held)) => {
                        let is_answering = model.is_answering();
                        if is_answering {
                            held.expires = Some(now + ANSWERING);
                        }
                        is_answering
                    }
                    _ => true,
                };
                if !is_answering && let Some(taken) = table.take_out(id) {
                    table.counts.expiries += 1;
                    gone.push(taken);
                }
            }
            if !gone.is_empty() {
                table.keeper.until = None;
                table.unlocked(|shared| shared.end(gone));
                continue;
            }
            let Some(next) = table.next_expiry() else {
                break;
            };
            table.keeper.until = Some(next);
            table.wait_on(&self.keeper, Some(next.saturating_duration_since(now)));
        }
        table.keeper.runs = false;
    }

    /// Waits for the thread, if it is there.
    pub(super) fn end_keeper(&self) {
        self.keeper.notify_all();
        let thread = self.lock().keeper.thread.take();
        if let Some(thread) = thread
            && thread.thread().id() != std::thread::current().id()
        {
            let _ = thread.join();
        }
    }
}

impl<S: Source> Shared<S> {
    /// The model of a name stays, or may go again, in its own time from now.
    pub(super) fn pin(self: &Arc<Self>, identity: String, pinned: bool) {
        let mut table = self.lock();
        for id in table.named(&identity) {
            if !pinned {
                table.set_expiry(id, Instant::now());
            }
        }
        if pinned {
            table.pins.insert(identity);
        } else {
            table.pins.remove(&identity);
        }
        table.bump();
        drop(table);
        self.keep();
    }
}
