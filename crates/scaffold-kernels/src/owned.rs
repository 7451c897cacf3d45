//! Memory of the allocator.

use std::{
    marker::PhantomData,
    ops::{Deref, DerefMut},
};

use bytemuck::Pod;

use crate::line::{Line, lines};

/// A buffer that is filled again and again, and whose first element starts a cache line.
///
/// Unlike [`Mapped`](crate::Mapped) it changes its length, and it may be small.
#[derive(Debug, Default)]
pub(crate) struct Owned<T> {
    lines: Vec<Line>,
    len: usize,
    elements: PhantomData<T>,
}

impl<T> Owned<T> {
    /// Lines that are there, whatever the length is.
    pub(crate) fn room(&self) -> usize {
        self.lines.len()
    }
}

impl<T: Pod> Owned<T> {
    /// Makes it `len` elements long, which may hold anything. Allocates only for more elements than
    /// it ever had.
    pub(crate) fn resize(&mut self, len: usize) {
        let lines = lines(len * size_of::<T>());
        if self.room() < lines {
            self.lines.resize(lines, Line([0; 64]));
        }
        self.len = len;
    }
}

impl<T: Pod> Deref for Owned<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &bytemuck::cast_slice(&self.lines)[..self.len]
    }
}

impl<T: Pod> DerefMut for Owned<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut bytemuck::cast_slice_mut(&mut self.lines)[..self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_keeps_its_memory() {
        let mut buffer = Owned::<f32>::default();
        buffer.resize(100);
        assert_eq!((buffer.len(), buffer.room()), (100, 7));
        buffer[99] = 1.0;
        let start = buffer.as_ptr();
        assert!(start.addr().is_multiple_of(64));
        buffer.resize(3);
        assert_eq!((buffer.len(), buffer.room()), (3, 7));
        buffer.resize(112);
        assert_eq!((buffer.len(), buffer.as_ptr()), (112, start));
        buffer.resize(0);
        assert!(buffer.is_empty());
    }
}
