//! Memory for weights: pieces of large mappings.
//!
//! Weights are read from beginning to end for every token. The CPU's prefetcher stops at the end of
//! a page, and each page needs an entry of the address cache, so large pages (2 MiB on x86-64) make
//! that reading about a tenth faster. A single matrix is often smaller than a large page:
//! matrices therefore share mappings.

use std::{
    ops::{Deref, DerefMut},
    ptr::NonNull,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use memmap2::MmapMut;

use crate::lines::Line;

/// A large page, in bytes.
const PAGE: usize = 2 << 20;
/// Bytes of a mapping, unless a piece needs more.
const REGION: usize = 16 * PAGE;

/// One mapping; lives as long as its pieces.
struct Region {
    map: MmapMut,
    /// Where its first large page starts.
    first: usize,
}

/// The mapping that pieces are taken from at the moment, and how much of it is taken.
static CURRENT: Mutex<(Weak<Region>, usize)> = Mutex::new((Weak::new(), 0));

impl Region {
    /// Room for `bytes` from a large page's start; `None` if the system has none.
    fn new(bytes: usize) -> Option<Self> {
        let whole = bytes.checked_next_multiple_of(PAGE)?.max(REGION);
        let map = MmapMut::map_anon(whole.checked_add(PAGE)?).ok()?;
        let first = map.as_ptr().align_offset(PAGE);
        #[cfg(target_os = "linux")]
        // Advice only: where the system declines it, pages are small.
        drop(map.advise_range(memmap2::Advice::HugePage, first, whole));
        Some(Self { map, first })
    }

    /// Bytes from the first large page on.
    fn len(&self) -> usize {
        self.map.len() - PAGE
    }
}

/// Zeroed lines of a mapping that others may share.
///
/// Untouched memory costs nothing, and a dropped piece gives its pages back although the mapping
/// may stay.
pub(crate) struct Piece {
    region: Arc<Region>,
    /// Where the piece starts in the mapping.
    offset: usize,
    start: NonNull<Line>,
    count: usize,
}

// SAFETY: a piece is the only way to its lines, like a `Box<[Line]>`.
unsafe impl Send for Piece {}
// SAFETY: as above.
unsafe impl Sync for Piece {}

impl Piece {
    /// `count` zeroed lines; `None` if the system has no memory for them.
    pub(crate) fn new(count: usize) -> Option<Self> {
        let bytes = count.checked_mul(size_of::<Line>())?;
        let mut current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
        let (region, taken) = match current.0.upgrade() {
            Some(region) if region.len() - current.1 >= bytes => (region, current.1),
            _ => (Arc::new(Region::new(bytes)?), 0),
        };
        *current = (Arc::downgrade(&region), taken + bytes);
        let offset = region.first + taken;
        // SAFETY: within the mapping, as was just checked. The mapping starts at a page and the
        // offset is a multiple of 64, so the pointer is aligned, and it is not null.
        let start = unsafe { NonNull::new_unchecked(region.map.as_ptr().add(offset).cast_mut()) };
        Some(Self {
            region,
            offset,
            start: start.cast(),
            count,
        })
    }
}

impl Deref for Piece {
    type Target = [Line];

    fn deref(&self) -> &[Line] {
        // SAFETY: `count` lines of the mapping, which lives as long as `region`; no other piece
        // has them, and nothing else reaches into the mapping.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.count) }
    }
}

impl DerefMut for Piece {
    fn deref_mut(&mut self) -> &mut [Line] {
        // SAFETY: as for `deref`, and `self` is borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.count) }
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        #[cfg(target_os = "linux")]
        {
            /// Small pages, the unit in which memory is given back.
            const UNIT: usize = 4096;
            let end = self.offset + self.count * size_of::<Line>();
            let (first, last) = (self.offset.next_multiple_of(UNIT), end / UNIT * UNIT);
            if first < last {
                // SAFETY: these pages hold lines of this piece only, which is gone.
                let given = unsafe {
                    self.region.map.unchecked_advise_range(
                        memmap2::UncheckedAdvice::DontNeed,
                        first,
                        last - first,
                    )
                };
                // Otherwise they go with the mapping.
                drop(given);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_zeroed_and_their_own() {
        let mut pieces: Vec<Piece> = [0, 1, 3, 5_000, 70_000, 600_000, 2]
            .map(|count| Piece::new(count).unwrap())
            .into();
        for (i, piece) in pieces.iter_mut().enumerate() {
            assert!(piece.iter().all(|line| line.0 == [0; 64]));
            piece.fill(Line([i as u8 + 1; 64]));
        }
        pieces.remove(3);
        pieces.remove(1);
        for (piece, value) in pieces.iter().zip([1, 3, 5, 6, 7]) {
            assert!(piece.iter().all(|line| line.0 == [value; 64]));
        }
        assert!(Piece::new(usize::MAX / 64).is_none());
    }
}
