//! Working memory of a thread, kept from one use to the next.

use std::{
    cell::RefCell,
    ops::{Deref, DerefMut},
};

thread_local! {
    /// Buffers that nobody uses at the moment.
    static IDLE: RefCell<Vec<Vec<f32>>> = const { RefCell::new(Vec::new()) };
}

/// A buffer of floats with arbitrary contents; goes back to its thread when dropped.
pub(crate) struct Scratch {
    buffer: Vec<f32>,
    len: usize,
}

impl Scratch {
    /// A buffer of `len` floats. Allocates only if this thread has none that is large enough.
    pub(crate) fn take(len: usize) -> Self {
        let mut buffer = IDLE.with_borrow_mut(|idle| {
            let best = (0..idle.len()).max_by_key(|&i| idle[i].len());
            best.map(|i| idle.swap_remove(i)).unwrap_or_default()
        });
        if buffer.len() < len {
            buffer.resize(len, 0.0);
        }
        Self { buffer, len }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.buffer);
        IDLE.with_borrow_mut(|idle| idle.push(buffer));
    }
}

impl Deref for Scratch {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.buffer[..self.len]
    }
}

impl DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.buffer[..self.len]
    }
}
