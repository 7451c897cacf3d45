//! Files that are brought for models of one's own, by the hash of their contents.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use scaffold_error::{Error, err};
use scaffold_files::Pending;
use sha2::{Digest as _, Sha256};

use crate::digest::{self, Digest};
use crate::disk::{UNFINISHED, require_space};

/// What is left free on the disk, whatever is brought: others write there, too.
const RESERVE: u64 = 1 << 30;

/// So often the room on the disk is looked at while a file comes.
const LOOK: u64 = 256 << 20;

/// A file that comes piece by piece. Dropped before [`finish`](Self::finish), it leaves nothing.
#[derive(Debug)]
pub struct Upload {
    pending: Pending,
    path: PathBuf,
    wanted: String,
    hasher: Sha256,
    bytes: u64,
    most: u64,
    looked: u64,
}

impl Upload {
    /// Begins a file of at most so many bytes, of which `expected` are known to come.
    pub(super) fn begin(
        blobs: &Path,
        digest: &Digest,
        most: u64,
        expected: Option<u64>,
    ) -> Result<Self, Error> {
        fs::create_dir_all(blobs).map_err(Error::io("create", blobs))?;
        if let Some(expected) = expected {
            check_length(expected, most)?;
            require_space(blobs, expected.saturating_add(RESERVE))?;
        }
        let path = path_of(blobs, digest);
        let pending = Pending::create(&path).map_err(Error::io("create", &path))?;
        let (wanted, hasher) = (digest.hex().to_owned(), Sha256::new());
        Ok(Self { pending, path, wanted, hasher, bytes: 0, most, looked: 0 })
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// There are more than may be, or the disk has no room for them.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.bytes += bytes.len() as u64;
        check_length(self.bytes, self.most)?;
        if self.bytes - self.looked >= LOOK {
            self.looked = self.bytes;
            require_space(&self.path, RESERVE)?;
        }
        self.hasher.update(bytes);
        self.pending.write_all(bytes).map_err(Error::io("write", &self.path))
    }

    /// Gives the file its name, if it is the one that was meant.
    ///
    /// # Errors
    /// The contents have another hash; then nothing is kept of them.
    pub fn finish(self) -> Result<(), Error> {
        let found = digest::hex(&self.hasher.finalize());
        if found != self.wanted {
            return Err(err!(
                Usage,
                "digest mismatch: the contents ({} bytes) have sha256:{found}, and sha256:{} was named: nothing is kept of them",
                self.bytes,
                self.wanted
            ));
        }
        self.pending.finish().map_err(Error::io("write", &self.path))
    }
}

fn check_length(bytes: u64, most: u64) -> Result<(), Error> {
    if bytes <= most {
        return Ok(());
    }
    Err(err!(TooLarge, "the file has {bytes} bytes or more, and {most} is the most that is taken"))
}

/// Where a blob lies. Its name has no colon, which Windows does not take.
pub(super) fn path_of(blobs: &Path, digest: &Digest) -> PathBuf {
    blobs.join(format!("sha256-{}", digest.hex()))
}

/// The digest of a blob of this name.
pub(super) fn digest_of(name: &str) -> Option<Digest> {
    let digest = Digest::parse(name.strip_prefix("sha256-")?)?;
    matches!(digest, Digest::Sha256(_)).then_some(digest)
}

/// Whether a name is that of a file that has not come to its end.
pub(super) fn is_unfinished(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(UNFINISHED)
}

/// Says that a blob is wanted now, so that it is not taken for forgotten.
pub(super) fn touch(path: &Path) {
    let now = fs::FileTimes::new().set_modified(SystemTime::now());
    // Of a file that may not be changed the time stays as it is: at worst it is brought again.
    drop(File::options().write(true).open(path).and_then(|file| file.set_times(now)));
}

/// How long ago a file was written, or wanted.
pub(super) fn age(path: &Path) -> Duration {
    let modified = fs::metadata(path).and_then(|meta| meta.modified());
    modified.ok().and_then(|time| SystemTime::now().duration_since(time).ok()).unwrap_or_default()
}
