//! Working memory of a thread, kept from one use to the next.

use crate::owned::Owned;
use std::{
    cell::RefCell,
    ops::{Deref, DerefMut},
};

thread_local! {
    /// Buffers that nobody uses at the moment.
    static IDLE: RefCell<Vec<Owned<f32>>> = const { RefCell::new(Vec::new()) };
}

/// A loan of a thread's buffer of floats with arbitrary contents, aligned to cache lines.
///
/// It is a type for the sake of its end: dropped, it goes back to its thread, so that kernels that
/// run again and again allocate nothing.
pub(crate) struct Scratch(Owned<f32>);

impl Scratch {
    /// A buffer of `len` floats. Allocates only if this thread has none that is large enough.
    pub(crate) fn take(len: usize) -> Self {
        let mut buffer = IDLE.with_borrow_mut(|idle| {
            let best = (0..idle.len()).max_by_key(|&i| idle[i].room());
            best.map(|i| idle.swap_remove(i)).unwrap_or_default()
        });
        buffer.resize(len);
        Self(buffer)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.0);
        IDLE.with_borrow_mut(|idle| idle.push(buffer));
    }
}

impl Deref for Scratch {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.0
    }
}

impl DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.0
    }
}
