//! Names that a mistyped one may have meant.

use serde_json::Value;

use super::Hub;
use crate::access::Diagnosis;
use crate::error::HubError;
use crate::name::RepoName;
use crate::progress::{Progress, Silent};
use crate::url::percent_encode;

/// More than this many suggestions help nobody.
const MOST: usize = 5;
const LARGEST_ANSWER: u64 = 4 << 20;

impl Hub {
    /// Adds the nearest existing names to a "there is no such repository".
    pub(crate) fn with_candidates(
        &self,
        name: &RepoName,
        error: HubError,
        progress: &dyn Progress,
    ) -> HubError {
        let HubError::Refused(mut refusal) = error else {
            return error;
        };
        if let Diagnosis::NotFoundOrPrivate { candidates, .. } = &mut refusal.diagnosis {
            if !progress.cancelled() {
                *candidates = self.candidates(name.id.as_str(), true);
            }
            // A bare word is more likely a mistyped alias than a repository from before
            // organisations.
            if name.id.org().is_none() {
                return HubError::UnknownName {
                    name: name.to_string(),
                    candidates: std::mem::take(candidates),
                };
            }
        }
        HubError::Refused(refusal)
    }

    /// Existing names near `text`: aliases, models in the cache and, with `ask`, what the Hub's
    /// search finds.
    pub fn candidates(&self, text: &str, ask: bool) -> Vec<String> {
        let mut known: Vec<String> =
            self.config.aliases.iter().map(|(alias, _)| alias.clone()).collect();
        known.extend(self.cached_ids());
        let mut near = nearest(text, &known);
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
        let Ok(entries) = std::fs::read_dir(&self.config.cache_dir) else {
            return Vec::new();
        };
        entries
            .flatten()
            .filter_map(|e| {
                Some(e.file_name().to_str()?.strip_prefix("models--")?.replace("--", "/"))
            })
            .collect()
    }

    fn search(&self, text: &str) -> Option<Vec<String>> {
        let word = text.rsplit('/').next().unwrap_or(text);
        let path =
            format!("api/models?search={}&limit={MOST}&sort=downloads", percent_encode(word, b""));
        let reply =
            self.ask(&path, text, None, &mut Silent).ok().filter(crate::http::Reply::is_success)?;
        parse_search(&reply.bytes(LARGEST_ANSWER).ok()?)
    }
}

/// Parses the answer to a search for models: their names.
pub(crate) fn parse_search(text: &[u8]) -> Option<Vec<String>> {
    let value: Value = serde_json::from_slice(text).ok()?;
    let id = |model: &Value| model.get("id")?.as_str().map(str::to_owned);
    Some(value.as_array()?.iter().filter_map(id).collect())
}

/// Those of `known` that differ from `text` in few letters, the nearest first.
pub(crate) fn nearest(text: &str, known: &[String]) -> Vec<String> {
    let lower = text.to_lowercase();
    let allowed = 1 + lower.chars().count() / 4;
    let mut near: Vec<(usize, &String)> = known
        .iter()
        .filter_map(|name| {
            let other = name.to_lowercase();
            let last = other.rsplit('/').next().unwrap_or(&other).to_owned();
            let distance = distance(&lower, &other).min(if lower.contains('/') {
                usize::MAX
            } else {
                distance(&lower, &last)
            });
            let contained = lower.len() >= 3 && other.contains(&lower);
            (distance <= allowed || contained)
                .then_some((if contained { distance.min(1) } else { distance }, name))
        })
        .collect();
    near.sort();
    near.dedup();
    near.into_iter().take(MOST).map(|(_, name)| name.clone()).collect()
}

/// Levenshtein's distance over characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_come_nearest_first() {
        let known: Vec<String> = ["mistral", "tinyllama", "starter", "Qwen/Qwen2.5-7B-Instruct"]
            .iter()
            .map(|s| (*s).to_owned())
            .collect();
        assert_eq!(nearest("mistrall", &known), ["mistral"]);
        assert_eq!(nearest("startre", &known), ["starter"]);
        assert_eq!(nearest("qwen/qwen2.5-7b-instrct", &known), ["Qwen/Qwen2.5-7B-Instruct"]);
        assert_eq!(nearest("llama", &known), ["tinyllama"]);
        assert!(nearest("xyzzy", &known).is_empty());
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
