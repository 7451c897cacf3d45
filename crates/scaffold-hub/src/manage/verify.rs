//! Hashing everything anew.

use std::collections::HashSet;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use scaffold_error::{Error, Kind};

use super::inventory::Inventory;
use crate::access::in_short;
use crate::cache::read_tree;
use crate::commit::Commit;
use crate::digest::Digest;
use crate::hub::Hub;
use crate::listing::RepoFile;
use crate::name::RepoId;
use crate::package;
use crate::progress::{Event, Progress, stopped};

/// What hashing the cache came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// Files that were hashed.
    pub files: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Those that are not what they should be.
    pub damaged: Vec<Damage>,
    /// Those of which nobody here knows what they should be: files of caches without links, whose
    /// hashes only the Hub has, where it was not asked or does not know them.
    pub unverified: Vec<PathBuf>,
}

/// A file that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The model that it belongs to.
    pub model: String,
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: String,
}

impl Hub {
    /// Hashes the contents of every model (or of the one whose repository is `only`) and compares
    /// with their names; files that lie in a snapshot themselves are compared with a listing of
    /// their commit, for which the Hub is asked where none is kept. Nothing is changed: `rm` and
    /// `pull` the damaged ones.
    ///
    /// # Errors
    /// [`Kind::Cancelled`], and [`Kind::Usage`] where there is no place for a cache; a file that cannot be read is reported as damaged.
    pub fn verify(
        &self,
        only: Option<&str>,
        progress: &mut dyn Progress,
    ) -> Result<Verified, Error> {
        self.config.any_cache()?;
        let mut verified = Verified::default();
        for (id, inventory) in self.inventories() {
            if only.is_some_and(|only| only != id.as_str()) {
                continue;
            }
            for blob in &inventory.blobs {
                let name = blob.path.file_name().and_then(|n| n.to_str()).unwrap_or("");
                let expected = Digest::parse(name);
                verified.one(id.as_str(), &blob.path, expected.as_ref(), progress)?;
            }
            self.verify_copies(&id, &inventory, &mut verified, progress)?;
            let dangling = |pointer: &PathBuf| std::fs::metadata(pointer).is_err();
            for snapshot in &inventory.snapshots {
                for pointer in crate::cache::all_below(&snapshot.dir).into_iter().filter(dangling) {
                    verified.damaged.push(Damage {
                        model: id.to_string(),
                        path: pointer,
                        problem: "it leads to a file that is not there".into(),
                    });
                }
            }
        }
        for source in package::table() {
            let skipped = only.is_some_and(|only| only != source.repo);
            if skipped || package::unpacked(&self.config, source).is_none() {
                continue;
            }
            for member in &source.members {
                let path = source.dir(&self.config.packages_dir).join(&member.path);
                verified.one(
                    &source.repo,
                    &path,
                    Digest::parse(&member.sha256).as_ref(),
                    progress,
                )?;
            }
        }
        Ok(verified)
    }
}

impl Hub {
    /// The files of snapshots that no blob stands behind.
    fn verify_copies(
        &self,
        id: &RepoId,
        inventory: &Inventory,
        verified: &mut Verified,
        progress: &mut dyn Progress,
    ) -> Result<(), Error> {
        let blobs: HashSet<_> = inventory.blobs.iter().map(|blob| &blob.identity).collect();
        for snapshot in &inventory.snapshots {
            let copies: Vec<_> =
                snapshot.files.iter().filter(|file| !blobs.contains(&file.identity)).collect();
            if copies.is_empty() {
                continue;
            }
            let listing = self.listing_of(id, inventory, &snapshot.commit, progress)?;
            for copy in copies {
                let listed = listing.iter().find(|file| file.path == copy.path);
                match listed.and_then(|file| file.digest.as_ref()) {
                    Some(digest) => {
                        verified.one(id.as_str(), &copy.pointer, Some(digest), progress)?;
                    }
                    None => verified.unverified.push(copy.pointer.clone()),
                }
            }
        }
        Ok(())
    }

    /// What a commit consists of: by a listing that is kept, else by the Hub; empty where neither
    /// tells.
    fn listing_of(
        &self,
        id: &RepoId,
        inventory: &Inventory,
        commit: &str,
        progress: &mut dyn Progress,
    ) -> Result<Vec<RepoFile>, Error> {
        let Some(commit) = Commit::parse(commit) else {
            return Ok(Vec::new());
        };
        if let Some(files) = read_tree(&inventory.repo, &commit) {
            return Ok(files);
        }
        if self.config.offline {
            return Ok(Vec::new());
        }
        let connect = Some(self.config.timeouts.connect_with_fallback);
        match self.listing(id, commit.as_str(), connect, progress) {
            Ok(listing) => Ok(listing.files),
            Err(error) if error.kind() == Kind::Cancelled => Err(error),
            Err(error) => {
                let reason = in_short(&error);
                progress.event(&Event::notice(format!(
                    "the Hub cannot tell what {id} should be: {reason}"
                )));
                Ok(Vec::new())
            }
        }
    }
}

impl Verified {
    fn one(
        &mut self,
        model: &str,
        path: &Path,
        expected: Option<&Digest>,
        progress: &mut dyn Progress,
    ) -> Result<(), Error> {
        if progress.cancelled() {
            return Err(stopped());
        }
        progress.event(&Event::Verifying {
            file: format!("{model} {}", path.file_name().unwrap_or_default().to_string_lossy()),
        });
        let mut damaged = |problem: String| {
            self.damaged.push(Damage { model: model.to_owned(), path: path.to_owned(), problem });
        };
        let Some(expected) = expected else {
            damaged("its name is no hash, so there is nothing to compare with".into());
            return Ok(());
        };
        let hashed = File::open(path).and_then(|file| {
            let size = file.metadata()?.len();
            Ok((size, expected.of_same_kind(BufReader::new(file), size, |_| ())?))
        });
        match hashed {
            Ok((size, got)) => {
                if got != *expected {
                    damaged(format!("its hash is {got}"));
                }
                self.files += 1;
                self.bytes += size;
            }
            Err(error) => damaged(format!("it cannot be read ({error})")),
        }
        Ok(())
    }
}
