//! Tidying up: what no name leads to any more.

use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;

use super::remove::remove_empty_parents;
use crate::cache::lock;
use crate::download::UNFINISHED;
use crate::error::HubError;
use crate::hub::Hub;

/// What was tidied up, or would be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Unfinished downloads.
    pub unfinished: Vec<PathBuf>,
    /// Snapshots that no branch or tag stands for any more: older commits.
    pub snapshots: Vec<PathBuf>,
    /// Contents that no snapshot leads to.
    pub blobs: Vec<PathBuf>,
    /// Bytes that become free.
    pub freed: u64,
    /// Repositories that were left alone because a process downloads into them.
    pub busy: Vec<String>,
}

impl Hub {
    /// Removes unfinished downloads, snapshots that no branch or tag stands for, and contents that no snapshot leads to.
    /// With `dry_run` nothing is touched and the answer is the same.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub fn prune(&self, dry_run: bool) -> Result<Pruned, HubError> {
        let mut pruned = Pruned::default();
        let mut paths = Vec::new();
        for (id, inventory) in self.inventories() {
            if lock::any_held(&inventory.repo.lock_dir()).is_some() {
                pruned.busy.push(id.to_string());
                continue;
            }
            for (path, bytes) in &inventory.unfinished {
                pruned.freed += bytes;
                pruned.unfinished.push(path.clone());
                paths.push(path.clone());
            }
            // Without any ref, every snapshot was asked for by its commit: none of them is left over.
            let any_ref = inventory.snapshots.iter().any(|s| !s.refs.is_empty());
            let (kept, stale): (Vec<_>, Vec<_>) = inventory
                .snapshots
                .iter()
                .partition(|s| !any_ref || !s.refs.is_empty());
            let used: HashSet<_> = kept
                .iter()
                .flat_map(|s| &s.files)
                .map(|f| &f.identity)
                .collect();
            let mut counted = HashSet::new();
            for snapshot in stale {
                pruned.snapshots.push(snapshot.dir.clone());
                for file in &snapshot.files {
                    if !used.contains(&file.identity) && counted.insert(&file.identity) {
                        pruned.freed += file.bytes;
                    }
                }
                paths.extend(crate::cache::all_below(&snapshot.dir));
                let listing = format!("{}.json", snapshot.commit);
                let listing = inventory.repo.dir().join("listings").join(listing);
                paths.extend(listing.is_file().then_some(listing));
            }
            for blob in inventory
                .blobs
                .iter()
                .filter(|b| !used.contains(&b.identity))
            {
                if counted.insert(&blob.identity) {
                    pruned.freed += blob.bytes;
                }
                // What lies in the shared store is not ours to count.
                if blob.shared {
                    pruned.freed -= blob.bytes;
                }
                pruned.blobs.push(blob.path.clone());
                paths.push(blob.path.clone());
            }
        }
        for path in self.unfinished_packages() {
            pruned.freed += fs::metadata(&path).map_or(0, |m| m.len());
            pruned.unfinished.push(path.clone());
            paths.push(path);
        }
        if !dry_run {
            for path in &paths {
                fs::remove_file(path).map_err(HubError::io("remove", path))?;
                remove_empty_parents(path);
            }
            for dir in &pruned.snapshots {
                let _ = fs::remove_dir(dir);
            }
        }
        Ok(pruned)
    }

    fn unfinished_packages(&self) -> Vec<PathBuf> {
        let dir = &self.config.packages_dir;
        if lock::any_held(dir).is_some() {
            return Vec::new();
        }
        let all = crate::cache::all_below(dir).into_iter();
        all.filter(|p| {
            p.to_string_lossy().ends_with(UNFINISHED) || p.extension().is_some_and(|e| e == "whl")
        })
        .collect()
    }
}
