//! Everything that the cache holds of one repository, and which names lead to the same contents.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::cache::RepoCache;
use crate::disk::UNFINISHED;
use crate::name::RepoId;

/// Everything that the cache holds of one repository.
pub(crate) struct Inventory {
    pub(crate) repo: RepoCache,
    pub(crate) snapshots: Vec<Snapshot>,
    pub(crate) blobs: Vec<Blob>,
    /// Unfinished downloads, with their sizes.
    pub(crate) unfinished: Vec<(PathBuf, u64)>,
}

pub(crate) struct Snapshot {
    pub(crate) commit: String,
    pub(crate) dir: PathBuf,
    pub(crate) refs: Vec<String>,
    pub(crate) files: Vec<File>,
}

/// A file of a snapshot.
pub(crate) struct File {
    /// Its path in the repository.
    pub(crate) path: String,
    pub(crate) pointer: PathBuf,
    pub(crate) bytes: u64,
    pub(crate) identity: Identity,
}

pub(crate) struct Blob {
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
    pub(crate) identity: Identity,
    /// It is a link into the store that several repositories share; removing it frees nothing by
    /// itself.
    pub(crate) shared: bool,
}

/// What makes two names the same contents: the place on the disk that both lead to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Identity {
    #[cfg(unix)]
    Inode(u64, u64),
    #[cfg(not(unix))]
    Path(PathBuf),
}

impl Identity {
    fn of(path: &Path) -> Option<Identity> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let meta = fs::metadata(path).ok()?;
            Some(Identity::Inode(meta.dev(), meta.ino()))
        }
        #[cfg(not(unix))]
        {
            fs::canonicalize(path).ok().map(Identity::Path)
        }
    }
}

impl Inventory {
    pub(crate) fn read(cache: &Path, id: &RepoId) -> Inventory {
        let repo = RepoCache::new(cache, id);
        let mut by_commit = refs(&repo.dir().join("refs"));
        let mut snapshots = Vec::new();
        for dir in directories(&repo.dir().join("snapshots")) {
            let commit = dir.file_name().and_then(|n| n.to_str()).unwrap_or("").to_owned();
            let refs = by_commit.remove(&commit).unwrap_or_default();
            let files = crate::cache::files_below(&dir).into_iter().filter_map(|path| {
                let pointer = dir.join(&path);
                let bytes = fs::metadata(&pointer).ok()?.len();
                Some(File { path, bytes, identity: Identity::of(&pointer)?, pointer })
            });
            let files = files.collect();
            snapshots.push(Snapshot { commit, dir, refs, files });
        }
        // The commit of `main` is what its user thinks of as the model; contents shared with others
        // are counted there.
        snapshots.sort_by_key(|s| !s.refs.iter().any(|r| r == "main"));
        let (mut blobs, mut unfinished) = (Vec::new(), Vec::new());
        let mut entries: Vec<PathBuf> = fs::read_dir(repo.dir().join("blobs"))
            .into_iter()
            .flatten()
            .flatten()
            .map(|e| e.path())
            .collect();
        entries.sort();
        for path in entries {
            let Ok(meta) = fs::metadata(&path) else {
                continue;
            };
            if path.to_string_lossy().ends_with(UNFINISHED) {
                unfinished.push((path, meta.len()));
            } else if let Some(identity) = Identity::of(&path).filter(|_| meta.is_file()) {
                let shared = fs::symlink_metadata(&path).is_ok_and(|m| m.is_symlink());
                blobs.push(Blob { path, bytes: meta.len(), identity, shared });
            }
        }
        Inventory { repo, snapshots, blobs, unfinished }
    }
}

fn directories(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let mut dirs: Vec<PathBuf> = entries.map(|e| e.path()).filter(|p| p.is_dir()).collect();
    dirs.sort();
    dirs
}

/// Branches and tags by the commit that they stand for.
fn refs(root: &Path) -> BTreeMap<String, Vec<String>> {
    let mut by_commit: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for name in crate::cache::files_below(root) {
        if let Ok(commit) = fs::read_to_string(root.join(&name)) {
            by_commit.entry(commit.trim().to_owned()).or_default().push(name);
        }
    }
    by_commit
}
