//! Models that are whole in the cache, found without the network.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::Hub;
use crate::fit::{HEAD, Head, Known};
use crate::local::{LocalModel, ModelFiles, Source};
use crate::name::{Part, RepoName};
use crate::quantization::{self, GgufChoice};
use crate::select::{self, WEIGHTS_INDEX};

impl Hub {
    /// The repository's files if all that the name needs is in the cache.
    pub(crate) fn cached_repo(&self, name: &RepoName) -> Option<LocalModel> {
        let repo = self.repo(&name.id).ok()?;
        let commit = repo.commit_of(name.revision())?;
        let files = repo.files(&commit);
        let root = repo.snapshot(&commit);
        let found = match &name.part {
            Part::Whole if select::is_complete(&files, || select::shards(&root)) => {
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
            made: None,
        })
    }
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

/// What a directory tells of GGUF files in it.
fn known_here(root: &Path, choices: &[GgufChoice]) -> Known {
    let head = choices.first().and_then(|choice| {
        let (file, mut bytes) = (choice.files[0].clone(), Vec::new());
        let start = File::open(root.join(&file)).ok()?.take(HEAD);
        { start }.read_to_end(&mut bytes).ok()?;
        Some(Head { file, bytes })
    });
    Known { config: None, head }
}
