//! `huggingface_hub`'s cache: what is where, read and written exactly as Python does.
//!
//! ```text
//! hub/
//! ├── CACHEDIR.TAG
//! ├── .locks/models--org--name/<etag>.lock
//! └── models--org--name/
//!     ├── blobs/<etag>                      contents, named by sha256 or git-sha1; may link into a shared store
//!     ├── snapshots/<commit>/<path>         links to ../../blobs/<etag>
//!     ├── refs/<branch, tag or refs/pr/N>   a commit
//!     ├── .no_exist/<commit>/<path>         known to be absent
//!     ├── trees/<commit>.json               a file listing (newer Pythons; read, not written)
//!     └── listings/<commit>.json            the same, written by us
//! ```
//!
//! Writing keeps two orders. A blob gets its name only when it is verified. A snapshot's links are
//! made only when all of its blobs are there, and the ref last; so a snapshot of ours is whole or
//! absent, wherever the process is killed.

pub(crate) mod link;
pub(crate) mod lock;
mod tree;

use std::fs;
use std::path::{Path, PathBuf};

pub(crate) use tree::{parse_tree, read_tree, write_tree};

use scaffold_error::Error;

use crate::commit::Commit;
use crate::digest::Digest;
use crate::disk;
use crate::name::{RepoId, is_safe_path};

/// One repository's directory in the cache. Nothing need exist.
#[derive(Debug, Clone)]
pub(crate) struct RepoCache {
    cache: PathBuf,
    folder: String,
}

const TAG: &str = "Signature: 8a477f597d28d172789f06886806bc55
# This file is a cache directory tag created by huggingface_hub and the programs that share its cache.
# For information about cache directory tags, see:
#	https://bford.info/cachedir/
";

impl RepoCache {
    pub(crate) fn new(cache: &Path, id: &RepoId) -> RepoCache {
        RepoCache {
            cache: cache.to_owned(),
            folder: format!("models--{}", id.as_str().replace('/', "--")),
        }
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.cache.join(&self.folder)
    }

    pub(crate) fn blob(&self, digest: &Digest) -> PathBuf {
        self.dir().join("blobs").join(digest.hex())
    }

    pub(crate) fn snapshot(&self, commit: &Commit) -> PathBuf {
        self.dir().join("snapshots").join(commit.as_str())
    }

    pub(crate) fn lock(&self, digest: &Digest) -> PathBuf {
        self.cache.join(".locks").join(&self.folder).join(format!("{}.lock", digest.hex()))
    }

    /// The commit that a branch, tag or full commit stands for, as far as the cache knows.
    pub(crate) fn commit_of(&self, revision: &str) -> Option<Commit> {
        if let Some(commit) = Commit::parse(revision) {
            return Some(commit);
        }
        if !is_safe_path(revision) {
            return None;
        }
        let text = fs::read_to_string(self.dir().join("refs").join(revision)).ok()?;
        Commit::parse(text.trim())
    }

    /// Whether the cache knows that the file does not exist in that commit.
    pub(crate) fn is_known_absent(&self, commit: &Commit, file: &str) -> bool {
        self.dir().join(".no_exist").join(commit.as_str()).join(file).exists()
    }

    /// Creates what a Python scan expects of every repository, before the first byte arrives.
    pub(crate) fn prepare(&self, commit: &Commit) -> Result<(), Error> {
        let dirs = [self.dir().join("blobs"), self.dir().join("refs"), self.snapshot(commit)];
        for dir in &dirs {
            fs::create_dir_all(dir).map_err(Error::io("create", dir))?;
        }
        let tag = self.cache.join("CACHEDIR.TAG");
        if !tag.exists() {
            // Only keeps back-ups from copying the cache; the download does not depend on it.
            let _ = fs::write(tag, TAG);
        }
        Ok(())
    }

    /// Notes which commit a branch or tag stands for. A full commit needs no note.
    pub(crate) fn write_ref(&self, revision: &str, commit: &Commit) -> Result<(), Error> {
        if revision == commit.as_str() {
            return Ok(());
        }
        let path = self.dir().join("refs").join(revision);
        if fs::read_to_string(&path).is_ok_and(|old| old == commit.as_str()) {
            return Ok(());
        }
        disk::write_atomically(&path, commit.as_str().as_bytes())
    }

    /// The paths of all files of a snapshot that are really there, with `/` between their parts.
    pub(crate) fn files(&self, commit: &Commit) -> Vec<String> {
        files_below(&self.snapshot(commit))
    }

    pub(crate) fn lock_dir(&self) -> PathBuf {
        self.cache.join(".locks").join(&self.folder)
    }
}

/// The paths of all finished files below `dir`, relative to it, with `/` between their parts. Links
/// are followed (two hops included: a blob may itself be one); a link whose end is missing is no
/// file.
pub(crate) fn files_below(dir: &Path) -> Vec<String> {
    let there = |path: &PathBuf| fs::metadata(path).is_ok_and(|meta| meta.is_file());
    let relative = |path: &PathBuf| {
        let parts: Option<Vec<&str>> =
            path.strip_prefix(dir).ok()?.iter().map(|part| part.to_str()).collect();
        Some(parts?.join("/"))
    };
    let finished = |path: &String| !path.ends_with(disk::UNFINISHED);
    all_below(dir).iter().filter(|p| there(p)).filter_map(relative).filter(finished).collect()
}

/// All entries below `dir` that are no directories, links unfollowed.
pub(crate) fn all_below(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(dir, 0, &mut found);
    found.sort();
    found
}

fn collect(dir: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(dir) else {
        return;
    };
    for entry in entries.flatten() {
        if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.push(entry.path());
        } else if depth < 16 {
            collect(&entry.path(), depth + 1, found);
        }
    }
}
