//! Giving a blob its place in a snapshot.

use std::path::{Path, PathBuf};
use std::{fs, io};

use scaffold_error::Error;

use crate::disk::is_same_file;

/// Names that are tried before somebody is believed to take them all.
const MOST_NAMES: usize = 16;

/// Makes `pointer` lead to `blob`: a relative link, else a hard link, else the blob itself is moved
/// there, or copied if it is `needed` for another file.
///
/// What is at `pointer` and is not that blob is replaced; a file that is no link by one that is
/// none. There is never a second copy of the contents, except when the platform has neither kind of
/// link and several files have them.
pub(crate) fn place(
    blob: &Path,
    pointer: &Path,
    file: &str,
    symlinks: bool,
    needed: bool,
) -> Result<(), Error> {
    // There already, and not dangling or damaged.
    if is_same_file(blob, pointer) {
        return Ok(());
    }
    let parent = pointer.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
    // In a cache without links a link would be the only one, and perhaps lost when the cache is
    // copied.
    let plain = fs::symlink_metadata(pointer).is_ok_and(|meta| meta.is_file());
    let target = (symlinks && !plain).then(|| target(blob, file));
    let made = link_beside(blob, target.as_deref(), needed, || scaffold_files::beside(pointer));
    let made = made.map_err(Error::io("link", pointer))?;
    let from = made.as_deref().unwrap_or(blob);
    fs::rename(from, pointer).map_err(|error| {
        if let Some(temporary) = &made {
            let _ = fs::remove_file(temporary);
        }
        Error::io("link", pointer)(error)
    })
}

/// Makes what leads to `blob` under a name out of `names`; `None` where the platform has no way to.
/// A name that is taken says nothing about that, so another one is tried.
fn link_beside(
    blob: &Path,
    target: Option<&Path>,
    needed: bool,
    mut names: impl FnMut() -> PathBuf,
) -> io::Result<Option<PathBuf>> {
    let mut taken = io::Error::from(io::ErrorKind::AlreadyExists);
    for _ in 0..MOST_NAMES {
        let name = names();
        match link_at(blob, target, needed, &name) {
            Ok(made) => return Ok(made.then_some(name)),
            Err(error) => taken = error,
        }
    }
    Err(taken)
}

/// Whether one of the ways worked. The only error is that `name` is taken.
fn link_at(blob: &Path, target: Option<&Path>, needed: bool, name: &Path) -> io::Result<bool> {
    let by_symlink = || target.map(|target| symlink(target, name));
    let by_copy = || needed.then(|| copy(blob, name));
    let ways: [&dyn Fn() -> Option<io::Result<()>>; 3] =
        [&by_symlink, &|| Some(fs::hard_link(blob, name)), &by_copy];
    for way in ways {
        match way() {
            Some(Ok(())) => return Ok(true),
            Some(Err(error)) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    Ok(false)
}

/// Copies to a name that must be free. Half a copy does not stay.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let (mut source, mut copy) = (fs::File::open(from)?, fs::File::create_new(to)?);
    io::copy(&mut source, &mut copy).map(drop).inspect_err(|_| drop(fs::remove_file(to)))
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
fn symlink(target: &Path, at: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, at)
}

#[cfg(windows)]
fn symlink(target: &Path, at: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_file(target, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_linking_leads_to_the_contents() {
        for (symlinks, file) in [(true, "a.json"), (true, "sub/dir/a.json"), (false, "sub/a.json")]
        {
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

    #[test]
    fn a_name_that_is_taken_moves_no_blob() {
        let dir = tempfile::tempdir().unwrap();
        let blob = dir.path().join("blobs/abc");
        let pointer = dir.path().join("snapshots/c0/a.json");
        for parent in [&blob, &pointer].map(|path| path.parent().unwrap()) {
            fs::create_dir_all(parent).unwrap();
        }
        fs::write(&blob, "x").unwrap();
        // Another container's process of the same number is in the middle of the same.
        for number in 0..4096 {
            let name = format!(".{}-{number}.incomplete", std::process::id());
            fs::write(crate::disk::with_suffix(&pointer, &name), "").unwrap();
        }
        place(&blob, &pointer, "a.json", true, false).unwrap();
        assert!(blob.exists(), "the blob was moved");
        assert!(cfg!(not(unix)) || fs::read_link(&pointer).is_ok());

        let taken = dir.path().join("taken");
        fs::write(&taken, "other").unwrap();
        let free = dir.path().join("free");
        let target = Path::new("blobs/abc");
        for (target, needed) in [(Some(target), false), (None, false), (None, true)] {
            let mut names = [&taken, &free].into_iter().cloned();
            let made = link_beside(&blob, target, needed, || names.next().unwrap());
            assert_eq!(made.unwrap().as_ref(), Some(&free));
            assert_eq!(fs::read_to_string(&free).unwrap(), "x");
            fs::remove_file(&free).unwrap();
        }
        let error = link_beside(&blob, Some(target), true, || taken.clone()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&taken).unwrap(), "other");
    }
}
