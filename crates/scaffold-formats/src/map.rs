//! Files mapped into memory: the only unsafe code of this crate.

use std::fs::File;
use std::ops::{Deref, Range};
use std::path::Path;

use memmap2::Mmap;

use crate::FormatError;

/// The bytes of a model file: mapped from disk, or held in memory.
#[derive(Debug)]
pub(crate) enum FileBytes {
    Mapped(Mmap),
    Owned(Vec<u8>),
}

impl FileBytes {
    /// Maps a regular file for reading. Directories, pipes and devices are refused: their length means nothing.
    pub(crate) fn map(path: &Path) -> Result<Self, FormatError> {
        let io = |action| {
            move |source| FormatError::Io {
                action,
                path: path.to_owned(),
                source,
            }
        };
        let file = File::open(path).map_err(io("open"))?;
        let facts = file.metadata().map_err(io("look at"))?;
        if !facts.is_file() {
            return Err(FormatError::NotAFile {
                path: path.to_owned(),
            });
        }
        if facts.len() == 0 {
            // An empty mapping is an error on some systems; an empty file has its own message further up.
            return Ok(Self::Owned(Vec::new()));
        }
        // SAFETY: the mapping is read-only and private to this struct. The remaining danger of any mapped file is
        // that somebody changes it in place while it is mapped: see "Mapped files" in the crate's documentation for
        // what then happens and why model files are not changed in place. Nothing here relies on bytes staying the
        // same between two reads: every range was checked against the mapping's own fixed length, and text is
        // checked to be UTF-8 each time it is handed out.
        let map = unsafe { Mmap::map(&file) }.map_err(io("map"))?;
        Ok(Self::Mapped(map))
    }

    /// Asks for large pages, which make reading all of the file again and again faster.
    pub(crate) fn prefer_large_pages(&self) {
        #[cfg(target_os = "linux")]
        if let Self::Mapped(map) = self {
            // Advice only: where the system declines it, pages are small.
            drop(map.advise(memmap2::Advice::HugePage));
        }
    }

    /// Tells the system that this range is not needed for now, so that it stops counting as this process's memory.
    /// Reading it again brings it back from the file.
    #[cfg(unix)]
    pub(crate) fn release(&self, range: Range<usize>) {
        let Self::Mapped(map) = self else { return };
        if range.start >= range.end || range.end > map.len() {
            return;
        }
        let advice = memmap2::UncheckedAdvice::DontNeed;
        // SAFETY: the mapping is shared, read-only and backed by the file, so a dropped page is read again from the
        // file with the same content; no write can be lost. The range lies inside the mapping.
        let advised = unsafe { map.unchecked_advise_range(advice, range.start, range.len()) };
        // Advice only: where the system declines it, the pages merely stay.
        drop(advised);
    }

    /// Other systems have no such advice; their pages leave under memory pressure.
    #[cfg(not(unix))]
    pub(crate) fn release(&self, _range: Range<usize>) {}
}

impl Deref for FileBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Owned(bytes) => bytes,
        }
    }
}
