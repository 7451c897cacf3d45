use std::{
    alloc::{Layout, handle_alloc_error},
    fmt,
    ops::{Deref, DerefMut},
};

use crate::lines::{Use, ZeroedLines, lines};

/// A buffer of f32 for rows of activations: it starts a cache line and lies in large pages, so that
/// matmuls, which write many rows a few values at a time, find all of them quickly.
///
/// ```
/// let mut rows = scaffold_kernels::Floats::zeroed(3);
/// rows[1] = 2.0;
/// assert_eq!(*rows, [0.0, 2.0, 0.0]);
/// ```
pub struct Floats {
    lines: ZeroedLines,
    len: usize,
}

impl Floats {
    /// `len` zeros. What is never touched costs no memory. As for a `Vec`, the process ends if the
    /// system has no memory.
    pub fn zeroed(len: usize) -> Self {
        let lines = ZeroedLines::new(lines(len * size_of::<f32>()), Use::Whole);
        let Some(lines) = lines else {
            handle_alloc_error(Layout::array::<f32>(len).unwrap_or(Layout::new::<f32>()));
        };
        Self { lines, len }
    }
}

impl Deref for Floats {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &bytemuck::cast_slice(&self.lines)[..self.len]
    }
}

impl DerefMut for Floats {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut bytemuck::cast_slice_mut(&mut self.lines)[..self.len]
    }
}

impl fmt::Debug for Floats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Floats").field("len", &self.len).finish_non_exhaustive()
    }
}
