//! Memory of the system.
//!
//! Weights are read from beginning to end for every token. The CPU's prefetcher stops at the end of
//! a page, and each page needs an entry of the address cache, so large pages (2 MiB on x86-64) make
//! that reading about a tenth faster. A single matrix is often smaller than a large page:
//! matrices therefore share mappings.

use std::{
    alloc::{Layout, handle_alloc_error},
    fmt,
    ops::{Deref, DerefMut, Range},
    ptr::NonNull,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use bytemuck::Pod;
use memmap2::MmapMut;
use scaffold_error::{Error, err};

use crate::line::Line;

/// A large page, in bytes: also what Arm processors with pages of 16 or 64 KiB read through one
/// entry, and a multiple of every small page.
const PAGE: usize = 2 << 20;
/// Bytes of a mapping, unless a piece needs more.
const REGION: usize = 16 * PAGE;

/// The product of sizes, outermost first, does not fit into memory's address range.
pub(crate) fn too_large(what: &str, sizes: &[usize]) -> Error {
    err!(TooLarge, "{what} of {sizes:?} is larger than this machine can address")
}

/// The system has not enough memory.
pub(crate) fn no_memory(what: &str, bytes: usize) -> Error {
    err!(
        Unavailable,
        "the system did not give the {bytes} bytes that {what} takes; make it smaller or free memory"
    )
}

/// One mapping; lives as long as its pieces.
struct Region {
    map: MmapMut,
    /// Where the first piece may start.
    first: usize,
}

/// The mapping that pieces are taken from at the moment, and how much of it is taken.
static CURRENT: Mutex<(Weak<Region>, usize)> = Mutex::new((Weak::new(), 0));

impl Region {
    /// Room for `bytes` from a large page's start; `None` if the system has none.
    fn large(bytes: usize) -> Option<Self> {
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

/// Zeros of a mapping, which others may share; the first starts a cache line.
///
/// An allocator would write zeros over aligned memory: this is untouched memory, which costs
/// nothing, and dropped it gives its pages back although the mapping may stay.
///
/// ```
/// let mut rows = scaffold_kernels::Mapped::<f32>::zeroed(3);
/// rows[1] = 2.0;
/// assert_eq!(*rows, [0.0, 2.0, 0.0]);
/// ```
pub struct Mapped<T> {
    region: Arc<Region>,
    /// Where it starts in the mapping, in bytes.
    offset: usize,
    start: NonNull<T>,
    len: usize,
}

// SAFETY: this is the only way to its elements, like a `Box<[T]>`.
unsafe impl<T: Send> Send for Mapped<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Mapped<T> {}

impl<T: Pod> Mapped<T> {
    /// `len` zeros in large pages: matmuls, which write many rows a few values at a time, find all
    /// of them quickly. As for a `Vec`, the process ends if the system has no memory.
    pub fn zeroed(len: usize) -> Self {
        Self::whole(len).unwrap_or_else(|| {
            handle_alloc_error(Layout::array::<T>(len).unwrap_or(Layout::new::<T>()))
        })
    }

    /// `len` zeros, all of which will be used soon: large pages save time whenever they are read.
    /// `None` if the system has no memory for them.
    pub(crate) fn whole(len: usize) -> Option<Self> {
        let bytes = bytes_of_lines::<T>(len)?;
        let mut current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
        let (region, taken) = match current.0.upgrade() {
            Some(region) if region.len() - current.1 >= bytes => (region, current.1),
            _ => (Arc::new(Region::large(bytes)?), 0),
        };
        *current = (Arc::downgrade(&region), taken + bytes);
        let offset = region.first + taken;
        // SAFETY: the mapping has room for `bytes` there, which were just taken. All of them are
        // multiples of 64.
        Some(unsafe { Self::at(region, offset, len) })
    }

    /// `len` zeros of which parts are used as they are needed: in small pages, so that only what is
    /// used costs memory. `None` if the system has no memory for them.
    pub(crate) fn parts(len: usize) -> Option<Self> {
        let map = MmapMut::map_anon(bytes_of_lines::<T>(len)?).ok()?;
        // SAFETY: the mapping is all theirs.
        Some(unsafe { Self::at(Arc::new(Region { map, first: 0 }), 0, len) })
    }

    /// The elements from `offset` on.
    ///
    /// # Safety
    /// They lie in the mapping, start at a multiple of 64, and nobody else has them.
    unsafe fn at(region: Arc<Region>, offset: usize, len: usize) -> Self {
        const { assert!(align_of::<T>() <= 64, "elements lie in cache lines") };
        // SAFETY: within the mapping by the caller's promise. The mapping starts at a page, so
        // the pointer is aligned, and it is not null.
        let start = unsafe { NonNull::new_unchecked(region.map.as_ptr().add(offset).cast_mut()) };
        Self { region, offset, start: start.cast(), len }
    }
}

/// The bytes of the lines that `len` elements take; `None` if that does not fit.
fn bytes_of_lines<T>(len: usize) -> Option<usize> {
    len.checked_mul(size_of::<T>())?.checked_next_multiple_of(size_of::<Line>())
}

impl<T: Pod> Deref for Mapped<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: `len` elements of the mapping, which lives as long as `region`; nobody else has
        // them, and nothing else reaches into the mapping. Any bytes are elements.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl<T: Pod> DerefMut for Mapped<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as for `deref`, and `self` is borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

/// The elements' bytes.
impl<T: Pod> AsRef<[u8]> for Mapped<T> {
    fn as_ref(&self) -> &[u8] {
        bytemuck::cast_slice(self)
    }
}

impl<T> fmt::Debug for Mapped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mapped").field("len", &self.len).finish_non_exhaustive()
    }
}

impl<T> Drop for Mapped<T> {
    fn drop(&mut self) {
        let end = self.offset + self.len * size_of::<T>();
        let pages = page_size().map_or(0..0, |page| whole_pages(self.offset..end, page));
        if pages.is_empty() {
            return;
        }
        #[cfg(target_os = "linux")]
        {
            // SAFETY: these pages hold elements of this piece only, which is gone. They are whole
            // pages of this system, so neither `memmap2` nor the system rounds to others.
            let given = unsafe {
                self.region.map.unchecked_advise_range(
                    memmap2::UncheckedAdvice::DontNeed,
                    pages.start,
                    pages.len(),
                )
            };
            // Otherwise they go with the mapping.
            drop(given);
        }
    }
}

/// The pages that lie in a range of a mapping from end to end. Parts of pages stay: the system
/// would take all of a page, and with it what the neighbours have there.
fn whole_pages(range: Range<usize>, page: usize) -> Range<usize> {
    let first = range.start.next_multiple_of(page);
    first..(range.end / page * page).max(first)
}

/// Bytes of a small page, the unit in which memory is given back: 4096 on x86-64; on Arm it is
/// 4096, 16384 or 65536 by how the kernel was built. `None` where nothing is given back.
fn page_size() -> Option<usize> {
    #[cfg(target_os = "linux")]
    {
        // SAFETY: the call reads a number and writes nothing.
        let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        usize::try_from(bytes).ok().filter(|bytes| *bytes > 0)
    }
    #[cfg(not(target_os = "linux"))]
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_zeroed_and_their_own() {
        let mut pieces: Vec<Mapped<Line>> =
            [0, 1, 3, 5_000, 70_000, 600_000, 2].map(|len| Mapped::whole(len).unwrap()).into();
        for (i, piece) in pieces.iter_mut().enumerate() {
            assert!(piece.iter().all(|line| line.0 == [0; 64]));
            piece.fill(Line([i as u8 + 1; 64]));
        }
        pieces.remove(3);
        pieces.remove(1);
        for (piece, value) in pieces.iter().zip([1, 3, 5, 6, 7]) {
            assert!(piece.iter().all(|line| line.0 == [value; 64]));
        }
        assert!(Mapped::<Line>::whole(usize::MAX / 64).is_none());
    }

    #[test]
    fn buffers_of_all_sizes_are_zeroed_and_writable() {
        for len in [0, 3, 5000, 70_000, 1_000_001] {
            for buffer in [Mapped::<u16>::whole(len), Mapped::parts(len)] {
                let mut buffer = buffer.unwrap();
                assert_eq!(buffer.len(), len);
                assert!(buffer.as_ptr().addr().is_multiple_of(64));
                assert!(buffer.iter().all(|value| *value == 0));
                if let Some(last) = buffer.last_mut() {
                    *last = 7;
                    assert_eq!(buffer[len - 1], 7);
                }
                assert_eq!(AsRef::<[u8]>::as_ref(&buffer).len(), 2 * len);
            }
        }
        assert!(Mapped::<Line>::parts(usize::MAX / 32).is_none());
        assert!(Mapped::<Line>::parts(usize::MAX / 64).is_none());
    }

    /// What a system with pages of this size takes when it is given a range: whole pages, rounded
    /// outward, as `memmap2` does for the start and `madvise` for the end.
    fn taken(given: Range<usize>, page: usize) -> Range<usize> {
        given.start / page * page..given.end.next_multiple_of(page)
    }

    #[test]
    fn no_size_of_page_takes_from_a_neighbour() {
        for page in [4096, 16_384, 65_536] {
            for start in [0, 64, 4096, 12_288, 16_384, 65_472, 65_536, 69_632] {
                for len in [0, 64, 4096, 16_320, 16_384, 65_536, 131_136, 600_000] {
                    let piece = start..start + len;
                    let given = whole_pages(piece.clone(), page);
                    let whole = (0..piece.end.div_ceil(page))
                        .filter(|n| n * page >= piece.start && (n + 1) * page <= piece.end);
                    assert_eq!(given.len(), whole.count() * page, "{piece:?}, {page}");
                    if given.is_empty() {
                        continue;
                    }
                    let taken = taken(given, page);
                    assert!(
                        piece.start <= taken.start && taken.end <= piece.end,
                        "{taken:?} of {piece:?}, {page}"
                    );
                }
            }
        }
    }

    /// The kernel tells every process its page size: the entry 6 (`AT_PAGESZ`) of this list.
    #[cfg(target_os = "linux")]
    #[test]
    fn the_page_size_is_the_system_s_own() {
        const WORD: usize = size_of::<usize>();
        let Ok(list) = std::fs::read("/proc/self/auxv") else {
            return;
        };
        let (words, _) = list.as_chunks::<WORD>();
        let words: Vec<_> = words.iter().map(|w| usize::from_ne_bytes(*w)).collect();
        let entry = words.as_chunks::<2>().0.iter().find(|entry| entry[0] == 6);
        if let Some([_, bytes]) = entry {
            assert_eq!(page_size(), Some(*bytes));
            assert!(PAGE.is_multiple_of(*bytes));
        }
    }

    /// Pieces whose borders lie inside pages, whatever the size of those.
    #[test]
    fn a_dropped_piece_leaves_its_neighbours_alone() {
        let count = 65_536 / 64 + 7;
        let mut pieces: Vec<Option<Mapped<Line>>> = (0..24).map(|_| Mapped::whole(count)).collect();
        for (i, piece) in pieces.iter_mut().flatten().enumerate() {
            piece.fill(Line([i as u8 + 1; 64]));
        }
        for i in (0..24).step_by(2) {
            pieces[i] = None;
        }
        for (i, piece) in pieces.iter().enumerate().skip(1).step_by(2) {
            let piece = piece.as_ref().unwrap();
            assert!(piece.iter().all(|line| line.0 == [i as u8 + 1; 64]));
        }
    }
}
