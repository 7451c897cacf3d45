//! Models that are whole in the cache, found without the network.

use std::path::Path;

use serde_json::Value;

use super::Hub;
use crate::cache::RepoCache;
use crate::fit::known_here;
use crate::local::{LocalModel, ModelFiles, Source};
use crate::name::{Part, RepoName};
use crate::quantization;
use crate::select::{self, WEIGHTS_INDEX};

/// An index of shards larger than this is none.
const LARGEST_INDEX: u64 = 64 << 20;

impl Hub {
    /// The repository's files if all that the name needs is in the cache.
    pub(crate) fn cached_repo(&self, name: &RepoName) -> Option<LocalModel> {
        let repo = RepoCache::new(&self.config.cache_dir, &name.id);
        let commit = repo.commit_of(name.revision())?;
        let files = repo.files(&commit);
        let root = repo.snapshot(&commit);
        let found = match &name.part {
            Part::Whole if select::is_complete(&files, || shards(&root)) => {
                ModelFiles::Directory(root)
            }
            // A directory that is begun and not whole is not mistaken for a GGUF repository.
            Part::Whole if files.iter().any(|f| f == "config.json" || f == WEIGHTS_INDEX) => {
                return None;
            }
            _ => ModelFiles::Gguf(root.join(self.gguf(name, &root, &files)?)),
        };
        Some(LocalModel {
            name: name.to_string(),
            files: found,
            source: Source::Cache,
            revision: Some(commit),
            ollama: None,
        })
    }
}

/// The shards that `model.safetensors.index.json` names.
pub(crate) fn shards(root: &Path) -> Option<Vec<String>> {
    let path = root.join(WEIGHTS_INDEX);
    if std::fs::metadata(&path).ok()?.len() > LARGEST_INDEX {
        return None;
    }
    parse_shards(&std::fs::read(path).ok()?)
}

/// The same from the text of that file.
pub(crate) fn parse_shards(text: &[u8]) -> Option<Vec<String>> {
    let index: Value = serde_json::from_slice(text).ok()?;
    let map = index.get("weight_map")?.as_object()?;
    let mut shards: Vec<String> =
        map.values().filter_map(|v| v.as_str().map(str::to_owned)).collect();
    shards.sort();
    shards.dedup();
    Some(shards)
}

impl Hub {
    /// The first file of the GGUF model that the name means, among those that are there.
    fn gguf(&self, name: &RepoName, root: &Path, files: &[String]) -> Option<String> {
        let sized: Vec<_> = files
            .iter()
            .map(|f| (f.as_str(), std::fs::metadata(root.join(f)).ok().map(|m| m.len())))
            .collect();
        let choices = quantization::gguf_choices(sized);
        let choice = match &name.part {
            Part::Whole => {
                let known = known_here(root, &choices);
                quantization::best(&choices, &|choice| self.fits(choice, &known))?
            }
            // Part of a label may fit one file here and two on the Hub: only the whole label is
            // enough.
            Part::Quantization(wanted) => {
                let wanted = wanted.to_ascii_uppercase();
                choices
                    .iter()
                    .find(|c| c.label == wanted || c.label.strip_prefix("UD-") == Some(&wanted))?
            }
            Part::File(file) => choices.iter().find(|c| c.files.contains(file))?,
        };
        Some(choice.files[0].clone())
    }
}
