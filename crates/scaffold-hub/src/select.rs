//! Which of a repository's files a model needs.

mod shards;
#[cfg(test)]
mod tests;

pub(crate) use shards::{parse_shards, shards};

use std::fmt::Display;

use scaffold_error::{Error, Kind, err};
use scaffold_files::{TOKENIZER_FILES, has_tokenizer, is_tokenizer_file};

use crate::name::{Part, RepoName};
use crate::quantization::{self, GgufChoice};

/// The files that a model needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Selection {
    /// Configuration, tokenizer and safetensors weights.
    Directory(Vec<String>),
    /// One GGUF file, or the parts of a split one; `chosen` when it was not asked for by name.
    Gguf { choice: GgufChoice, chosen: bool },
}

impl Selection {
    pub(crate) fn files(&self) -> &[String] {
        match self {
            Selection::Directory(files) => files,
            Selection::Gguf { choice, .. } => &choice.files,
        }
    }
}

/// Small files that are fetched with safetensors weights when the repository has them, beside those
/// of the tokenizer; those that matter most first.
const COMPANIONS: [&str; 14] = [
    "config.json",
    "chat_template.jinja",
    "generation_config.json",
    "modules.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    "preprocessor_config.json",
    "README.md",
    "LICENSE",
    "LICENSE.txt",
];

/// Files with a fixed name that change what a model answers or computes, where a repository has
/// them.
pub(crate) fn companions() -> impl Iterator<Item = &'static str> {
    let all = COMPANIONS.into_iter().chain(TOKENIZER_FILES);
    all.filter(|file| !is_documentation(file))
}

/// Whether a file is there for people alone.
pub(crate) fn is_documentation(file: &str) -> bool {
    file == "README.md" || file.starts_with("LICENSE")
}

const WEIGHTS: &str = "model.safetensors";
pub(crate) const WEIGHTS_INDEX: &str = "model.safetensors.index.json";

/// Chooses from a listing of names and sizes.
pub(crate) fn select(
    name: &RepoName,
    files: &[(&str, Option<u64>)],
    fits: &dyn Fn(&GgufChoice) -> bool,
) -> Result<Selection, Error> {
    let choices = quantization::gguf_choices(files.iter().copied());
    match &name.part {
        Part::Whole if has_safetensors(files) => Ok(Selection::Directory(directory(files))),
        Part::Whole => match quantization::best(&choices, fits) {
            Some(choice) => {
                Ok(Selection::Gguf { choice: choice.clone(), chosen: choices.len() > 1 })
            }
            None => Err(no_weights(name, &other_weights(files))),
        },
        Part::Quantization(wanted) => {
            let matching = quantization::matching(&choices, wanted);
            one(name, wanted, &matching, &choices, |c| c.label.clone())
        }
        Part::File(file) => {
            let matching: Vec<_> = choices.iter().filter(|c| c.files.contains(file)).collect();
            one(name, file, &matching, &choices, |c| c.files[0].clone())
        }
    }
}

fn one(
    name: &RepoName,
    wanted: &str,
    matching: &[&GgufChoice],
    all: &[GgufChoice],
    shown: impl Fn(&GgufChoice) -> String,
) -> Result<Selection, Error> {
    if let [choice] = matching {
        return Ok(Selection::Gguf { choice: (*choice).clone(), chosen: false });
    }
    if all.is_empty() {
        return Err(err!(
            NotFound,
            "{repo} has no GGUF files, so there is no `{wanted}` in it. Leave that part out to use its safetensors weights, or \
             look for a GGUF conversion of the model (often named {repo}-GGUF)",
            repo = name.id
        ));
    }
    // Two files of one label can only be told apart by their names.
    let same_label = matching.len() > 1 && matching.iter().all(|c| c.label == matching[0].label);
    let list = |choices: &mut dyn Iterator<Item = &GgufChoice>| -> Vec<String> {
        choices
            .map(|c| if same_label || c.label.is_empty() { c.files[0].clone() } else { shown(c) })
            .collect()
    };
    let matching = list(&mut matching.iter().copied());
    Err(not_one(&name.id, wanted, &matching, &list(&mut all.iter())))
}

/// No GGUF file, or more than one, fits what was asked for.
pub(crate) fn not_one(
    place: &dyn Display,
    wanted: &str,
    matching: &[String],
    available: &[String],
) -> Error {
    let (kind, has) = match matching {
        [] => (Kind::NotFound, "no GGUF file".to_owned()),
        many => (Kind::Usage, format!("more than one GGUF file ({})", many.join(", "))),
    };
    let text = format!("{place} has {has} for `{wanted}`. It has: {}", available.join(", "));
    Error::new(kind, text)
}

fn no_weights(name: &RepoName, found: &[String]) -> Error {
    let advice = match found {
        [] => ". Choose a repository that has `model.safetensors` or a `.gguf` file".to_owned(),
        found => format!(
            "; it only has {}. Files of that kind can run code when they are read, or belong to other software; look for a \
             conversion to safetensors or GGUF of the same model",
            found.join(", ")
        ),
    };
    err!(
        Unsupported,
        "{} has no weights in a format that can be used (safetensors or GGUF){advice}",
        name.id
    )
}

pub(crate) fn has_safetensors(files: &[(&str, Option<u64>)]) -> bool {
    files.iter().any(|(f, _)| *f == WEIGHTS || *f == WEIGHTS_INDEX)
}

fn directory(files: &[(&str, Option<u64>)]) -> Vec<String> {
    let single = files.iter().any(|(f, _)| *f == WEIGHTS);
    let needed = |file: &str| {
        COMPANIONS.contains(&file)
            || is_template(file)
            || is_module_file(file)
            || is_tokenizer_file(file)
            || if single { file == WEIGHTS } else { file == WEIGHTS_INDEX || is_shard(file) }
    };
    files.iter().filter(|(f, _)| needed(f)).map(|(f, _)| (*f).to_owned()).collect()
}

/// `model-00001-of-00004.safetensors`.
fn is_shard(file: &str) -> bool {
    file.starts_with("model-") && file.ends_with(".safetensors") && !file.contains('/')
}

fn is_template(file: &str) -> bool {
    file.strip_prefix("additional_chat_templates/")
        .is_some_and(|f| f.strip_suffix(".jinja").is_some() && !f.contains('/'))
}

/// `1_Pooling/config.json`, `2_Dense/model.safetensors`: the modules of a sentence-transformers
/// model.
fn is_module_file(file: &str) -> bool {
    let Some((dir, name)) = file.split_once('/') else {
        return false;
    };
    let number = dir.split('_').next().unwrap_or("");
    !number.is_empty()
        && number.bytes().all(|b| b.is_ascii_digit())
        && dir.contains('_')
        && matches!(name, "config.json" | WEIGHTS)
}

/// Weights of formats that cannot be used, for the message.
fn other_weights(files: &[(&str, Option<u64>)]) -> Vec<String> {
    const OTHER: [&str; 9] =
        [".bin", ".pt", ".pth", ".ckpt", ".h5", ".msgpack", ".onnx", ".safetensors", ".gguf"];
    files
        .iter()
        .filter(|(f, _)| OTHER.iter().any(|o| f.ends_with(o)))
        .take(5)
        .map(|(f, _)| (*f).to_owned())
        .collect()
}

/// Whether the files of a snapshot are all that [`select`] would choose of the whole repository,
/// judged by the snapshot alone. `shards` reads the names of the shards out of an index.
pub(crate) fn is_complete(files: &[String], shards: impl FnOnce() -> Option<Vec<String>>) -> bool {
    let has = |name: &str| files.iter().any(|f| f == name);
    let weights = has(WEIGHTS)
        || (has(WEIGHTS_INDEX)
            && shards().is_some_and(|s| !s.is_empty() && s.iter().all(|f| has(f))));
    weights && has("config.json") && has_tokenizer(files.iter().map(String::as_str))
}
