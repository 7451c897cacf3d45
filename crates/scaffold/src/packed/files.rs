//! The files of packed weights: their names, what belongs to them, and when they were used.

use std::fs::{self, File, FileTimes};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// How the names of the files end.
pub(super) const SUFFIX: &str = ".packed";

/// A file's hidden companion.
pub(super) fn beside(path: &Path, end: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}{end}"))
}

/// The program's version, its layout, the precision and the files' identity.
pub(super) fn key_parts(key: &str) -> Option<[&str; 4]> {
    let mut words = key.splitn(4, ' ');
    let mut word = || words.next();
    Some([word()?, word()?, word()?, word()?])
}

/// Removes what killed processes have left of this file. The caller holds its lock.
pub(super) fn remove_unfinished(path: &Path) -> u64 {
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return 0;
    };
    let of = name.to_string_lossy();
    let Ok(entries) = fs::read_dir(directory) else {
        return 0;
    };
    let mut freed = 0;
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if scaffold_files::is_unfinished_of(&name, &of) {
            let bytes = entry.metadata().map_or(0, |facts| facts.len());
            if fs::remove_file(entry.path()).is_ok() {
                freed += bytes;
            }
        }
    }
    freed
}

/// Notes that a file is used now: systems count that in their own ways, or not at all.
pub(crate) fn use_now(path: &Path) {
    let times = FileTimes::new().set_accessed(SystemTime::now());
    // A directory of somebody else's may be read only. Then the file counts as used when it was
    // written.
    drop(File::open(path).and_then(|file| file.set_times(times)));
}
