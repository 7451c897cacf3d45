//! Working memory of a thread, kept from one use to the next.

use crate::line::Line;
use std::{
    cell::RefCell,
    ops::{Deref, DerefMut},
};

thread_local! {
    /// Buffers that nobody uses at the moment.
    static IDLE: RefCell<Vec<Vec<Line>>> = const { RefCell::new(Vec::new()) };
}

/// A buffer of floats with arbitrary contents, aligned to cache lines; goes back to its thread when
/// dropped.
pub(crate) struct Scratch {
    buffer: Vec<Line>,
    len: usize,
}

impl Scratch {
    /// A buffer of `len` floats. Allocates only if this thread has none that is large enough.
    pub(crate) fn take(len: usize) -> Self {
        let mut buffer = IDLE.with_borrow_mut(|idle| {
            let best = (0..idle.len()).max_by_key(|&i| idle[i].len());
            best.map(|i| idle.swap_remove(i)).unwrap_or_default()
        });
        if buffer.len() * 16 < len {
            buffer.resize(len.div_ceil(16), bytemuck::Zeroable::zeroed());
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
        &bytemuck::cast_slice(&self.buffer)[..self.len]
    }
}

impl DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut bytemuck::cast_slice_mut(&mut self.buffer)[..self.len]
    }
}
