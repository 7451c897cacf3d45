//! Names that a mistyped one may have meant.

use std::fmt::Display;

use scaffold_error::{Error, Remedy, err};
use serde_json::Value;

use super::Hub;
use crate::access::{Diagnosis, Refusal};
use crate::name::RepoName;
use crate::nearest::{MOST, nearest_models};
use crate::progress::{Progress, Silent};
use crate::url::encode_part;

const LARGEST_ANSWER: u64 = 4 << 20;

impl Hub {
    /// Adds the nearest existing names to a "there is no such repository".
    pub(crate) fn with_candidates(
        &self,
        name: &RepoName,
        error: Error,
        progress: &dyn Progress,
    ) -> Error {
        let Some(refusal) = error.cause::<Refusal>() else {
            return error;
        };
        let mut refusal = refusal.clone();
        if let Diagnosis::NotFoundOrPrivate { candidates, .. } = &mut refusal.diagnosis {
            if !progress.cancelled() {
                *candidates = self.candidates(name.id.as_str(), true);
            }
            // A bare word is more likely a mistyped alias than a repository from before
            // organisations.
            if name.id.org().is_none() {
                return unknown_name(name, candidates);
            }
        }
        refusal.into()
    }

    /// Existing names near `text`: aliases, models in the cache and, with `ask`, what the Hub's
    /// search finds.
    pub fn candidates(&self, text: &str, ask: bool) -> Vec<String> {
        let short = self.config.aliases.iter().map(|(alias, _)| alias.clone());
        let mut known: Vec<String> = short.filter(|alias| !alias.contains(':')).collect();
        known.extend(self.cached_ids());
        let mut near = nearest_models(text, &known);
        if ask && near.len() < MOST && !self.config.offline {
            let found = self.search(text).unwrap_or_default();
            for id in found {
                if near.len() < MOST && id != text && !near.contains(&id) {
                    near.push(id);
                }
            }
        }
        near
    }

    fn cached_ids(&self) -> Vec<String> {
        let entries = self.config.hub_cache().ok().and_then(|cache| std::fs::read_dir(cache).ok());
        entries
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|e| {
                Some(e.file_name().to_str()?.strip_prefix("models--")?.replace("--", "/"))
            })
            .collect()
    }

    fn search(&self, text: &str) -> Option<Vec<String>> {
        let word = text.rsplit('/').next().unwrap_or(text);
        let path = format!("api/models?search={}&limit={MOST}&sort=downloads", encode_part(word));
        let reply =
            self.ask(&path, text, None, &mut Silent).ok().filter(crate::http::Reply::is_success)?;
        parse_search(&reply.bytes(LARGEST_ANSWER).ok()?)
    }
}

/// Nothing answers to this name; `candidates` are the nearest that exist.
pub(crate) fn unknown_name(name: impl Display, candidates: &[String]) -> Error {
    let near = match candidates {
        [] => "; a Hugging Face repository is written org/name".to_owned(),
        near => format!(". Did you mean {}?", near.join(", ")),
    };
    err!(NotFound, "there is no model `{name}`{near}").remedy(Remedy::ListModels)
}

/// Parses the answer to a search for models: their names.
pub(crate) fn parse_search(text: &[u8]) -> Option<Vec<String>> {
    let value: Value = serde_json::from_slice(text).ok()?;
    let id = |model: &Value| model.get("id")?.as_str().map(str::to_owned);
    Some(value.as_array()?.iter().filter_map(id).collect())
}
