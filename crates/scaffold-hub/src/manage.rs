//! What is on the disk: listing, removing, verifying, tidying up.

mod inventory;
mod prune;
mod remove;
mod roots;
mod verify;

use std::path::PathBuf;

pub use prune::Pruned;
pub use remove::Removal;
pub use verify::{Damage, Verified};

use crate::hub::Hub;
use crate::name::{OllamaName, RepoId};
use crate::quantization;
use crate::select;
use crate::{ollama, package};
use inventory::Inventory;

/// A model on this disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredModel {
    /// The name by which it can be run.
    pub name: String,
    /// Where it lies.
    pub place: Place,
    /// The commit, for a repository.
    pub revision: Option<String>,
    /// Branches and tags that stand for that commit here.
    pub refs: Vec<String>,
    /// In which form its weights are.
    pub format: Format,
    /// Quantization labels of its GGUF files.
    pub quantizations: Vec<String>,
    /// Bytes on the disk; contents that several snapshots share are counted once, at the first of
    /// them.
    pub bytes: u64,
    /// Whether everything is there that running it needs.
    pub complete: bool,
    /// Its directory or file.
    pub path: PathBuf,
    /// What a model of one's own is made from, by name.
    pub from: Option<String>,
}

/// Where a model lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The cache that is shared with Python.
    Cache,
    /// Unpacked from a package index.
    Package,
    /// Ollama's store.
    Ollama,
    /// The models of one's own.
    Made,
}

/// In which form weights are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// safetensors files.
    Safetensors,
    /// GGUF files.
    Gguf,
    /// Neither, or none at all.
    Other,
}

impl Format {
    /// As it is shown.
    pub fn name(self) -> &'static str {
        match self {
            Format::Safetensors => "safetensors",
            Format::Gguf => "gguf",
            Format::Other => "-",
        }
    }
}

impl Hub {
    /// All models on this disk, by name. Where there is no place for a cache, none is in it.
    pub fn list(&self) -> Vec<StoredModel> {
        let mut entries = self.list_cache();
        entries.extend(self.list_packages());
        entries.extend(self.list_ollama());
        entries.extend(self.list_made());
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        entries
    }

    fn list_cache(&self) -> Vec<StoredModel> {
        let mut entries = Vec::new();
        for (id, inventory) in self.inventories() {
            let mut counted = std::collections::HashSet::new();
            for snapshot in &inventory.snapshots {
                let files: Vec<String> = snapshot.files.iter().map(|f| f.path.clone()).collect();
                let sized = snapshot.files.iter().map(|f| (f.path.as_str(), Some(f.bytes)));
                let choices = quantization::gguf_choices(sized);
                let whole = select::is_complete(&files, || select::shards(&snapshot.dir));
                let main = snapshot.refs.iter().any(|r| r == "main");
                let revision = if main {
                    String::new()
                } else {
                    format!("@{}", snapshot.refs.first().unwrap_or(&snapshot.commit))
                };
                entries.push(StoredModel {
                    name: format!("{id}{revision}"),
                    place: Place::Cache,
                    revision: Some(snapshot.commit.clone()),
                    refs: snapshot.refs.clone(),
                    format: format_of(&files),
                    quantizations: choices
                        .iter()
                        .map(|c| c.label.clone())
                        .filter(|l| !l.is_empty())
                        .collect(),
                    bytes: snapshot
                        .files
                        .iter()
                        .filter(|f| counted.insert(f.identity.clone()))
                        .map(|f| f.bytes)
                        .sum(),
                    complete: whole
                        || (!choices.is_empty() && !files.iter().any(|f| f == "config.json")),
                    path: snapshot.dir.clone(),
                    from: None,
                });
            }
        }
        entries
    }

    pub(crate) fn inventories(&self) -> Vec<(RepoId, Inventory)> {
        let read = |id: RepoId| {
            let inventory = Inventory::read(self.config.hub_cache().ok()?, &id);
            Some((id, inventory))
        };
        self.repositories().into_iter().filter_map(read).collect()
    }

    /// The repositories that the cache has directories of.
    fn repositories(&self) -> Vec<RepoId> {
        let entries = self.config.hub_cache().ok().and_then(|cache| std::fs::read_dir(cache).ok());
        let mut names: Vec<String> = entries
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|e| e.file_name().into_string().ok())
            .collect();
        names.sort();
        let repo = |folder: &String| {
            RepoId::parse(&folder.strip_prefix("models--")?.replace("--", "/")).ok()
        };
        names.iter().filter_map(repo).collect()
    }

    fn list_packages(&self) -> Vec<StoredModel> {
        let found = |source: &package::PackageSource| {
            let model = package::unpacked(&self.config, source)?;
            let paths: Vec<String> = source.members.iter().map(|m| m.path.clone()).collect();
            Some(StoredModel {
                name: source.repo.clone(),
                place: Place::Package,
                revision: Some(format!("{} {}", source.package, source.version)),
                refs: Vec::new(),
                format: format_of(&paths),
                quantizations: paths.iter().filter_map(|p| quantization::label_of(p)).collect(),
                bytes: source.members.iter().map(|m| m.size).sum(),
                complete: true,
                path: model.files.path().to_owned(),
                from: None,
            })
        };
        package::table().iter().filter_map(found).collect()
    }

    fn list_ollama(&self) -> Vec<StoredModel> {
        let found = |name: &OllamaName| {
            let model = ollama::find(&self.config.ollama_dirs, name).ok()?;
            let path = model.files.path().to_owned();
            Some(StoredModel {
                name: name.to_string(),
                place: Place::Ollama,
                revision: None,
                refs: Vec::new(),
                format: Format::Gguf,
                quantizations: model.ollama.and_then(|o| o.quantization).into_iter().collect(),
                bytes: std::fs::metadata(&path).map_or(0, |m| m.len()),
                complete: true,
                path,
                from: None,
            })
        };
        ollama::list(&self.config.ollama_dirs).iter().filter_map(found).collect()
    }
}

fn format_of(files: &[String]) -> Format {
    let any = |wanted: &str| {
        files.iter().any(|f| {
            std::path::Path::new(f).extension().is_some_and(|e| e.eq_ignore_ascii_case(wanted))
        })
    };
    if any("safetensors") {
        Format::Safetensors
    } else if any("gguf") {
        Format::Gguf
    } else {
        Format::Other
    }
}
