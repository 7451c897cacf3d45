//! What a model computed of a prefix of prompts, kept on disk: the keys and values of its tokens,
//! block by block.
//!
//! The format is ours and private to one machine: a file is thrown away, never converted. Integers
//! are little-endian, contents as the machine has them.
//!
//! ```text
//! 0     magic "SCAFKEPT", u32 version of this format, u32 byte order of the contents
//! 16    u64 length of the index, u64 checksum of the index
//! 32    the index, in JSON: what the file belongs to, the tokens, the sizes of blocks
//! …     block after block, each with its u64 checksum behind it
//! ```
//!
//! The checksums are XXH64: they find damage, not malice. The files hold what somebody has written,
//! so nobody but their owner may read them.

use std::fmt;
use std::fs::File;
use std::io::{BufReader, Read, Write as _};
use std::path::{Path, PathBuf};

use scaffold_error::{Error, err};
use scaffold_files::Pending;
use serde::{Deserialize, Serialize};

use crate::packed::checksum;

const MAGIC: &[u8; 8] = b"SCAFKEPT";
const VERSION: u32 = 1;
/// Written as this machine writes numbers, so that a machine of the other kind reads another one.
const ORDER: u32 = 0x0102_0304;
const HEADER: usize = 32;
/// Bytes of an index at most: tokens of the longest contexts that there are.
const LONGEST_INDEX: u64 = 256 << 20;
/// Bytes of a block at most.
const LARGEST_BLOCK: usize = 1 << 30;

/// What a kept prefix belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptAbout {
    /// Whatever must be equal for the contents to mean what they meant.
    pub key: String,
    /// The name that it is kept under.
    pub name: String,
    /// The model's name, for people.
    pub model: String,
    /// The tokens, of which there are whole blocks.
    pub tokens: Vec<u32>,
    /// Tokens in a block.
    pub block_tokens: usize,
    /// Bytes of a block.
    pub block_bytes: usize,
}

impl KeptAbout {
    /// How many blocks there are.
    pub fn blocks(&self) -> usize {
        self.tokens.len().checked_div(self.block_tokens).unwrap_or(0)
    }

    fn check(&self) -> Result<(), Error> {
        let whole = self.block_tokens > 0 && self.tokens.len().is_multiple_of(self.block_tokens);
        if whole && (1..=LARGEST_BLOCK).contains(&self.block_bytes) {
            return Ok(());
        }
        let (tokens, block, bytes) = (self.tokens.len(), self.block_tokens, self.block_bytes);
        Err(err!(
            Damaged,
            "{tokens} tokens are not whole blocks of {block} tokens and {bytes} bytes"
        ))
    }
}

/// A kept prefix that is being written. Dropped before [`finish`](Self::finish), it leaves what was
/// there before.
#[derive(Debug)]
pub struct KeptWriter {
    path: PathBuf,
    file: Pending,
    about: KeptAbout,
    written: usize,
}

impl KeptWriter {
    /// Begins a file.
    ///
    /// # Errors
    /// It cannot be written, or the sizes do not fit each other.
    pub fn create(path: &Path, about: KeptAbout) -> Result<Self, Error> {
        about.check()?;
        let io = || Error::io("write", path);
        let index = serde_json::to_vec(&about).map_err(|error| io()(error.into()))?;
        let mut file = Pending::secret(path).map_err(io())?;
        let mut header = Vec::with_capacity(HEADER);
        header.extend_from_slice(MAGIC);
        header.extend_from_slice(&VERSION.to_le_bytes());
        header.extend_from_slice(&ORDER.to_ne_bytes());
        header.extend_from_slice(&(index.len() as u64).to_le_bytes());
        header.extend_from_slice(&checksum(&index).to_le_bytes());
        file.write_all(&header).and_then(|()| file.write_all(&index)).map_err(io())?;
        Ok(Self { path: path.to_owned(), file, about, written: 0 })
    }

    /// Writes the next block.
    ///
    /// # Errors
    /// It cannot be written, or is not as large as a block.
    pub fn block(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if bytes.len() != self.about.block_bytes {
            let (found, needed) = (bytes.len(), self.about.block_bytes);
            return Err(err!(Usage, "a block of {found} bytes among those of {needed}"));
        }
        let sum = checksum(bytes).to_le_bytes();
        let written = self.file.write_all(bytes).and_then(|()| self.file.write_all(&sum));
        written.map_err(Error::io("write", &self.path))?;
        self.written += 1;
        Ok(())
    }

    /// Gives the file its name when all of it is on disk.
    ///
    /// # Errors
    /// It cannot be written, or blocks are missing.
    pub fn finish(self) -> Result<(), Error> {
        let (written, blocks) = (self.written, self.about.blocks());
        if written != blocks {
            return Err(err!(Usage, "{written} blocks were written of {blocks}"));
        }
        self.file.finish().map_err(Error::io("write", &self.path))
    }
}

/// A kept prefix that is being read. Only what was checked is handed out.
pub struct KeptFile {
    path: PathBuf,
    file: Box<dyn Read + Send>,
    about: KeptAbout,
    read: usize,
}

impl KeptFile {
    /// Opens a file and checks what it says of itself. The contents are not read yet.
    ///
    /// # Errors
    /// It cannot be opened, is of another version or byte order, is cut short, or damaged.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let file = File::open(path).map_err(Error::io("open", path))?;
        let length = file.metadata().map_err(Error::io("open", path))?.len();
        Self::read(path, Box::new(BufReader::with_capacity(1 << 16, file)), length)
    }

    /// Checks the beginning of `length` bytes.
    pub(crate) fn read(
        path: &Path,
        mut file: Box<dyn Read + Send>,
        length: u64,
    ) -> Result<Self, Error> {
        let about = about(&mut file, length).map_err(|error| error.in_file(path))?;
        Ok(Self { path: path.to_owned(), file, about, read: 0 })
    }

    /// What it belongs to.
    pub fn about(&self) -> &KeptAbout {
        &self.about
    }

    /// The contents of the next block; `None` after the last.
    ///
    /// # Errors
    /// It cannot be read, or is damaged.
    pub fn block(&mut self) -> Result<Option<Vec<u8>>, Error> {
        if self.read == self.about.blocks() {
            return Ok(None);
        }
        let (mut bytes, mut sum) = (vec![0; self.about.block_bytes], [0; 8]);
        let read = self.file.read_exact(&mut bytes).and_then(|()| self.file.read_exact(&mut sum));
        read.map_err(Error::io("read", &self.path))?;
        if checksum(&bytes) != u64::from_le_bytes(sum) {
            let block = self.read;
            return Err(err!(
                Damaged,
                "the file is damaged: the checksum of block {block} differs"
            )
            .in_file(&self.path));
        }
        self.read += 1;
        Ok(Some(bytes))
    }
}

/// Reads header and index of a file of so many bytes.
fn about(file: &mut dyn Read, length: u64) -> Result<KeptAbout, Error> {
    let cut = |cause: std::io::Error| {
        err!(Damaged, "the file ends before its beginning does: {cause}").because(cause)
    };
    let mut header = [0; HEADER];
    file.read_exact(&mut header).map_err(cut)?;
    if !header.starts_with(MAGIC) {
        return Err(err!(Damaged, "not a file of a kept prefix"));
    }
    let u64_at = |at: usize| header[at..].first_chunk().map_or(0, |b| u64::from_le_bytes(*b));
    if header[8..12] != VERSION.to_le_bytes() || header[12..16] != ORDER.to_ne_bytes() {
        return Err(err!(
            Unsupported,
            "the file was written by another version of this program, or on another kind of machine"
        ));
    }
    let (index, sum) = (u64_at(16), u64_at(24));
    if index > LONGEST_INDEX || index > length.saturating_sub(HEADER as u64) {
        return Err(err!(Damaged, "the file says that its index has {index} bytes"));
    }
    let mut bytes = vec![0; index as usize];
    file.read_exact(&mut bytes).map_err(cut)?;
    if checksum(&bytes) != sum {
        return Err(err!(Damaged, "the file is damaged: the checksum of its index differs"));
    }
    let about: KeptAbout = serde_json::from_slice(&bytes)
        .map_err(|cause| err!(Damaged, "the index cannot be read: {cause}").because(cause))?;
    about.check()?;
    let blocks = about.blocks() as u64 * (about.block_bytes as u64 + 8);
    let whole = HEADER as u64 + index + blocks;
    if length != whole {
        return Err(err!(Damaged, "the file should have {whole} bytes and has {length}"));
    }
    Ok(about)
}

/// A file with the checksum of its index set right: what a fuzzer changes would be stopped by it.
pub(crate) fn repaired(mut bytes: Vec<u8>) -> Vec<u8> {
    let length =
        bytes.get(16..).and_then(<[u8]>::first_chunk).map_or(0, |b| u64::from_le_bytes(*b));
    let end = usize::try_from(length).ok().and_then(|length| length.checked_add(HEADER));
    if let Some(index) = end.and_then(|end| bytes.get(HEADER..end)) {
        let sum = checksum(index).to_le_bytes();
        bytes[24..HEADER].copy_from_slice(&sum);
    }
    bytes
}

impl fmt::Debug for KeptFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptFile").field("path", &self.path).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(path: &Path) -> KeptAbout {
        let about = KeptAbout {
            key: "this model".into(),
            name: "system".into(),
            model: "org/model".into(),
            tokens: (0..12).collect(),
            block_tokens: 4,
            block_bytes: 5,
        };
        let mut file = KeptWriter::create(path, about.clone()).unwrap();
        for block in 0..3 {
            file.block(&[block; 5]).unwrap();
        }
        file.finish().unwrap();
        about
    }

    #[test]
    fn what_was_written_is_read_and_nobody_else_may() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("prefix");
        let about = written(&path);
        let mut file = KeptFile::open(&path).unwrap();
        assert_eq!(file.about(), &about);
        for block in 0..3 {
            assert_eq!(file.block().unwrap(), Some(vec![block; 5]));
        }
        assert_eq!(file.block().unwrap(), None);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o077, 0);
        }
    }

    /// Every byte counts, and so does every end.
    #[test]
    fn a_damaged_file_gives_no_damaged_block() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("prefix");
        written(&path);
        let whole = std::fs::read(&path).unwrap();
        let read = || -> Result<(), Error> {
            let mut file = KeptFile::open(&path)?;
            while file.block()?.is_some() {}
            Ok(())
        };
        read().unwrap();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            std::fs::write(&path, &bytes).unwrap();
            let error = read().unwrap_err();
            assert!(error.to_string().contains("prefix"), "{at}: {error}");
            std::fs::write(&path, &whole[..at]).unwrap();
            assert!(read().is_err(), "{at}");
        }
    }

    #[test]
    fn an_unfinished_file_is_none() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("prefix");
        let about = written(&path);
        let mut again = KeptWriter::create(&path, about.clone()).unwrap();
        assert!(again.block(&[0; 4]).is_err());
        again.block(&[9; 5]).unwrap();
        assert!(again.finish().unwrap_err().to_string().contains("1 blocks"));
        assert_eq!(KeptFile::open(&path).unwrap().block().unwrap(), Some(vec![0; 5]));
        let odd = KeptAbout { tokens: vec![1; 5], ..about };
        assert!(KeptWriter::create(&path, odd).is_err());
    }
}
