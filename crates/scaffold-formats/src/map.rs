//! Files mapped into memory: the only unsafe code of this crate.

#[cfg(unix)]
mod lost;
#[cfg(not(unix))]
#[path = "map/kept.rs"]
mod lost;

use std::fs::File;
use std::ops::{Deref, Range};
use std::path::Path;

use memmap2::Mmap;
use scaffold_error::{Error, err};

pub use lost::Watch;

/// The bytes of a model file: mapped from disk, or held in memory.
#[derive(Debug)]
pub(crate) enum FileBytes {
    Mapped(Mapping),
    Owned(Vec<u8>),
}

/// A mapped file that is watched.
#[derive(Debug)]
pub(crate) struct Mapping {
    map: Mmap,
    watch: Watch,
}

impl Deref for Mapping {
    type Target = Mmap;

    fn deref(&self) -> &Mmap {
        &self.map
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        self.watch.end();
    }
}

impl FileBytes {
    /// Maps a regular file for reading. Directories, pipes and devices are refused: their length
    /// means nothing.
    pub(crate) fn map(path: &Path) -> Result<Self, Error> {
        let (file, size) = open_file(path)?;
        if size == 0 {
            // An empty mapping is an error on some systems; an empty file has its own message
            // further up.
            return Ok(Self::Owned(Vec::new()));
        }
        // SAFETY: the mapping is read-only and private to this struct. The remaining danger of any
        // mapped file is that somebody changes it in place while it is mapped: see "Mapped files"
        // in the crate's documentation for what then happens and why model files are not changed in
        // place. Nothing here relies on bytes staying the same between two reads: every range was
        // checked against the mapping's own fixed length, and text is checked to be UTF-8 each time
        // it is handed out.
        let map = unsafe { Mmap::map(&file) }.map_err(Error::io("map", path))?;
        let watch = Watch::of(path, file, &map);
        Ok(Self::Mapped(Mapping { map, watch }))
    }

    /// Tells whether the file has become shorter since it was mapped; `None` where it is in memory.
    pub(crate) fn watch(&self) -> Option<&Watch> {
        match self {
            Self::Mapped(mapping) => Some(&mapping.watch),
            Self::Owned(_) => None,
        }
    }

    /// Whether all that was read was there.
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.watch().map_or(Ok(()), Watch::check)
    }

    /// Asks for large pages, which make reading all of the file again and again faster.
    pub(crate) fn prefer_large_pages(&self) {
        #[cfg(target_os = "linux")]
        if let Self::Mapped(map) = self {
            // Advice only: where the system declines it, pages are small.
            drop(map.advise(memmap2::Advice::HugePage));
        }
    }

    /// Whether half of what was read of the file or more lies in large pages, as the file system
    /// and what wrote it have decided. Systems that have no such pages for files are not asked.
    pub(crate) fn in_large_pages(&self) -> bool {
        #[cfg(target_os = "linux")]
        if let Self::Mapped(map) = self {
            let smaps = std::fs::read_to_string("/proc/self/smaps").unwrap_or_default();
            return mostly_large(&smaps, map.as_ptr().addr());
        }
        true
    }

    /// Tells the system that this range is not needed for now, so that it stops counting as this
    /// process's memory. Reading it again brings it back from the file.
    #[cfg(unix)]
    pub(crate) fn release(&self, range: Range<usize>) {
        let Self::Mapped(map) = self else { return };
        if range.start >= range.end || range.end > map.len() {
            return;
        }
        let advice = memmap2::UncheckedAdvice::DontNeed;
        // SAFETY: the mapping is shared, read-only and backed by the file, so a dropped page is
        // read again from the file with the same content; no write can be lost. That goes for the
        // neighbours, too, which the system drops where the range begins or ends inside a page. The
        // range lies inside the mapping.
        let advised = unsafe { map.unchecked_advise_range(advice, range.start, range.len()) };
        // Advice only: where the system declines it, the pages merely stay.
        drop(advised);
    }

    /// Other systems have no such advice; their pages leave under memory pressure.
    #[cfg(not(unix))]
    pub(crate) fn release(&self, _range: Range<usize>) {}
}

/// Opens a regular file, and says how long it is.
pub(crate) fn open_file(path: &Path) -> Result<(File, u64), Error> {
    let file = File::open(path).map_err(Error::io("open", path))?;
    let facts = file.metadata().map_err(Error::io("look at", path))?;
    if facts.is_file() {
        return Ok((file, facts.len()));
    }
    Err(err!(
        Unsupported,
        "{} is not a regular file; give the path of a model file, or of the directory that holds one",
        path.display()
    )
    .of_file(path))
}

/// What the kernel's list of mappings says of the one that starts at an address; `false` if
/// nothing.
#[cfg(target_os = "linux")]
fn mostly_large(smaps: &str, start: usize) -> bool {
    let start = format!("{start:08x}-");
    let kib = |line: &str, name| {
        let value: &str = line.strip_prefix(name)?;
        value.trim().strip_suffix(" kB")?.parse::<u64>().ok()
    };
    let ours = smaps.lines().skip_while(|line| !line.starts_with(&start));
    let (mut read, mut large) = (0, 0);
    for line in ours.skip(1) {
        if line.starts_with("VmFlags:") {
            break;
        }
        read = kib(line, "Rss:").unwrap_or(read);
        large = kib(line, "FilePmdMapped:").unwrap_or(large);
    }
    large > 0 && large >= read / 2
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

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn large_pages_are_those_of_the_mapping_that_is_asked_for() {
        let one = |start: &str, read: u32, large: u32| {
            format!(
                "{start}-7f5391e31000 r--s 00000000 fe:00 1 /a b\nSize: 9 kB\nRss:  {read} kB\n\
                 FilePmdMapped:    {large} kB\nVmFlags: rd sh\n"
            )
        };
        let smaps = one("00400000", 8192, 0) + &one("7f536c000000", 8192, 4096);
        assert!(mostly_large(&smaps, 0x7f53_6c00_0000));
        assert!(!mostly_large(&smaps, 0x40_0000));
        assert!(!mostly_large(&smaps, 0x7f53_6c00_1000));
        assert!(!mostly_large("", 0));
    }

    #[test]
    fn a_file_smaller_than_a_large_page_is_not_in_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("small");
        std::fs::write(&path, [1; 5000]).unwrap();
        let bytes = FileBytes::map(&path).unwrap();
        assert_eq!(bytes[4999], 1);
        assert!(!bytes.in_large_pages());
    }

    #[test]
    fn what_is_released_and_what_lies_beside_it_is_read_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("weights");
        let written: Vec<u8> = (0..300_000_u32).map(|i| (i % 251) as u8).collect();
        std::fs::write(&path, &written).unwrap();
        let bytes = FileBytes::map(&path).unwrap();
        for range in [0..1, 5000..5001, 4095..70_001, 299_999..300_000] {
            bytes.release(range);
            assert_eq!(bytes[..], written);
        }
        // Nothing happens to what is not there.
        bytes.release(299_999..300_001);
        bytes.release(7..7);
    }
}
