//! Places in the queue: how many requests were submitted and are not begun, counted where they are,
//! and no more than may be.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// The places of one engine.
#[derive(Debug)]
pub(crate) struct Queue {
    taken: Mutex<usize>,
    freed: Condvar,
    limit: usize,
}

/// A place in the queue. Dropping it frees it: when the request is begun, cancelled or lost.
#[derive(Debug)]
pub(crate) struct Ticket {
    queue: Arc<Queue>,
}

impl Queue {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { taken: Mutex::new(0), freed: Condvar::new(), limit })
    }

    fn lock(&self) -> MutexGuard<'_, usize> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many places are taken.
    pub(crate) fn taken(&self) -> usize {
        *self.lock()
    }

    /// A place, or how many are taken where all are.
    pub(crate) fn take(self: &Arc<Self>) -> Result<Ticket, usize> {
        let mut taken = self.lock();
        if *taken >= self.limit {
            return Err(*taken);
        }
        *taken += 1;
        Ok(self.ticket())
    }

    /// A place, as soon as one is free. An engine that ends drops its requests, which frees theirs.
    pub(crate) fn wait(self: &Arc<Self>) -> Ticket {
        let full = |taken: &mut usize| *taken >= self.limit;
        let mut taken =
            self.freed.wait_while(self.lock(), full).unwrap_or_else(PoisonError::into_inner);
        *taken += 1;
        self.ticket()
    }

    fn ticket(self: &Arc<Self>) -> Ticket {
        Ticket { queue: Arc::clone(self) }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        *self.queue.lock() -= 1;
        self.queue.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_its_ticket_is_gone() {
        let queue = Queue::new(2);
        let (first, second) = (queue.take().unwrap(), queue.take().unwrap());
        assert_eq!(queue.take().map(|_| ()), Err(2));
        drop(first);
        assert_eq!(queue.taken(), 1);
        let third = queue.wait();
        assert_eq!(queue.taken(), 2);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| drop(queue.wait()));
            drop(second);
            waiting.join().unwrap();
        });
        drop(third);
        assert_eq!(queue.taken(), 0);
    }
}
