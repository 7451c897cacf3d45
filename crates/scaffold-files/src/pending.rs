//! Files that appear whole or not at all: written under a temporary name beside their own, made
//! durable, renamed.

use std::collections::hash_map::RandomState;
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher as _, Hasher as _};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// How the names of files end that are not whole yet.
pub const UNFINISHED: &str = ".incomplete";

/// Bytes of a name that a temporary one repeats; file systems hold 255.
const MOST_OF_NAME: usize = 200;

/// A file that is not at its place yet. Dropped before [`Pending::finish`], it leaves what was
/// there before.
#[derive(Debug)]
pub struct Pending {
    path: PathBuf,
    temporary: PathBuf,
    file: Option<BufWriter<File>>,
}

impl Pending {
    /// Begins a file that will be at `path`. A link at `path` will be replaced, not followed.
    ///
    /// # Errors
    /// Nothing can be written beside `path`.
    pub fn create(path: &Path) -> io::Result<Self> {
        Self::begin(path, OpenOptions::new().write(true).create_new(true))
    }

    /// The same for a file that nobody but its owner may read, not even for a moment.
    ///
    /// # Errors
    /// As [`Pending::create`].
    pub fn secret(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Self::begin(path, &options)
    }

    fn begin(path: &Path, options: &OpenOptions) -> io::Result<Self> {
        let temporary = beside(path);
        let file = options.open(&temporary)?;
        Ok(Self {
            path: path.to_owned(),
            temporary,
            file: Some(BufWriter::with_capacity(1 << 20, file)),
        })
    }

    /// Where the contents are until the file is finished.
    pub fn temporary(&self) -> &Path {
        &self.temporary
    }

    /// Gives the file these permissions.
    ///
    /// # Errors
    /// The file system has no such permissions.
    pub fn set_permissions(&self, permissions: fs::Permissions) -> io::Result<()> {
        self.file.as_ref().map_or(Ok(()), |file| file.get_ref().set_permissions(permissions))
    }

    /// Makes the contents durable and gives the file its name.
    ///
    /// # Errors
    /// Not all could be written; what was at the place before is still there, and the temporary
    /// file is not.
    pub fn finish(self) -> io::Result<()> {
        self.end(true)
    }

    fn end(mut self, durable: bool) -> io::Result<()> {
        let Some(file) = self.file.take() else {
            return Ok(());
        };
        // Errors of a full disk may come as late as this.
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        if durable {
            sync(&file)?;
        }
        drop(file);
        rename(&self.temporary, &self.path, durable)?;
        // There is nothing to remove any more.
        self.temporary = PathBuf::new();
        Ok(())
    }
}

impl Write for Pending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.as_mut().map_or(Ok(0), |file| file.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), BufWriter::flush)
    }
}

impl Seek for Pending {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.as_mut().map_or(Ok(0), |file| file.seek(to))
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.temporary.as_os_str().is_empty() {
            // Not before it is closed: Windows removes no open files.
            drop(self.file.take().map(BufWriter::into_parts));
            // Whatever is in the way of removing it was in the way of writing it, too.
            drop(fs::remove_file(&self.temporary));
        }
    }
}

/// Writes a whole file.
///
/// # Errors
/// As [`Pending::create`] and [`Pending::finish`].
pub fn write(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut file = Pending::create(path)?;
    file.write_all(contents)?;
    file.finish()
}

/// Writes a whole file that nobody but its owner may read.
///
/// # Errors
/// As [`write()`](fn@write).
pub fn write_secret(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut file = Pending::secret(path)?;
    file.write_all(contents)?;
    file.finish()
}

/// Writes a file that is whole while the machine runs and may be gone, or empty, when it lost its
/// power: for what is written every moment and is no loss.
///
/// # Errors
/// As [`write()`](fn@write).
pub fn write_unsynced(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut file = Pending::create(path)?;
    file.write_all(contents)?;
    file.end(false)
}

/// Makes a file durable that was written under another name, and gives it its own.
///
/// # Errors
/// It cannot be made durable or renamed. It keeps its name then.
pub fn publish(temporary: &Path, path: &Path) -> io::Result<()> {
    sync(&OpenOptions::new().write(true).open(temporary)?)?;
    rename(temporary, path, true)
}

fn rename(from: &Path, to: &Path, durable: bool) -> io::Result<()> {
    tell("rename");
    fs::rename(from, to)?;
    if durable {
        sync_directory(to);
    }
    Ok(())
}

fn sync(file: &File) -> io::Result<()> {
    tell("sync file");
    file.sync_all()
}

/// Makes a new name durable. The file is whole at its place by now, so that an error would say the
/// wrong thing; and there are file systems that do not know this for directories.
fn sync_directory(path: &Path) {
    tell("sync directory");
    #[cfg(unix)]
    {
        let directory = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        drop(File::open(directory).and_then(|directory| directory.sync_all()));
    }
    #[cfg(not(unix))]
    let _ = path;
}

/// A name beside `path` that no other thread, process or machine uses.
pub fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = &name[..name.floor_char_boundary(MOST_OF_NAME)];
    path.with_file_name(format!(".{name}.{}{UNFINISHED}", unique_mark()))
}

/// Whether `name` is what a killed process left of a file called `of`.
pub fn is_unfinished_of(name: &str, of: &str) -> bool {
    let of = &of[..of.floor_char_boundary(MOST_OF_NAME)];
    let rest = name.strip_prefix('.').and_then(|name| name.strip_prefix(of)?.strip_prefix('.'));
    // The second end is from before there was one way to write files.
    let mark =
        rest.and_then(|rest| rest.strip_suffix(UNFINISHED).or_else(|| rest.strip_suffix(".part")));
    mark.is_some_and(|mark| !mark.is_empty() && !mark.contains('.'))
}

/// 16 digits that nobody else has. Numbers of processes will not do: containers that share a
/// directory have the same ones.
pub fn unique_mark() -> String {
    // The keys come from the system's randomness and differ for each of these.
    format!("{:016x}", RandomState::new().build_hasher().finish())
}

#[cfg(not(test))]
fn tell(_step: &'static str) {}

#[cfg(test)]
use tests::tell;

#[cfg(test)]
mod tests;
