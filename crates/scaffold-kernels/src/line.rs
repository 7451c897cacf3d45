//! A cache line.

use bytemuck::{Pod, Zeroable};

/// One cache line, aligned as such: what memory for kernels is counted in.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Line(pub(crate) [u8; 64]);

// SAFETY: 64 bytes, any of which may have any value; zero is one of them.
unsafe impl Zeroable for Line {}
// SAFETY: as above, and size and alignment are both 64, so there is no padding.
unsafe impl Pod for Line {}

/// Lines that `bytes` bytes take.
pub(crate) const fn lines(bytes: usize) -> usize {
    bytes.div_ceil(size_of::<Line>())
}
