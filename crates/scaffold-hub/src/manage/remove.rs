//! Removing models.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use scaffold_error::{Error, err};

use super::inventory::{Identity, Inventory};
use super::roots::Roots;
use crate::cache::{RepoCache, lock};
use crate::hub::{Hub, unknown_name};
use crate::name::{ModelName, Part, RepoName};
use crate::quantization;
use crate::{ollama, package};

/// What was removed, or would be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Removal {
    /// Files and links, in the order they go.
    pub paths: Vec<PathBuf>,
    /// Bytes that become free. Contents that something else still uses are not counted.
    pub freed: u64,
    /// Bytes that stay because another revision or repository uses them.
    pub kept: u64,
}

impl Hub {
    /// Removes a model from this disk: a repository with all of its revisions, one revision (`@…`),
    /// one quantization (`:…`) or one file. With `dry_run` nothing is touched and the answer is the
    /// same.
    ///
    /// # Errors
    /// [`Kind::NotFound`](scaffold_error::Kind::NotFound) when it is not here,
    /// [`Kind::Refused`](scaffold_error::Kind::Refused) for Ollama's models and the user's own files,
    /// [`Kind::Busy`](scaffold_error::Kind::Busy) while a process downloads it,
    /// [`Kind::Usage`](scaffold_error::Kind::Usage) where there is no place for a cache.
    pub fn remove(&self, name: &ModelName, dry_run: bool) -> Result<Removal, Error> {
        let repo = match name {
            ModelName::Repo(repo) => repo,
            ModelName::Ollama(o) => {
                ollama::find(&self.config.ollama_dirs, o)?;
                return Err(err!(
                    Refused,
                    "`{name}` is not Scaffold's to remove: remove it with `ollama rm {}`",
                    name.to_string().trim_start_matches("ollama:")
                ));
            }
            ModelName::Made(made) => {
                let (paths, freed, kept) = self.config.made_models()?.remove(made, dry_run)?;
                return Ok(Removal { paths, freed, kept });
            }
            ModelName::Local(path) => {
                return Err(err!(
                    Refused,
                    "`{}` is not Scaffold's to remove: it is a file of yours; remove it yourself if you mean it",
                    path.display()
                ));
            }
        };
        let packages: Vec<PathBuf> = self.package_dirs(repo);
        let cache = match self.config.hub_cache() {
            // Models from packages may have a place where those of the Hub have none.
            Err(_) if !packages.is_empty() => None,
            cache => Some(cache?),
        };
        let lock_dir = cache.map(|cache| RepoCache::new(cache, &repo.id).lock_dir());
        // Held until all is removed, and taken before it is looked what there is.
        let locks = lock_dir.as_deref().map(lock::hold_all).transpose();
        let inventory = cache.map(|cache| Inventory::read(cache, &repo.id));
        let mut removal =
            inventory.as_ref().map(|inventory| plan(inventory, repo)).unwrap_or_default();
        if removal.paths.is_empty() && packages.is_empty() {
            return Err(unknown_name(name, &self.candidates(repo.id.as_str(), false)));
        }
        let _locks = locks.map_err(|lock| {
            err!(
                Busy,
                "`{name}` is being downloaded by another process (it holds {}). Wait for it, or stop it first",
                lock.display()
            )
            .of_file(lock)
        })?;
        for dir in packages {
            for path in crate::cache::files_below(&dir) {
                let path = dir.join(path);
                removal.freed += fs::metadata(&path).map_or(0, |m| m.len());
                removal.paths.push(path);
            }
        }
        if !dry_run {
            let roots = Roots::of(&self.config);
            remove_files(&removal.paths, &roots)?;
            if let (Some(inventory), Some(lock_dir)) = (&inventory, &lock_dir) {
                remove_bookkeeping(inventory, lock_dir, &roots)?;
            }
        }
        Ok(removal)
    }

    fn package_dirs(&self, repo: &RepoName) -> Vec<PathBuf> {
        let Ok(packages) = self.config.package_cache() else {
            return Vec::new();
        };
        let whole = repo.part == Part::Whole && repo.revision.is_none();
        let of_repo = package::table().iter().filter(|p| whole && p.repo == repo.id.as_str());
        of_repo.map(|p| p.dir(packages)).filter(|dir| dir.is_dir()).collect()
    }
}

fn plan(inventory: &Inventory, name: &RepoName) -> Removal {
    let everything = name.part == Part::Whole && name.revision.is_none();
    let commit = name
        .revision
        .as_ref()
        .map(|r| inventory.repo.commit_of(r).map_or_else(|| r.clone(), |c| c.to_string()));
    let meant = |snapshot: &&super::inventory::Snapshot| {
        commit.as_ref().is_none_or(|c| {
            *c == snapshot.commit || (c.len() >= 7 && snapshot.commit.starts_with(c.as_str()))
        })
    };
    let mut gone: HashSet<&Path> = HashSet::new();
    let mut removal = Removal::default();
    for snapshot in inventory.snapshots.iter().filter(meant) {
        let sized = snapshot.files.iter().map(|f| (f.path.as_str(), Some(f.bytes)));
        let choices = quantization::gguf_choices(sized);
        let wanted: Option<HashSet<String>> = match &name.part {
            Part::Whole => None,
            Part::Quantization(label) => Some(
                quantization::matching(&choices, label)
                    .into_iter()
                    .flat_map(|c| c.files.clone())
                    .collect(),
            ),
            Part::File(file) => Some(
                choices
                    .iter()
                    .filter(|c| c.files.contains(file))
                    .flat_map(|c| c.files.clone())
                    .collect(),
            ),
        };
        for file in &snapshot.files {
            if wanted.as_ref().is_none_or(|w| w.contains(&file.path)) {
                gone.insert(&file.pointer);
                removal.paths.push(file.pointer.clone());
            }
        }
        if wanted.is_none() && !everything {
            removal
                .paths
                .extend(snapshot.refs.iter().map(|r| inventory.repo.dir().join("refs").join(r)));
        }
    }
    let pointers = || inventory.snapshots.iter().flat_map(|s| &s.files);
    let touched: HashSet<&Identity> =
        pointers().filter(|f| gone.contains(f.pointer.as_path())).map(|f| &f.identity).collect();
    let still_used: HashSet<&Identity> =
        pointers().filter(|f| !gone.contains(f.pointer.as_path())).map(|f| &f.identity).collect();
    let mut shared: HashSet<&Identity> = HashSet::new();
    for blob in &inventory.blobs {
        if everything || (touched.contains(&blob.identity) && !still_used.contains(&blob.identity))
        {
            removal.paths.push(blob.path.clone());
            if blob.shared {
                shared.insert(&blob.identity);
            }
        }
    }
    // Each place on the disk counts once, however many names lead to it.
    let mut counted: HashSet<&Identity> = HashSet::new();
    let blobs = inventory
        .blobs
        .iter()
        .filter(|b| everything || touched.contains(&b.identity))
        .map(|b| (&b.identity, b.bytes));
    let files =
        pointers().filter(|f| touched.contains(&f.identity)).map(|f| (&f.identity, f.bytes));
    for (identity, bytes) in blobs.chain(files) {
        if counted.insert(identity) {
            if still_used.contains(identity) || shared.contains(identity) {
                removal.kept += bytes;
            } else {
                removal.freed += bytes;
            }
        }
    }
    if everything {
        removal.paths.extend(inventory.unfinished.iter().map(|(path, _)| path.clone()));
        removal.freed += inventory.unfinished.iter().map(|(_, bytes)| bytes).sum::<u64>();
    }
    removal
}

fn remove_files(paths: &[PathBuf], roots: &Roots) -> Result<(), Error> {
    for path in paths {
        match fs::remove_file(path) {
            Ok(()) => {}
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(Error::io("remove", path)(e)),
        }
    }
    for path in paths {
        roots.remove_empty_parents(path);
    }
    Ok(())
}

/// What is left of a repository without files: refs, listings, known absences, locks.
fn remove_bookkeeping(inventory: &Inventory, lock_dir: &Path, roots: &Roots) -> Result<(), Error> {
    let fresh = inventory.snapshots.iter().all(|s| crate::cache::files_below(&s.dir).is_empty());
    if fresh && inventory.blobs.iter().all(|b| !b.path.exists()) {
        let dir = inventory.repo.dir();
        if dir.is_dir() && roots.may_go(&dir) {
            fs::remove_dir_all(&dir).map_err(Error::io("remove", &dir))?;
        }
        if roots.may_go(lock_dir) {
            let _ = fs::remove_dir_all(lock_dir);
        }
    }
    Ok(())
}
