//! `modules.json`: the chain of modules.

use std::path::{Component, Path, PathBuf};

use scaffold_error::{Notice, Topic, err};
use serde::Deserialize;

use super::{Module, Pooling, dense, pooling, read_json};
use crate::error::Error;

/// The kinds of modules that are known, for messages.
const KNOWN: &str = "Transformer, Pooling, Dense, LayerNorm, Normalize, Dropout";

pub(super) struct Chain {
    pub(super) transformer: PathBuf,
    pub(super) modules: Vec<Module>,
}

#[derive(Deserialize)]
struct ModuleEntry {
    #[serde(default)]
    path: String,
    #[serde(rename = "type")]
    class: String,
}

pub(super) fn read(directory: &Path, notices: &mut Vec<Notice>) -> Result<Chain, Error> {
    let file = directory.join("modules.json");
    let Some(entries) = read_json::<Vec<ModuleEntry>>(&file)? else {
        let text = format!(
            "{} has no modules.json: it was not made for embeddings. Mean pooling is used, as sentence-transformers would",
            directory.display()
        );
        notices.push(Notice::new(Topic::Files, text));
        return Ok(Chain {
            transformer: directory.to_owned(),
            modules: vec![Module::Pooling(Pooling::mean())],
        });
    };
    let mut entries = entries.into_iter().enumerate();
    let transformer = match entries.next() {
        Some((_, first)) if kind(&first.class) == "Transformer" => {
            inside(directory, &file, &first.path)?
        }
        other => {
            let found = other.map_or_else(
                || ", and the list is empty".to_owned(),
                |(_, entry)| format!(", not {}", entry.class),
            );
            return Err(err!(
                Unsupported,
                "the first module must be a Transformer{found}\n  what it means: static and sparse embeddings are not computed \
                 here"
            )
            .in_file(file));
        }
    };
    let mut modules = Vec::new();
    for (position, entry) in entries {
        let place = inside(directory, &file, &entry.path)?;
        match kind(&entry.class) {
            "Pooling" => modules.push(Module::Pooling(pooling::read(&place)?)),
            "Dense" => modules.push(Module::Dense(dense::read(&place)?)),
            "LayerNorm" => modules.push(Module::LayerNorm(dense::read_layer_norm(&place)?)),
            "Normalize" => modules.push(Module::Normalize),
            // It only acts while training.
            "Dropout" => {}
            _ => {
                let class = entry.class;
                return Err(err!(
                    Unsupported,
                    "module {position} is a {class}, which this version does not compute\n  accepted: {KNOWN}"
                )
                .in_file(file));
            }
        }
    }
    let poolings = modules.iter().filter(|module| matches!(module, Module::Pooling(_))).count();
    if poolings != 1 || !matches!(modules.first(), Some(Module::Pooling(_))) {
        return Err(no_pooling(poolings).in_file(file));
    }
    Ok(Chain { transformer, modules })
}

/// The chain's second module is not its only pooling.
pub(crate) fn no_pooling(poolings: usize) -> Error {
    err!(
        Unsupported,
        "the module after the Transformer must be the only Pooling (there are {poolings})\n  what it means: the model gives a \
         vector for each token, or is of a kind that this version does not know"
    )
}

/// The directory of the transformer, where a repository may have several parts; the repository
/// itself where it says nothing of parts.
pub(crate) fn transformer(directory: &Path) -> Result<PathBuf, Error> {
    let file = directory.join("modules.json");
    let entries = read_json::<Vec<ModuleEntry>>(&file)?.unwrap_or_default();
    match entries.first() {
        Some(first) if kind(&first.class) == "Transformer" => inside(directory, &file, &first.path),
        _ => Ok(directory.to_owned()),
    }
}

/// The class without its package: the packages were renamed more than once.
fn kind(class: &str) -> &str {
    class.rsplit('.').next().unwrap_or(class)
}

/// A module's directory. Its path comes from the repository and must not lead out of it.
fn inside(directory: &Path, file: &Path, path: &str) -> Result<PathBuf, Error> {
    let plain = Path::new(path)
        .components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if plain && !path.contains('\\') {
        Ok(if path.is_empty() { directory.to_owned() } else { directory.join(path) })
    } else {
        Err(err!(
            Damaged,
            "the module path {path:?} leads out of the repository; nothing was read there"
        )
        .in_file(file))
    }
}
