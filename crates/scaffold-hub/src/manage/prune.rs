//! Tidying up: what no name leads to any more.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use scaffold_error::Error;

use super::inventory::Inventory;
use super::roots::Roots;
use crate::cache::lock::{self, Lock};
use crate::disk::UNFINISHED;
use crate::hub::Hub;
use crate::name::RepoId;

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

/// What is to be removed in one place, and the locks that keep others from it until that is done.
#[derive(Default)]
struct Plan {
    pruned: Pruned,
    paths: Vec<PathBuf>,
    locks: Vec<Lock>,
}

impl Hub {
    /// Removes unfinished downloads, snapshots that no branch or tag stands for, and contents that
    /// no snapshot leads to. With `dry_run` nothing is touched and the answer is the same.
    ///
    /// # Errors
    /// When something cannot be removed; [`Kind::Usage`](scaffold_error::Kind::Usage) where there is no
    /// place for a cache.
    pub fn prune(&self, dry_run: bool) -> Result<Pruned, Error> {
        self.config.any_cache()?;
        let mut pruned = Pruned::default();
        let roots = (!dry_run).then(|| Roots::of(&self.config));
        // One repository after the other: each lock is an open file, and there may be no more than
        // a thousand.
        for id in self.repositories() {
            match self.plan_repository(&id, dry_run) {
                Some(plan) => pruned.add(plan, roots.as_ref())?,
                None => pruned.busy.push(id.to_string()),
            }
        }
        pruned.add(self.plan_packages(), roots.as_ref())?;
        Ok(pruned)
    }

    /// What is to be removed of a repository; `None` while a process downloads into it.
    fn plan_repository(&self, id: &RepoId, dry_run: bool) -> Option<Plan> {
        let repo = self.repo(id).ok()?;
        let mut locks = lock::hold_all(&repo.lock_dir()).ok()?;
        // Read under the locks: what was unfinished before may be a blob by now.
        let inventory = Inventory::read(self.config.hub_cache().ok()?, id);
        let mut plan = plan(&inventory);
        if !dry_run {
            // Where a lock file has gone or never was, a download could still begin.
            for path in plan.contents() {
                let lock = repo.lock_dir().join(format!("{}.lock", etag(path)));
                if !lock.exists() {
                    locks.push(Lock::try_take(&lock).ok()??);
                }
            }
        }
        plan.locks = locks;
        Some(plan)
    }

    fn plan_packages(&self) -> Plan {
        let Ok(dir) = self.config.package_cache() else {
            return Plan::default();
        };
        let Ok(locks) = lock::hold_all(dir) else {
            return Plan::default();
        };
        let mut plan = Plan { locks, ..Plan::default() };
        let all = crate::cache::all_below(dir).into_iter();
        for path in all.filter(|p| {
            p.to_string_lossy().ends_with(UNFINISHED) || p.extension().is_some_and(|e| e == "whl")
        }) {
            plan.unfinished(&path, fs::metadata(&path).map_or(0, |m| m.len()));
        }
        plan
    }
}

/// What names a blob's lock: the part of its name that its unfinished forms share.
fn etag(path: &Path) -> &str {
    let name = path.file_name().and_then(|name| name.to_str());
    name.and_then(|name| name.split('.').next()).unwrap_or("")
}

fn plan(inventory: &Inventory) -> Plan {
    let mut plan = Plan::default();
    for (path, bytes) in &inventory.unfinished {
        plan.unfinished(path, *bytes);
    }
    // Without any ref, every snapshot was asked for by its commit: none of them is left over.
    let any_ref = inventory.snapshots.iter().any(|s| !s.refs.is_empty());
    let (kept, stale): (Vec<_>, Vec<_>) =
        inventory.snapshots.iter().partition(|s| !any_ref || !s.refs.is_empty());
    let used: HashSet<_> = kept.iter().flat_map(|s| &s.files).map(|f| &f.identity).collect();
    let mut counted = HashSet::new();
    for snapshot in stale {
        plan.pruned.snapshots.push(snapshot.dir.clone());
        for file in &snapshot.files {
            if !used.contains(&file.identity) && counted.insert(&file.identity) {
                plan.pruned.freed += file.bytes;
            }
        }
        plan.paths.extend(crate::cache::all_below(&snapshot.dir));
        let listing = format!("{}.json", snapshot.commit);
        let listing = inventory.repo.dir().join("listings").join(listing);
        plan.paths.extend(listing.is_file().then_some(listing));
    }
    for blob in inventory.blobs.iter().filter(|b| !used.contains(&b.identity)) {
        if counted.insert(&blob.identity) {
            plan.pruned.freed += blob.bytes;
        }
        // What lies in the shared store is not ours to count.
        if blob.shared {
            plan.pruned.freed -= blob.bytes;
        }
        plan.pruned.blobs.push(blob.path.clone());
        plan.paths.push(blob.path.clone());
    }
    plan
}

impl Plan {
    fn unfinished(&mut self, path: &Path, bytes: u64) {
        self.pruned.freed += bytes;
        self.pruned.unfinished.push(path.to_owned());
        self.paths.push(path.to_owned());
    }

    /// Contents, finished or not.
    fn contents(&self) -> impl Iterator<Item = &Path> {
        let both = self.pruned.unfinished.iter().chain(&self.pruned.blobs);
        both.map(PathBuf::as_path)
    }
}

impl Pruned {
    /// Carries a plan out, unless nothing is to be touched (without `roots`), and counts it in.
    fn add(&mut self, plan: Plan, roots: Option<&Roots>) -> Result<(), Error> {
        if let Some(roots) = roots {
            for path in &plan.paths {
                fs::remove_file(path).map_err(Error::io("remove", path))?;
                roots.remove_empty_parents(path);
            }
            for dir in plan.pruned.snapshots.iter().filter(|dir| roots.may_go(dir)) {
                let _ = fs::remove_dir(dir);
            }
        }
        drop(plan.locks);
        self.unfinished.extend(plan.pruned.unfinished);
        self.snapshots.extend(plan.pruned.snapshots);
        self.blobs.extend(plan.pruned.blobs);
        self.freed += plan.pruned.freed;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HubConfig;
    use crate::cache::RepoCache;

    #[test]
    fn the_locks_are_held_until_all_is_removed() {
        let home = tempfile::tempdir().unwrap();
        let hub = Hub::new(HubConfig::new(home.path()));
        let id = RepoId::parse("org/model").unwrap();
        let repo = RepoCache::new(&hub.config.cache_dir, &id);
        let blobs = repo.dir().join("blobs");
        fs::create_dir_all(&blobs).unwrap();
        // One as a run of ours leaves it, one as Python does, and contents that no snapshot leads
        // to.
        for name in ["aa.scaffold.incomplete", "bb.incomplete", "cc"] {
            fs::write(blobs.join(name), "x").unwrap();
        }
        let lock = |etag: &str| repo.lock_dir().join(format!("{etag}.lock"));
        drop(Lock::try_take(&lock("aa")).unwrap());
        let plan = hub.plan_repository(&id, false).unwrap();
        for etag in ["aa", "bb", "cc"] {
            let taken = Lock::try_take(&lock(etag)).unwrap();
            assert!(taken.is_none(), "{etag} could be downloaded meanwhile");
        }
        drop(plan);
        let other = Lock::try_take(&lock("bb")).unwrap();
        assert!(other.is_some());
        assert_eq!(hub.prune(false).unwrap().busy, ["org/model"]);
        drop(other);
        let pruned = hub.prune(false).unwrap();
        assert_eq!((pruned.freed, pruned.unfinished.len()), (3, 2));
        assert!(!blobs.exists());
    }
}
