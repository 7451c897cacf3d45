//! The use of a model by somebody.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Instant;

use super::shared::Shared;
use super::source::Source;
use super::table::Phase;

/// A model in use. It is in memory as long as this is there; then the time begins after which it
/// may go. Clones are uses of the same model.
///
/// Keep it as long as answers are computed: of a language model that is asked for no more, answers
/// still come to their end, but of the other models it is the lease that says so.
///
/// [`LlmManager::unload`](crate::LlmManager::unload) is not for models of a registry, which has
/// [its own](super::Registry::unload).
pub struct Lease<T> {
    // Gone before its use is, so that its memory is free when that is told.
    model: Arc<T>,
    in_use: Use,
}

impl<T> Lease<T> {
    pub(super) fn new(model: Arc<T>, in_use: Use) -> Self {
        Self { model, in_use }
    }
}

impl<T> Clone for Lease<T> {
    fn clone(&self) -> Self {
        let Use { copies, id, serial } = &self.in_use;
        copies.retain(*id, *serial);
        let in_use = Use { copies: Arc::clone(copies), id: *id, serial: *serial };
        Self { model: Arc::clone(&self.model), in_use }
    }
}

impl<T> Deref for Lease<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.model
    }
}

impl<T: fmt::Debug> fmt::Debug for Lease<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lease").field(&self.model).finish()
    }
}

/// Counts as a use of a copy until it is gone.
pub(super) struct Use {
    copies: Arc<dyn Copies>,
    id: u64,
    serial: u64,
}

impl Use {
    /// A use that is counted already.
    pub(super) fn counted<S: Source>(shared: &Arc<Shared<S>>, id: u64, serial: u64) -> Self {
        Self { copies: Arc::clone(shared) as _, id, serial }
    }
}

impl Drop for Use {
    fn drop(&mut self) {
        Arc::clone(&self.copies).release(self.id, self.serial);
    }
}

/// Where uses of copies are counted.
trait Copies: Send + Sync {
    fn retain(&self, id: u64, serial: u64);

    fn release(self: Arc<Self>, id: u64, serial: u64);
}

impl<S: Source> Copies for Shared<S> {
    fn retain(&self, id: u64, serial: u64) {
        let mut table = self.lock();
        if let Some(held) = table.copy_mut(id, serial) {
            held.leases += 1;
            table.bump();
        }
    }

    fn release(self: Arc<Self>, id: u64, serial: u64) {
        let now = Instant::now();
        let mut table = self.lock();
        // A copy that was freed in spite of its leases is gone.
        let Some(held) = table.copy_mut(id, serial) else {
            return;
        };
        held.leases -= 1;
        held.last_used = now;
        let is_idle = held.leases == 0;
        table.bump();
        if !is_idle {
            return;
        }
        let ended = match table.entries.get(&id).map(|entry| &entry.phase) {
            Some(Phase::Leaving(leaving)) => leaving.ended,
            _ => false,
        };
        if ended {
            table.remove(id);
        } else if table.closed {
            let taken = table.take_out(id);
            drop(table);
            self.end(taken);
        } else {
            table.set_expiry(id, now);
            drop(table);
            self.keep();
        }
    }
}
