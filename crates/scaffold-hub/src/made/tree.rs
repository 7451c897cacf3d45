//! The files of a model under their names, made of blobs.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use scaffold_error::{Error, err};
use sha2::{Digest as _, Sha256};

use super::blobs;
use super::record::blob;
use crate::cache::link;
use crate::digest;

/// The beginning of a GGUF file.
const MAGIC: &[u8; 4] = b"GGUF";

/// The directory of these files: models with the same files have the same one.
pub(super) fn dir(root: &Path, files: &BTreeMap<String, String>) -> PathBuf {
    let mut hasher = Sha256::new();
    for (name, digest) in files {
        // Neither has a line break.
        hasher.update(format!("{digest} {name}\n"));
    }
    root.join(digest::hex(&hasher.finalize()))
}

/// Puts the files into their directory, whole or not at all.
pub(super) fn build(
    root: &Path,
    blobs_dir: &Path,
    files: &BTreeMap<String, String>,
) -> Result<(), Error> {
    let dir = dir(root, files);
    if dir.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(root).map_err(Error::io("create", root))?;
    let temporary = scaffold_files::beside(&dir);
    let built = fill(&temporary, blobs_dir, files)
        .and_then(|()| fs::rename(&temporary, &dir).map_err(Error::io("rename", &dir)));
    if built.is_err() {
        let _ = fs::remove_dir_all(&temporary);
    }
    built
}

fn fill(dir: &Path, blobs_dir: &Path, files: &BTreeMap<String, String>) -> Result<(), Error> {
    for (name, digest) in files {
        let from = blob(digest).map(|digest| blobs::path_of(blobs_dir, &digest));
        let from = from.filter(|from| from.is_file()).ok_or_else(|| missing(name, digest))?;
        link::place(&from, &dir.join(called(name, &from, files.len())), name, false, true)?;
    }
    Ok(())
}

/// A file of weights that comes alone may have any name; in the directory it has one that is known
/// as such.
fn called(name: &str, contents: &Path, count: usize) -> String {
    let named = Path::new(name).extension().is_some_and(|end| end.eq_ignore_ascii_case("gguf"));
    if count == 1 && !named && begins_as_gguf(contents) {
        return "model.gguf".to_owned();
    }
    name.to_owned()
}

fn begins_as_gguf(path: &Path) -> bool {
    use std::io::Read as _;
    let mut magic = [0; 4];
    fs::File::open(path).and_then(|mut file| file.read_exact(&mut magic)).is_ok() && magic == *MAGIC
}

/// A file that a model is to be made of is not there.
pub(super) fn missing(name: &str, digest: &str) -> Error {
    err!(NotFound, "the contents of {name:?} ({digest}) are not here: bring them first")
        .of_key("files")
        .remedy(format!("send them: POST /api/blobs/{digest}"))
}
