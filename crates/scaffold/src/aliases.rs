//! Short names for models, read from one data file (`aliases.toml`) that is part of the build.

use std::sync::LazyLock;

use serde::Deserialize;

use scaffold_hub::nearest;

/// A short name and the repository that it stands for.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Alias {
    /// The name without a tag, for example `llama3.2`.
    pub name: String,
    /// What may follow the name after a colon, for example `1b`; `latest` also stands for the bare
    /// name.
    pub tags: Vec<String>,
    /// The repository on the Hub, as `org/name`.
    pub repo: String,
    /// The number of parameters, in words.
    pub parameters: String,
    /// The licence that the repository states.
    pub licence: String,
    /// Whether the repository's terms must be accepted with an account first.
    pub gated: bool,
}

impl Alias {
    /// Every way to write the name, with the repository.
    pub(crate) fn spellings(&self) -> impl Iterator<Item = (String, String)> {
        let tagged = self.tags.iter().map(|tag| format!("{}:{tag}", self.name));
        let bare = self.is_latest().then(|| self.name.clone());
        bare.into_iter().chain(tagged).map(|name| (name, self.repo.clone()))
    }

    /// Whether the bare name stands for this one.
    pub fn is_latest(&self) -> bool {
        self.tags.iter().any(|tag| tag == "latest")
    }
}

#[derive(Deserialize)]
struct File {
    model: Vec<Alias>,
}

/// The build's own file: a test reads it, so it always parses.
static ALIASES: LazyLock<Vec<Alias>> = LazyLock::new(|| {
    let file: File = toml::from_str(include_str!("../aliases.toml"))
        .expect("the embedded aliases.toml is valid");
    file.model
});

/// Every alias, in the order of the file.
pub fn all() -> &'static [Alias] {
    &ALIASES
}

/// The alias called `name` (or `name:tag`), in any case.
///
/// ```
/// assert_eq!(scaffold::aliases::find("tinyllama").unwrap().repo, "TinyLlama/TinyLlama-1.1B-Chat-v1.0");
/// assert_eq!(scaffold::aliases::find("Llama3.2:1b").unwrap().repo, "meta-llama/Llama-3.2-1B-Instruct");
/// assert!(scaffold::aliases::find("llama3.2:900b").is_none());
/// ```
pub fn find(name: &str) -> Option<&'static Alias> {
    let lower = name.to_lowercase();
    let (name, tag) = lower.split_once(':').unwrap_or((&lower, "latest"));
    all().iter().find(|alias| alias.name == name && alias.tags.iter().any(|known| known == tag))
}

/// The alias for a repository, for what is known about it.
pub fn of_repo(repo: &str) -> Option<&'static Alias> {
    all().iter().find(|alias| alias.repo.eq_ignore_ascii_case(repo))
}

/// The nearest alias to a name that is unknown.
pub fn near(name: &str) -> Option<&'static str> {
    let name = name.split(':').next().unwrap_or_default();
    nearest(name, all().iter().map(|alias| alias.name.as_str()))
}

/// Models that need no gate, smallest first: what to offer where access is refused.
pub fn ungated_chat() -> impl Iterator<Item = &'static Alias> {
    ["starter", "tinyllama", "openhermes"].into_iter().filter_map(find)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_valid_and_names_are_not_ambiguous() {
        let mut names = Vec::new();
        for alias in all() {
            let (org, name) = alias.repo.split_once('/').unwrap();
            assert!(!org.is_empty() && !name.is_empty() && !name.contains('/'), "{}", alias.repo);
            names.extend(alias.tags.iter().map(|tag| format!("{}:{tag}", alias.name)));
            assert!(find(&alias.name).is_some(), "{} has no latest", alias.name);
        }
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn the_guides_models_have_names() {
        for (name, repo) in [
            ("mistral", "mistralai/Mistral-7B-Instruct-v0.2"),
            ("openhermes", "teknium/OpenHermes-2.5-Mistral-7B"),
            ("tinyllama", "TinyLlama/TinyLlama-1.1B-Chat-v1.0"),
            ("starter", "HuggingFaceTB/SmolLM2-135M-Instruct"),
        ] {
            assert_eq!(find(name).unwrap().repo, repo);
            assert_eq!(of_repo(repo).unwrap().name, name);
        }
        assert_eq!(near("mistrl"), Some("mistral"));
        assert!(ungated_chat().all(|alias| !alias.gated));
        assert_eq!(ungated_chat().count(), 3);
    }
}
