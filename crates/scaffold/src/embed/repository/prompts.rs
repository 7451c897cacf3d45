//! `config_sentence_transformers.json`: prompts, the similarity function, a shorter width.

use scaffold_error::err;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::read_json;
use crate::embed::Similarity;
use crate::error::Error;

/// Which text is put before an input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Prompt<'a> {
    /// The repository's default prompt, or none where it names none.
    #[default]
    Default,
    /// The input is something to look for: the prompt named `query`, or else as
    /// [`Prompt::Default`].
    Query,
    /// The input is something to be found: the prompt named `document`, `passage` or `corpus`, or
    /// else as [`Prompt::Default`].
    Document,
    /// The repository's prompt of this name.
    Named(&'a str),
    /// This text.
    Text(&'a str),
    /// Nothing.
    None,
}

/// A repository's prompts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prompts {
    /// Names and texts, in the order of the file.
    pub texts: Vec<(String, String)>,
    /// The name of the one that is used when none is asked for.
    pub default: Option<String>,
}

impl Prompts {
    /// The text that `prompt` stands for; empty for none.
    ///
    /// # Errors
    /// A name that the repository does not have.
    pub fn text<'a>(&'a self, prompt: Prompt<'a>) -> Result<&'a str, Error> {
        match prompt {
            Prompt::Default => self.default(),
            Prompt::Query => self.first_of(&["query"]),
            Prompt::Document => self.first_of(&["document", "passage", "corpus"]),
            Prompt::Named(name) => self.named(name).ok_or_else(|| {
                let known = listed(&self.texts);
                err!(NotFound, "the model has no prompt `{name}`\n  accepted: {known}")
            }),
            Prompt::Text(text) => Ok(text),
            Prompt::None => Ok(""),
        }
    }

    fn default(&self) -> Result<&str, Error> {
        match &self.default {
            Some(name) => self.text(Prompt::Named(name)),
            None => Ok(""),
        }
    }

    fn first_of(&self, names: &[&str]) -> Result<&str, Error> {
        match names.iter().find_map(|name| self.named(name)) {
            Some(text) => Ok(text),
            None => self.default(),
        }
    }

    fn named(&self, name: &str) -> Option<&str> {
        self.texts.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str())
    }
}

fn listed(texts: &[(String, String)]) -> String {
    if texts.is_empty() {
        return "none: the repository has no prompts".to_owned();
    }
    texts.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
}

pub(crate) struct Settings {
    pub(crate) prompts: Prompts,
    pub(super) similarity: Similarity,
    pub(super) truncate_dim: Option<usize>,
}

#[derive(Default, Deserialize)]
struct File {
    #[serde(default)]
    prompts: Option<Map<String, Value>>,
    default_prompt_name: Option<String>,
    similarity_fn_name: Option<String>,
    truncate_dim: Option<usize>,
}

pub(crate) fn read(directory: &Path) -> Result<Settings, Error> {
    let path = directory.join("config_sentence_transformers.json");
    let file = read_json::<File>(&path)?.unwrap_or_default();
    let texts: Vec<(String, String)> = file
        .prompts
        .unwrap_or_default()
        .into_iter()
        // A prompt that is null is one that was left open.
        .filter_map(|(name, text)| Some((name, text.as_str()?.to_owned())))
        .collect();
    let default = file.default_prompt_name;
    if let Some(name) =
        default.as_ref().filter(|name| texts.iter().all(|(known, _)| known != *name))
    {
        let known = listed(&texts);
        return Err(err!(
            Damaged,
            "the default prompt is `{name}`, which is not among the prompts ({known})"
        )
        .in_file(path)
        .remedy("name a prompt, or ask for none"));
    }
    let similarity = match file.similarity_fn_name.as_deref() {
        None => Similarity::Cosine,
        Some(name) => Similarity::by_name(name).map_err(|error| error.in_file(path))?,
    };
    Ok(Settings {
        prompts: Prompts { texts, default },
        similarity,
        truncate_dim: file.truncate_dim.filter(|&width| width > 0),
    })
}
