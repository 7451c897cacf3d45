//! The registry's lock, and who hears of what changes behind it.

use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::options::RegistryOptions;
use super::source::{Resident as _, Source};
use super::table::{Table, TakenOut};

/// What a registry, its leases and its threads share.
pub(super) struct Shared<S: Source> {
    pub(super) source: S,
    pub(super) options: RegistryOptions,
    /// When it was made: times are counted from then.
    pub(super) start: Instant,
    /// Wakes the thread that lets models go.
    pub(super) keeper: Condvar,
    table: Mutex<Table<S::Model>>,
    changed: Condvar,
    listeners: Mutex<Vec<Listener>>,
}

type Listener = Arc<dyn Fn() + Send + Sync>;

impl<S: Source> Shared<S> {
    pub(super) fn new(source: S, options: RegistryOptions) -> Self {
        Self {
            source,
            options,
            start: Instant::now(),
            keeper: Condvar::new(),
            table: Mutex::new(Table::new()),
            changed: Condvar::new(),
            listeners: Mutex::default(),
        }
    }

    pub(super) fn lock(&self) -> Locked<'_, S> {
        let table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        Locked { seen: table.version, table: Some(table), shared: self }
    }

    pub(super) fn listen(&self, listener: Listener) {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner).push(listener);
    }

    /// Wakes those who wait, though nothing that they could see has changed.
    pub(super) fn wake(&self) {
        self.changed.notify_all();
    }

    fn tell(&self) {
        self.wake();
        let listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for listener in listeners {
            // A fault of theirs is none of the registry's, nor of the thread that told them.
            let _ = catch_unwind(AssertUnwindSafe(|| listener()));
        }
    }

    /// Ends models that were taken out, in this thread. Their memory counts until it is free.
    pub(super) fn end(&self, gone: impl IntoIterator<Item = TakenOut<S::Model>>) {
        for TakenOut { id, serial, model } in gone {
            let is_free = model.end();
            drop(model);
            self.lock().ended(id, serial, is_free);
        }
    }
}

/// The table, while it is locked. Who waits and who listens hears of a change when it is not any
/// more.
pub(super) struct Locked<'a, S: Source> {
    shared: &'a Shared<S>,
    /// Always there, but for moments of its own.
    table: Option<MutexGuard<'a, Table<S::Model>>>,
    seen: u64,
}

impl<'a, S: Source> Locked<'a, S> {
    /// Waits for a change, but no longer than this. It may also wake for nothing.
    pub(super) fn wait(&mut self, timeout: Option<Duration>) {
        let shared = self.shared;
        self.wait_on(&shared.changed, timeout);
    }

    pub(super) fn wait_on(&mut self, condition: &Condvar, timeout: Option<Duration>) {
        if self.version != self.seen {
            self.release();
            self.take(None);
            // Others may have changed something meanwhile, and told it.
            return;
        }
        let Some(table) = self.table.take() else {
            return;
        };
        let table = match timeout {
            None => condition.wait(table).unwrap_or_else(PoisonError::into_inner),
            Some(timeout) => {
                condition.wait_timeout(table, timeout).unwrap_or_else(PoisonError::into_inner).0
            }
        };
        self.take(Some(table));
    }

    /// Does something without the lock.
    pub(super) fn unlocked<T>(&mut self, action: impl FnOnce(&Shared<S>) -> T) -> T {
        self.release();
        let done = action(self.shared);
        self.take(None);
        done
    }

    fn release(&mut self) {
        let Some(table) = self.table.take() else {
            return;
        };
        let is_changed = table.version != self.seen;
        drop(table);
        if is_changed {
            self.shared.tell();
        }
    }

    fn take(&mut self, table: Option<MutexGuard<'a, Table<S::Model>>>) {
        let again = || self.shared.table.lock().unwrap_or_else(PoisonError::into_inner);
        let table = table.unwrap_or_else(again);
        self.seen = table.version;
        self.table = Some(table);
    }
}

impl<S: Source> Drop for Locked<'_, S> {
    fn drop(&mut self) {
        self.release();
    }
}

impl<S: Source> Deref for Locked<'_, S> {
    type Target = Table<S::Model>;

    fn deref(&self) -> &Table<S::Model> {
        self.table.as_deref().expect("it is only away while nobody can look")
    }
}

impl<S: Source> DerefMut for Locked<'_, S> {
    fn deref_mut(&mut self) -> &mut Table<S::Model> {
        self.table.as_deref_mut().expect("it is only away while nobody can look")
    }
}
