//! What is written down about a tested model: where it came from, and exactly which files it is.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use scaffold_hub::{LocalModel, ModelFiles, Silent};
use sha2::{Digest as _, Sha256};

use super::{Run, Seen, fact};
use crate::builder::FromModel;
use crate::config::Config;
use crate::error::Error;
use crate::locate::hub_client;
use crate::machine::{bytes_text, peak_memory};
use crate::model::Model;
use crate::options::LoadOptions;
use crate::report::{Model as Tested, ModelFile};

/// Files of which the hash is taken by reading them; of larger ones only where the cache names them
/// by it.
const MOST_HASHED: u64 = 1 << 30;

impl Run<'_> {
    /// Finds a model and writes it down; why not, where it cannot be used.
    pub(super) fn find(&mut self, role: &str, name: &str) -> Result<LocalModel, String> {
        let found = self.locate(name);
        self.report.models.push(match &found {
            Ok(model) => described(role, name, model),
            Err(_) => Tested {
                role: role.to_owned(),
                name: name.to_owned(),
                source: None,
                revision: None,
                files: Vec::new(),
                facts: Vec::new(),
            },
        });
        found
    }

    fn locate(&mut self, name: &str) -> Result<LocalModel, String> {
        let first_line = |error: &Error| {
            let text = error.to_string();
            text.lines().next().unwrap_or_default().to_owned()
        };
        let hub = hub_client(self.config);
        let parsed = hub.name(name).map_err(|error| first_line(&error))?;
        let found = if self.fetch {
            hub.resolve(&parsed, self.progress).map(Some)
        } else {
            hub.cached(&parsed)
        };
        match found {
            Ok(Some(model)) => Ok(model),
            Ok(None) => Err(format!(
                "{name} is not on this disk (`scaffold pull {name}` brings it, or --fetch)"
            )),
            Err(error) => Err(first_line(&error)),
        }
    }

    /// Adds what was learnt about the model that was found last.
    pub(super) fn learnt(&mut self, facts: Vec<(String, String)>) {
        if let Some(model) = self.report.models.last_mut() {
            model.facts.extend(facts);
        }
    }
}

/// Loads a model that was found; `weights` tells what it weighs.
pub(super) fn load<T: FromModel>(
    model: &LocalModel,
    config: &Config,
    seen: &mut Seen,
    weights: fn(&T) -> usize,
) -> Result<T, Error> {
    let started = Instant::now();
    let opened = Model::open(model, &LoadOptions::from(config))?;
    let loaded = T::from_model(&opened, config, Vec::new(), &mut Silent)?;
    let seconds = started.elapsed().as_secs_f64();
    let weights = bytes_text(weights(&loaded) as u64);
    seen.good = true;
    seen.text = format!("loaded in {seconds:.2} s, {weights} of weights");
    if let Some(peak) = peak_memory() {
        let peak = format!("{} at most so far", bytes_text(peak));
        seen.evidence.push(fact("memory of the process", peak));
    }
    Ok(loaded)
}

fn described(role: &str, name: &str, model: &LocalModel) -> Tested {
    let files = match &model.files {
        ModelFiles::Directory(directory) => listed(directory),
        ModelFiles::Gguf(path) => vec![(file_name(path), path.clone())],
    };
    Tested {
        role: role.to_owned(),
        name: if model.name == name { name.to_owned() } else { format!("{name} ({})", model.name) },
        source: Some(model.source.to_string()),
        revision: model.revision.as_ref().map(|commit| commit.as_str().to_owned()),
        files: files.into_iter().filter_map(|(name, path)| hashed(name, &path)).collect(),
        facts: Vec::new(),
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// The weights, tokenizers and configurations in a directory and one level below, by name.
fn listed(directory: &Path) -> Vec<(String, PathBuf)> {
    let mut files = Vec::new();
    let mut add = |directory: &Path, prefix: &str| {
        let mut below = Vec::new();
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = format!("{prefix}{}", file_name(&path));
            if path.is_dir() {
                below.push((path, name + "/"));
            } else if is_part_of_the_model(&path) {
                files.push((name, path));
            }
        }
        below
    };
    for (below, name) in add(directory, "") {
        add(&below, &name);
    }
    files.sort();
    files
}

fn is_part_of_the_model(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    matches!(ending, Some("safetensors" | "gguf" | "json" | "model" | "jinja" | "tiktoken"))
}

fn hashed(name: String, path: &Path) -> Option<ModelFile> {
    let bytes = fs::metadata(path).ok()?.len();
    let sha256 = match named_hash(path) {
        Some(hash) => hash,
        None if bytes > MOST_HASHED => "not taken: the file is large".to_owned(),
        None => sha256(path).unwrap_or_else(|error| format!("not taken: {error}")),
    };
    Some(ModelFile { name, bytes, sha256 })
}

/// The cache's files are links to contents that are named by their hash, which was checked when
/// they were fetched.
fn named_hash(path: &Path) -> Option<String> {
    let name = file_name(&fs::canonicalize(path).ok()?);
    let is_hash = name.len() == 64 && name.bytes().all(|b| b.is_ascii_hexdigit());
    is_hash.then_some(name)
}

fn sha256(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        hash.update(&buffer[..read]);
    }
    let mut text = String::with_capacity(64);
    for byte in hash.finalize() {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_listed_with_their_hashes() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("1_Pooling")).unwrap();
        for name in ["config.json", "1_Pooling/config.json", "README.md"] {
            fs::write(directory.path().join(name), "abc").unwrap();
        }
        let files: Vec<ModelFile> = listed(directory.path())
            .into_iter()
            .filter_map(|(name, path)| hashed(name, &path))
            .collect();
        let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["1_Pooling/config.json", "config.json"]);
        assert_eq!(
            files[0].sha256,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
