//! One download at a time for each blob, over all processes. The same `flock` on the same file as
//! Python's `filelock`.

use scaffold_error::{Error, Kind};

use crate::progress::stopped;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Held until dropped; the system releases it when the process dies, however that happens.
#[derive(Debug)]
pub(crate) struct Lock {
    file: Option<File>,
}

const POLL: Duration = Duration::from_millis(50);

impl Lock {
    /// Takes the lock. While another process holds it, `waiting` is called again and again; `false`
    /// gives up.
    pub(crate) fn take(path: &Path, mut waiting: impl FnMut() -> bool) -> Result<Lock, Error> {
        loop {
            if let Some(lock) = Lock::try_take(path)? {
                return Ok(lock);
            }
            if !waiting() {
                return Err(stopped());
            }
            std::thread::sleep(POLL);
        }
    }

    /// Takes the lock, or nothing where another process holds it.
    pub(crate) fn try_take(path: &Path) -> Result<Option<Lock>, Error> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
        }
        try_take_with(path, true, File::try_lock)
    }

    /// Whether it keeps others away: some network file systems have no locks.
    pub(crate) fn is_exclusive(&self) -> bool {
        self.file.is_some()
    }
}

/// The file is opened anew for each attempt, because whoever held it may have unlinked it: some
/// versions of `filelock` do so on release, and removing a model does. A lock on a file without a
/// name keeps nobody away.
fn try_take_with(
    path: &Path,
    create: bool,
    lock: impl Fn(&File) -> Result<(), TryLockError>,
) -> Result<Option<Lock>, Error> {
    loop {
        let file = open(path, create).map_err(Error::io("open", path))?;
        match lock(&file) {
            Ok(()) if is_at(&file, path) => return Ok(Some(Lock { file: Some(file) })),
            // Another process has unlinked it in between, and so got on; so does the next attempt.
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            // Whoever gets this one keeps apart what it writes; at worst the contents come twice.
            Err(TryLockError::Error(_)) => return Ok(Some(Lock { file: None })),
        }
    }
}

/// Another user's lock file may be readable alone, which is enough for a lock.
fn open(path: &Path, create: bool) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(create);
    match options.open(path) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            File::open(path).map_err(|_| error)
        }
        opened => opened,
    }
}

/// Whether `path` still leads to the open `file`.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let place = |meta: &fs::Metadata| (meta.dev(), meta.ino());
    matches!((file.metadata(), fs::metadata(path)), (Ok(a), Ok(b)) if place(&a) == place(&b))
}

/// Here the name of an open file is not given to another one.
#[cfg(not(unix))]
fn is_at(_file: &File, path: &Path) -> bool {
    path.exists()
}

/// Takes all locks whose files are in `dir`; where that cannot be done, the file that is in the way
/// is the error.
pub(crate) fn hold_all(dir: &Path) -> Result<Vec<Lock>, PathBuf> {
    let mut held = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.extension().is_none_or(|e| e != "lock") {
            continue;
        }
        match try_take_with(&path, false, File::try_lock) {
            Ok(Some(lock)) => held.push(lock),
            // Released and unlinked since the directory was read.
            Err(error) if error.kind() == Kind::NotFound => {}
            _ => return Err(path),
        }
    }
    Ok(held)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locked(path: &Path) -> File {
        let file = open(path, true).unwrap();
        file.try_lock().unwrap();
        file
    }

    #[cfg(unix)]
    #[test]
    fn a_lock_is_on_the_file_that_has_the_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.lock");
        let other = locked(&path);
        let taken = std::thread::scope(|scope| {
            let (sender, receiver) = std::sync::mpsc::channel();
            let path = &path;
            let waiter = scope.spawn(move || {
                Lock::take(path, || {
                    let _ = sender.send(());
                    true
                })
            });
            receiver.recv().unwrap();
            // As a `filelock` that unlinks does it.
            fs::remove_file(path).unwrap();
            drop(other);
            waiter.join().unwrap().unwrap()
        });
        assert!(taken.is_exclusive());
        assert!(Lock::try_take(&path).unwrap().is_none(), "two processes hold the lock");
        drop(taken);
        assert!(Lock::try_take(&path).unwrap().is_some());
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_is_unlinked_before_it_is_locked_is_not_taken() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.lock");
        let unlinked = std::cell::Cell::new(false);
        let lock = try_take_with(&path, true, |file| {
            if !unlinked.replace(true) {
                fs::remove_file(&path).unwrap();
            }
            file.try_lock()
        });
        let lock = lock.unwrap().unwrap();
        assert!(lock.is_exclusive());
        assert!(Lock::try_take(&path).unwrap().is_none());
    }

    #[test]
    fn where_there_are_no_locks_none_is_claimed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.lock");
        let unsupported = |_: &File| Err(TryLockError::Error(ErrorKind::Unsupported.into()));
        let lock = try_take_with(&path, true, unsupported).unwrap().unwrap();
        assert!(!lock.is_exclusive());
    }

    #[test]
    fn all_locks_are_held_or_the_one_in_the_way_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (dir.path().join("a.lock"), dir.path().join("b.lock"));
        drop(locked(&a));
        let other = locked(&b);
        assert_eq!(hold_all(dir.path()).unwrap_err(), b);
        drop(other);
        let held = hold_all(dir.path()).unwrap();
        assert_eq!(held.len(), 2);
        assert!(Lock::try_take(&a).unwrap().is_none());
        drop(held);
        assert!(Lock::try_take(&a).unwrap().is_some());
        assert!(hold_all(&dir.path().join("none")).unwrap().is_empty());
    }
}
