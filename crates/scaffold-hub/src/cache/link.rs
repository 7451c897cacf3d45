//! Giving a blob its place in a snapshot.

use std::fs;
use std::path::{Path, PathBuf};

use crate::disk::{is_same_file, temporary_beside};
use crate::error::HubError;

/// Makes `pointer` lead to `blob`: a relative link, else a hard link, else the blob itself is moved there, or copied if
/// it is `needed` for another file.
///
/// What is at `pointer` and is not that blob is replaced; a file that is no link by one that is none. There is never a
/// second copy of the contents, except when the platform has neither kind of link and several files have them.
pub(crate) fn place(
    blob: &Path,
    pointer: &Path,
    file: &str,
    symlinks: bool,
    needed: bool,
) -> Result<(), HubError> {
    // There already, and not dangling or damaged.
    if is_same_file(blob, pointer) {
        return Ok(());
    }
    let parent = pointer.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(HubError::io("create", parent))?;
    let temporary = temporary_beside(pointer);
    // In a cache without links a link would be the only one, and perhaps lost when the cache is copied.
    let plain = fs::symlink_metadata(pointer).is_ok_and(|meta| meta.is_file());
    let made = (symlinks && !plain && symlink(&target(blob, file), &temporary).is_ok())
        || fs::hard_link(blob, &temporary).is_ok()
        || (needed && fs::copy(blob, &temporary).is_ok());
    let from = if made { &temporary } else { blob };
    fs::rename(from, pointer).map_err(|error| {
        if made {
            let _ = fs::remove_file(&temporary);
        }
        HubError::io("link", pointer)(error)
    })
}

/// `../../blobs/<etag>`, with one more `..` for each directory in the file's own name.
fn target(blob: &Path, file: &str) -> PathBuf {
    let ups = 2 + file.matches('/').count();
    let mut target: PathBuf = std::iter::repeat_n("..", ups).collect();
    target.push("blobs");
    target.push(blob.file_name().unwrap_or_default());
    target
}

#[cfg(unix)]
fn symlink(target: &Path, at: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(target, at)
}

#[cfg(windows)]
fn symlink(target: &Path, at: &Path) -> std::io::Result<()> {
    std::os::windows::fs::symlink_file(target, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_linking_leads_to_the_contents() {
        for (symlinks, file) in [
            (true, "a.json"),
            (true, "sub/dir/a.json"),
            (false, "sub/a.json"),
        ] {
            let dir = tempfile::tempdir().unwrap();
            let blob = dir.path().join("blobs/abc");
            fs::create_dir_all(blob.parent().unwrap()).unwrap();
            fs::write(&blob, "x").unwrap();
            let pointer = dir.path().join("snapshots/c0").join(file);
            // A dangling link from a cleaned cache is replaced.
            fs::create_dir_all(pointer.parent().unwrap()).unwrap();
            #[cfg(unix)]
            std::os::unix::fs::symlink("nowhere", &pointer).unwrap();
            place(&blob, &pointer, file, symlinks, false).unwrap();
            place(&blob, &pointer, file, symlinks, false).unwrap();
            assert_eq!(fs::read_to_string(&pointer).unwrap(), "x");
            if cfg!(unix) && symlinks {
                assert!(fs::read_link(&pointer).unwrap().is_relative());
            }
            assert_eq!(fs::read_dir(pointer.parent().unwrap()).unwrap().count(), 1);
        }
    }
}
