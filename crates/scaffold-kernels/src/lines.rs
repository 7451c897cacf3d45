//! Memory in cache lines.

use std::{
    marker::PhantomData,
    ops::{Deref, DerefMut},
};

use bytemuck::Pod;
use memmap2::MmapMut;

use crate::{line::Line, region::Piece};

/// Lines that `bytes` bytes take.
pub(crate) const fn lines(bytes: usize) -> usize {
    bytes.div_ceil(64)
}

/// How much of a buffer will be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// All of it, soon: large pages save time whenever it is read.
    Whole,
    /// Parts, as they are needed: only what is used is to cost memory.
    Parts,
}

/// Zeroed lines. Memory straight from the system costs nothing until it is used; an allocator would
/// write zeros over aligned memory.
pub(crate) enum ZeroedLines {
    Allocated(Vec<Line>),
    Mapped(MmapMut),
    Piece(Piece),
}

impl ZeroedLines {
    /// Below this the allocator's memory is better: a mapping is whole pages.
    const MAPPED_FROM: usize = 256 << 10;

    /// `count` lines; `None` when the system has no memory for them.
    pub(crate) fn new(count: usize, how: Use) -> Option<Self> {
        if how == Use::Whole {
            return Piece::new(count).map(Self::Piece);
        }
        let bytes = count.checked_mul(size_of::<Line>())?;
        if bytes < Self::MAPPED_FROM {
            let lines = bytemuck::allocation::try_zeroed_vec(count);
            return lines.ok().map(Self::Allocated);
        }
        MmapMut::map_anon(bytes).ok().map(Self::Mapped)
    }
}

impl Deref for ZeroedLines {
    type Target = [Line];

    fn deref(&self) -> &[Line] {
        match self {
            Self::Allocated(lines) => lines,
            // Pages are multiples of lines, and so is the length.
            Self::Mapped(map) => bytemuck::cast_slice(map),
            Self::Piece(piece) => piece,
        }
    }
}

impl DerefMut for ZeroedLines {
    fn deref_mut(&mut self) -> &mut [Line] {
        match self {
            Self::Allocated(lines) => lines,
            Self::Mapped(map) => bytemuck::cast_slice_mut(map),
            Self::Piece(piece) => piece,
        }
    }
}

/// A buffer whose first element starts a cache line.
#[derive(Debug, Clone, Default)]
pub(crate) struct LineVec<T> {
    lines: Vec<Line>,
    len: usize,
    elements: PhantomData<T>,
}

impl<T: Pod> LineVec<T> {
    /// Makes it `len` elements long; new memory is zero, other contents stay or not.
    pub(crate) fn resize(&mut self, len: usize) {
        self.lines.resize(lines(len * size_of::<T>()), Line([0; 64]));
        self.len = len;
    }
}

impl<T: Pod> Deref for LineVec<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &bytemuck::cast_slice(&self.lines)[..self.len]
    }
}

impl<T: Pod> DerefMut for LineVec<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut bytemuck::cast_slice_mut(&mut self.lines)[..self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_of_all_sizes_are_zeroed_and_writable() {
        for (count, how) in
            [(0, Use::Whole), (3, Use::Parts), (5000, Use::Parts), (70_000, Use::Whole)]
        {
            let mut lines = ZeroedLines::new(count, how).unwrap();
            assert_eq!(lines.len(), count);
            assert!(lines.iter().all(|line| line.0 == [0; 64]));
            if let Some(last) = lines.last_mut() {
                last.0 = [7; 64];
                assert_eq!(lines[count - 1].0, [7; 64]);
            }
        }
        assert!(ZeroedLines::new(usize::MAX / 32, Use::Parts).is_none());
    }
}
