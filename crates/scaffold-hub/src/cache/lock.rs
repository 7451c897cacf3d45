//! One download at a time for each blob, over all processes. The same `flock` on the same file as Python's `filelock`.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::Duration;

use crate::error::HubError;

/// Held until dropped; the system releases it when the process dies, however that happens.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: Option<File>,
}

const POLL: Duration = Duration::from_millis(50);

impl Lock {
    /// Takes the lock. While another process holds it, `waiting` is called again and again; `false` gives up.
    pub(crate) fn take(path: &Path, mut waiting: impl FnMut() -> bool) -> Result<Lock, HubError> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(HubError::io("create", parent))?;
        }
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path);
        let file = file.map_err(HubError::io("open", path))?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Lock { _file: Some(file) }),
                Err(TryLockError::WouldBlock) if waiting() => std::thread::sleep(POLL),
                Err(TryLockError::WouldBlock) => return Err(HubError::Cancelled),
                // Some network file systems have no locks. Contents are verified all the same; at worst they come twice.
                Err(TryLockError::Error(_)) => return Ok(Lock { _file: None }),
            }
        }
    }
}

/// A lock file in `dir` that some process holds at this moment.
pub(crate) fn any_held(dir: &Path) -> Option<std::path::PathBuf> {
    let entries = fs::read_dir(dir).ok()?;
    entries
        .flatten()
        .map(|e| e.path())
        .filter(|p| p.extension().is_some_and(|e| e == "lock"))
        .find(|path| {
            let Ok(file) = OpenOptions::new().read(true).write(true).open(path) else {
                return false;
            };
            matches!(file.try_lock(), Err(TryLockError::WouldBlock))
        })
}
