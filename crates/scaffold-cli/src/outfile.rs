//! Files that are written for the user: beside their place, and renamed when all of it is there. A
//! failure, a kill or a full disk leaves what was there before.

use std::fs::{self, File};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use scaffold::files::Pending;

use crate::interrupt;

/// A file that is not at its place yet.
#[derive(Debug)]
pub(crate) struct OutFile {
    /// As the user wrote it.
    path: PathBuf,
    /// `None` when it is finished.
    sink: Option<Sink>,
}

#[derive(Debug)]
enum Sink {
    /// What gets its name at the end.
    Pending(Pending),
    /// What is written to directly: a pipe, a terminal, `/dev/null`.
    Direct(BufWriter<File>),
}

impl OutFile {
    /// Begins a file that will be at `path`.
    ///
    /// # Errors
    /// Nothing can be written there.
    pub(crate) fn create(path: &Path) -> anyhow::Result<OutFile> {
        // A link stays one: what it leads to is replaced.
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let old = fs::metadata(&target).ok();
        if old.as_ref().is_some_and(fs::Metadata::is_dir) {
            anyhow::bail!(crate::failure::Usage(format!(
                "cannot write {}: it is a directory\n  to do: name a file in it",
                path.display()
            )));
        }
        let sink = if old.as_ref().is_some_and(|meta| !meta.is_file()) {
            let file = File::options().write(true).open(&target);
            Sink::Direct(BufWriter::new(file.with_context(|| cannot_write(path))?))
        } else {
            let file = Pending::create(&target).with_context(|| cannot_write(path))?;
            interrupt::remove_when_stopped(file.temporary());
            if let Some(old) = old {
                // Whoever could read the old one can read the new one.
                let _ = file.set_permissions(old.permissions());
            }
            Sink::Pending(file)
        };
        Ok(OutFile { path: path.to_owned(), sink: Some(sink) })
    }

    /// Puts the file at its place.
    ///
    /// # Errors
    /// Not all of it could be written.
    pub(crate) fn finish(mut self) -> anyhow::Result<()> {
        let finished = match self.sink.take() {
            None => Ok(()),
            Some(Sink::Direct(mut file)) => file.flush(),
            Some(Sink::Pending(file)) => {
                let temporary = file.temporary().to_owned();
                let finished = file.finish();
                interrupt::keep(&temporary);
                finished
            }
        };
        finished.with_context(|| cannot_write(&self.path))
    }
}

impl Write for OutFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.sink {
            Some(Sink::Pending(file)) => file.write(bytes),
            Some(Sink::Direct(file)) => file.write(bytes),
            None => Ok(0),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.sink {
            Some(Sink::Pending(file)) => file.flush(),
            Some(Sink::Direct(file)) => file.flush(),
            None => Ok(()),
        }
    }
}

impl Seek for OutFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match &mut self.sink {
            Some(Sink::Pending(file)) => file.seek(to),
            Some(Sink::Direct(file)) => file.seek(to),
            None => Ok(0),
        }
    }
}

impl Drop for OutFile {
    fn drop(&mut self) {
        if let Some(Sink::Pending(file)) = self.sink.take() {
            let temporary = file.temporary().to_owned();
            drop(file);
            interrupt::keep(&temporary);
        }
    }
}

/// Writes a whole file.
///
/// # Errors
/// As [`OutFile::create`] and [`OutFile::finish`].
pub(crate) fn write(path: &Path, contents: impl AsRef<[u8]>) -> anyhow::Result<()> {
    let mut file = OutFile::create(path)?;
    file.write_all(contents.as_ref()).with_context(|| cannot_write(path))?;
    file.finish()
}

pub(crate) fn cannot_write(path: &Path) -> String {
    format!("cannot write {}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap().flatten();
        let mut names: Vec<_> = entries.map(|e| e.file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn the_old_file_stays_until_the_new_one_is_whole() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.npy");
        fs::write(&path, "old").unwrap();
        let mut file = OutFile::create(&path).unwrap();
        file.write_all(b"ne").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        drop(file);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(directory.path()), ["a.npy"]);
        write(&path, "new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names(directory.path()), ["a.npy"]);
        let message = format!("{:#}", write(directory.path(), "x").unwrap_err());
        assert!(message.contains("is a directory"), "{message}");
    }

    #[cfg(unix)]
    #[test]
    fn links_pipes_and_permissions_are_kept() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let directory = tempfile::tempdir().unwrap();
        let (real, link) = (directory.path().join("real"), directory.path().join("link"));
        fs::write(&real, "old").unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        symlink("real", &link).unwrap();
        write(&link, "new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&real).unwrap(), b"new");
        let mode = fs::metadata(&real).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        write(Path::new("/dev/null"), "x").unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }
}
