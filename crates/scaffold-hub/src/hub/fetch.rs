//! A repository from the Hub, or from a package index where the Hub cannot be reached.

use std::path::PathBuf;

use scaffold_error::{Error, Kind, Remedy, err};

use super::Hub;
use super::copies::Sorted;
use crate::access::{Diagnosis, Refusal};
use crate::cache::{RepoCache, link, write_tree};
use crate::disk;
use crate::download::Job;
use crate::http::Reply;
use crate::listing::Listing;
use crate::local::{LocalModel, ModelFiles, Source};
use crate::name::{ModelName, Part, RepoName};
use crate::package;
use crate::progress::{Event, Progress};
use crate::quantization::GgufChoice;
use crate::select::{self, Selection};
use crate::transfer::{self, Held, Task};

/// What is to be done to have a repository's files.
pub(crate) struct Plan {
    pub(crate) listing: Listing,
    pub(crate) selection: Selection,
    pub(crate) repo: RepoCache,
    /// All files of the selection; those that are there already, too.
    pub(crate) tasks: Vec<Task>,
}

impl Hub {
    /// Fetches what the name needs and is not there yet.
    pub(crate) fn fetch(
        &self,
        name: &RepoName,
        progress: &mut dyn Progress,
    ) -> Result<LocalModel, Error> {
        if self.config.offline {
            let found = self.cached(&ModelName::Repo(name.clone()))?;
            let found = found.ok_or_else(|| self.not_here(name))?;
            return self.completed(name, found, progress);
        }
        // Before anybody is asked.
        self.config.hub_cache()?;
        let package = package::table().iter().find(|p| p.repo == name.id.as_str());
        let package = package.filter(|_| name.part == Part::Whole && name.revision.is_none());
        let connect = package.map(|_| self.config.timeouts.connect_with_fallback);
        let error = match self.plan(name, connect, progress) {
            Ok(plan) => return self.carry_out(name, plan, progress),
            Err(error) => error,
        };
        let unreachable = |refusal: &&Refusal| refusal.diagnosis.is_unreachable();
        match (error.cause().filter(unreachable), package) {
            (Some(refusal), Some(package)) => {
                progress.event(&Event::notice(refusal.what()));
                package::fetch(&self.config, package, progress)
                    .map_err(|index| neither(refusal, index))
            }
            _ => Err(self.with_candidates(name, error, progress)),
        }
    }

    /// Not in the cache, and the network is not to be used.
    pub(crate) fn not_here(&self, name: &RepoName) -> Error {
        let cache = match self.config.hub_cache() {
            Ok(cache) => cache.display(),
            Err(nowhere) => return nowhere,
        };
        err!(Unavailable, "`{name}` is not in the cache ({cache}) and offline mode is on")
            .steps([Remedy::GoOnline, Remedy::Pull(name.to_string())])
    }

    /// Asks the Hub and decides which files are needed.
    pub(crate) fn plan(
        &self,
        name: &RepoName,
        connect: Option<std::time::Duration>,
        progress: &mut dyn Progress,
    ) -> Result<Plan, Error> {
        let endpoint = self.endpoint()?;
        progress
            .event(&Event::Resolving { model: name.to_string(), host: endpoint.host().to_owned() });
        let mut listing = self.listing(&name.id, name.revision(), connect, progress)?;
        self.fill_in(name, &mut listing, progress)?;
        if listing.id != name.id.as_str() {
            progress.event(&Event::notice(format!("{} is now called {}", name.id, listing.id)));
        }
        let sized: Vec<_> = listing.files.iter().map(|f| (f.path.as_str(), f.size)).collect();
        let known = self.known(name, &listing);
        let fits = |choice: &GgufChoice| self.fits(choice, &known);
        let selection = select::select(name, &sized, &fits)?;
        if let Selection::Gguf { choice, chosen: true } = &selection {
            let label = if choice.label.is_empty() { &choice.files[0] } else { &choice.label };
            let needs = self.fit(choice, &known).map(|fit| fit.clause());
            progress.event(&Event::notice(format!(
                "{} has several quantizations; {label} is taken (write {}:LABEL for another){}",
                name.id,
                name.id,
                needs.unwrap_or_default()
            )));
        }
        let repo = self.repo(&name.id)?;
        let tasks = self.tasks(name, &mut listing, &selection, &repo)?;
        Ok(Plan { listing, selection, repo, tasks })
    }

    fn tasks(
        &self,
        name: &RepoName,
        listing: &mut Listing,
        selection: &Selection,
        repo: &RepoCache,
    ) -> Result<Vec<Task>, Error> {
        let token = self.token()?;
        let mut tasks = Vec::new();
        for path in selection.files() {
            let Some(at) = listing.files.iter().position(|f| f.path == *path) else {
                continue;
            };
            let url = self.file_url(name, listing, path)?;
            if listing.files[at].digest.is_none() {
                listing.files[at] = self.hash_of(name, listing, &listing.files[at])?;
            }
            let file = &listing.files[at];
            let Some(digest) = file.digest.clone() else {
                continue;
            };
            let job = Job {
                file: path.clone(),
                url,
                authorization: token.map(|t| format!("Bearer {}", t.reveal())),
                size: file.size,
                dest: repo.blob(&digest),
                digest: digest.clone(),
                mark: None,
            };
            tasks.push(Task { job, lock: Held::At(repo.lock(&digest)) });
        }
        Ok(tasks)
    }

    pub(super) fn carry_out(
        &self,
        name: &RepoName,
        plan: Plan,
        progress: &mut dyn Progress,
    ) -> Result<LocalModel, Error> {
        let Plan { listing, selection, repo, tasks } = plan;
        let mut sorted = Sorted::of(tasks, &repo, &listing.commit, progress)?;
        let missing = std::mem::take(&mut sorted.missing);
        let source = if missing.is_empty() {
            Source::Cache
        } else {
            Source::Hub(self.endpoint()?.host().to_owned())
        };
        let places: Vec<_> = sorted.blobs.iter().chain(&missing).map(place_of).collect();
        if !missing.is_empty() {
            progress.event(&Event::Source(source.to_string()));
            let bytes: u64 = missing.iter().filter_map(|t| t.job.size).sum();
            progress.event(&Event::Planned {
                files: missing.len(),
                bytes,
                present: sorted.present(),
            });
            let begun: u64 = missing.iter().map(|t| t.job.bytes_present()).sum();
            disk::require_space(&repo.dir(), bytes.saturating_sub(begun))?;
            repo.prepare(&listing.commit)?;
            let refuse = |reply: &Reply, job: &Job| self.refused_file(name, reply, job);
            transfer::fetch_all(&self.config, &self.http, dedup(missing), &refuse, progress)?;
        }
        repo.prepare(&listing.commit)?;
        let root = repo.snapshot(&listing.commit);
        for (at, (file, blob)) in places.iter().enumerate() {
            let needed = places[at + 1..].iter().any(|(_, other)| other == blob);
            let pointer = root.join(file);
            link::place(blob, &pointer, file, self.config.symlinks, needed)?;
        }
        write_tree(&repo, &listing.commit, &listing.files);
        repo.write_ref(name.revision(), &listing.commit)?;
        let files = match &selection {
            Selection::Directory(_) => ModelFiles::Directory(root),
            Selection::Gguf { choice, .. } => ModelFiles::Gguf(root.join(&choice.files[0])),
        };
        Ok(LocalModel {
            name: name.to_string(),
            files,
            source,
            revision: Some(listing.commit),
            ollama: None,
            made: None,
        })
    }

    /// A refusal of a single file is one of the whole repository, mostly; in the other cases the
    /// file is named.
    fn refused_file(&self, name: &RepoName, reply: &Reply, job: &Job) -> Error {
        match self.refusal(name.id.as_str(), reply) {
            Ok(mut refusal) => {
                if let Diagnosis::FileNotFound { file, .. } = &mut refusal.diagnosis {
                    file.clone_from(&job.file);
                }
                refusal.into()
            }
            Err(error) => error,
        }
    }
}

/// Neither the Hub nor the package index could serve.
fn neither(hub: &Refusal, index: Error) -> Error {
    if index.kind() == Kind::Cancelled {
        return index;
    }
    let remedies = [hub.steps(), index.remedies().to_vec()].concat();
    err!(
        Unavailable,
        "the Hub: {hub}\nthe Python package index, tried instead: {}",
        index.sentence()
    )
    .steps(remedies)
    .because(hub.clone())
}

/// A file's name, and the blob that it is to lead to.
fn place_of(task: &Task) -> (String, PathBuf) {
    (task.job.file.clone(), task.job.dest.clone())
}

/// Files with the same contents are fetched once.
fn dedup(tasks: Vec<Task>) -> Vec<Task> {
    let mut seen = std::collections::HashSet::new();
    tasks.into_iter().filter(|t| seen.insert(t.job.dest.clone())).collect()
}
