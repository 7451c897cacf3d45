//! Packed weights kept on disk between runs, so that the next start takes them from there instead
//! of packing again.
//!
//! The format is ours and private to one machine: a file is thrown away, never converted. All
//! integers are little-endian.
//!
//! ```text
//! 0     magic "SCAFPACK", u32 version of this format, u32 byte order of the contents
//! 16    u64 length of the index, u64 offset of the contents, u64 length of the file
//! 40    u64 checksum of the index, u64 checksum of bytes 0 to 48, zeros up to 64
//! 64    the index, in JSON: what the file belongs to, the matrices, a checksum for each 8 MiB of the contents
//! …     the contents, from a multiple of 4096: matrix after matrix, each from a multiple of 64
//! ```
//!
//! [`PackedFile::open`] checks header and index; [`PackedFile::verify`] checks every byte of the
//! contents, at about the speed at which memory can be read. The checksums are XXH64: they find
//! damage, not malice. Whoever can write to the cache can write other weights into it as they could
//! into the model's own files.

mod checksum;
mod header;
mod write;

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use scaffold_error::{Error, err};
use scaffold_kernels::BlockType;
use serde::{Deserialize, Serialize};

pub use checksum::checksum;
pub use write::{PackedMatrix, write_packed};

use crate::map::{FileBytes, Watch};
use checksum::damaged;
use header::{HEADER, Header};

/// Bytes of the contents that share a checksum.
const CHUNK: usize = 8 << 20;

/// What a file of packed weights belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackedAbout {
    /// The version of the packed layout.
    pub layout: u32,
    /// Whatever must be equal for the weights to be the ones that are wanted.
    pub key: String,
    /// The model's name, for people.
    pub model: String,
    /// The model's file or directory.
    pub source: PathBuf,
}

/// One matrix in a file of packed weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackedEntry {
    /// Values in a row.
    pub cols: usize,
    /// The types of its parts, with their rows.
    pub parts: Vec<(BlockType, usize)>,
    /// Where its bytes are in the file.
    pub range: Range<usize>,
}

#[derive(Serialize, Deserialize)]
struct Index {
    about: PackedAbout,
    matrices: Vec<IndexEntry>,
    checksums: Vec<u64>,
}

#[derive(Serialize, Deserialize)]
struct IndexEntry {
    name: String,
    cols: usize,
    parts: Vec<(String, usize)>,
    /// From the start of the contents.
    offset: usize,
    bytes: usize,
}

/// A mapped file of packed weights. Its bytes are those of the file ([`AsRef`]).
#[derive(Debug)]
pub struct PackedFile {
    path: PathBuf,
    bytes: FileBytes,
    about: PackedAbout,
    entries: HashMap<String, PackedEntry>,
    contents: Range<usize>,
    checksums: Vec<u64>,
}

impl PackedFile {
    /// Maps a file and checks its header and index. The contents are not read.
    ///
    /// # Errors
    /// The file cannot be opened, is of another version or byte order, is cut short, or header or
    /// index are damaged.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let bytes = FileBytes::map(path)?;
        bytes.prefer_large_pages();
        Self::read(path.to_owned(), bytes)
    }

    /// Tells whether the file has become shorter since it was mapped; `None` where it is in memory.
    pub fn watch(&self) -> Option<&Watch> {
        self.bytes.watch()
    }

    /// Checks header and index of what is in memory.
    pub(crate) fn read(path: PathBuf, bytes: FileBytes) -> Result<Self, Error> {
        Self::parse(path.clone(), bytes).map_err(|error| error.in_file(path))
    }

    fn parse(path: PathBuf, bytes: FileBytes) -> Result<Self, Error> {
        let header = Header::read(&bytes)?;
        let index = &bytes[HEADER..HEADER + header.index];
        if checksum(index) != header.index_checksum {
            return Err(damaged("its index"));
        }
        let index: Index = serde_json::from_slice(index)
            .map_err(|cause| err!(Damaged, "the index cannot be read: {cause}").because(cause))?;
        let contents = header.contents..bytes.len();
        let mut entries = HashMap::with_capacity(index.matrices.len());
        for entry in index.matrices {
            let (name, entry) = entry.checked(&contents)?;
            entries.insert(name, entry);
        }
        if index.checksums.len() != contents.len().div_ceil(CHUNK) {
            return Err(err!(
                Damaged,
                "the file has not one checksum for each part of its contents"
            ));
        }
        Ok(Self { path, bytes, about: index.about, entries, contents, checksums: index.checksums })
    }

    /// What the weights belong to.
    pub fn about(&self) -> &PackedAbout {
        &self.about
    }

    /// The matrix of that name.
    pub fn get(&self, name: &str) -> Option<&PackedEntry> {
        self.entries.get(name)
    }

    /// All matrices with their names, in no order.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&str, &PackedEntry)> {
        self.entries.iter().map(|(name, entry)| (name.as_str(), entry))
    }

    /// Compares all contents with their checksums, on `threads` threads. This reads the whole file
    /// once.
    ///
    /// # Errors
    /// A byte is not what was written; the message names a matrix that it belongs to.
    pub fn verify(&self, threads: usize) -> Result<(), Error> {
        let (next, bad) = (AtomicUsize::new(0), AtomicUsize::new(usize::MAX));
        let work = || {
            loop {
                let chunk = next.fetch_add(1, Ordering::Relaxed);
                let Some(&expected) = self.checksums.get(chunk) else {
                    break;
                };
                if checksum(&self.bytes[self.chunk(chunk)]) != expected {
                    bad.fetch_min(chunk, Ordering::Relaxed);
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..threads.min(self.checksums.len()) {
                // A thread that cannot be started leaves its share to the others.
                drop(std::thread::Builder::new().spawn_scoped(scope, work));
            }
            work();
        });
        let bad = bad.into_inner();
        if bad == usize::MAX {
            return Ok(());
        }
        let chunk = self.chunk(bad);
        let hit = |(_, entry): &(&String, &PackedEntry)| {
            entry.range.start < chunk.end && chunk.start < entry.range.end
        };
        let what = self.entries.iter().find(hit).map_or_else(
            || "its contents".to_owned(),
            |(name, _)| format!("the matrix {name} or one beside it"),
        );
        Err(damaged(&what).in_file(&self.path))
    }

    /// Whether the contents, which have to have been read, mostly lie in large pages of memory. If
    /// not, a copy of one's own is read faster.
    pub fn in_large_pages(&self) -> bool {
        self.bytes.in_large_pages()
    }

    /// Tells the system that a matrix is not needed for now.
    pub fn release(&self, entry: &PackedEntry) {
        self.bytes.release(entry.range.clone());
    }

    /// Where a run of contents with one checksum lies.
    fn chunk(&self, index: usize) -> Range<usize> {
        let start = self.contents.start + index * CHUNK;
        start..self.contents.end.min(start + CHUNK)
    }
}

/// A file with the length and the checksums of its header set right: what a fuzzer changes would be
/// stopped by them.
pub(crate) fn repaired(mut bytes: Vec<u8>) -> Vec<u8> {
    Header::repair(&mut bytes);
    bytes
}

impl AsRef<[u8]> for PackedFile {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl IndexEntry {
    fn checked(self, contents: &Range<usize>) -> Result<(String, PackedEntry), Error> {
        let start = contents.start.checked_add(self.offset);
        let end = start.and_then(|start| start.checked_add(self.bytes));
        let end = end.filter(|&end| end <= contents.end);
        let (Some(start), Some(end)) = (start, end) else {
            return Err(err!(Damaged, "the file says that a matrix lies outside of it"));
        };
        let part = |(ty, rows): (String, usize)| ty.parse().ok().map(|ty: BlockType| (ty, rows));
        let parts: Option<Vec<_>> = self.parts.into_iter().map(part).collect();
        let parts = parts
            .ok_or_else(|| err!(Damaged, "the file names a block type that does not exist"))?;
        let entry = PackedEntry { cols: self.cols, parts, range: start..end };
        Ok((self.name, entry))
    }
}

#[cfg(test)]
mod tests;
