//! What a model of one's own may be called.

use std::fmt;
use std::str::FromStr;

use scaffold_error::{Error, err};

use super::address::is_site;

/// Characters of a name or a tag, at most: as at Ollama.
const LONGEST: usize = 80;

/// What Windows keeps for devices, whatever ending follows.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// `name[:tag]` of a model of one's own; two that differ in case alone are one.
///
/// ```
/// use scaffold_hub::MadeName;
///
/// assert_eq!("mario".parse::<MadeName>()?.to_string(), "mario:latest");
/// assert!("org/mario".parse::<MadeName>().is_err());
/// # Ok::<(), scaffold_hub::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct MadeName {
    name: String,
    tag: String,
}

impl MadeName {
    /// Parses `name` or `name:tag`; the tag is `latest` unless given.
    ///
    /// # Errors
    /// The part that breaks a rule, and the rule.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let (name, tag) = text.split_once(':').unwrap_or((text, "latest"));
        let checked =
            check(name, tag).and_then(|()| check_part(name)).and_then(|()| check_part(tag));
        checked.map_err(|problem| {
            err!(Usage, "{text:?} cannot be the name of a model of your own: {problem}")
                .remedy("take NAME or NAME:TAG, such as mario or mario:v2")
        })?;
        Ok(Self { name: name.to_owned(), tag: tag.to_owned() })
    }

    /// The name without its tag.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The tag.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// What tells it from others, and what its file is called by.
    pub(crate) fn key(&self) -> (String, String) {
        (self.name.to_ascii_lowercase(), self.tag.to_ascii_lowercase())
    }
}

fn check(name: &str, tag: &str) -> Result<(), Error> {
    if name.contains('/') || tag.contains('/') {
        return Err(err!(Usage, "it has a `/`, which names of repositories have"));
    }
    if name.eq_ignore_ascii_case("ollama") {
        return Err(err!(Usage, "`ollama:…` is a model in Ollama's store"));
    }
    if is_site(name) {
        return Err(err!(Usage, "`{name}` is the Hub's own address"));
    }
    // Read back, it would be a file.
    let lower = name.to_ascii_lowercase();
    if [".gguf", ".safetensors"].iter().any(|end| lower.ends_with(end)) {
        return Err(err!(Usage, "`{name}` is called as files of weights are"));
    }
    Ok(())
}

fn check_part(part: &str) -> Result<(), Error> {
    let bad = |why: &str| Err(err!(Usage, "the part {part:?} {why}"));
    if part.is_empty() {
        return bad("is empty");
    }
    if part.len() > LONGEST {
        return bad("is longer than 80 characters");
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if let Some(strange) = part.chars().find(|&c| !plain(c)) {
        return Err(err!(
            Usage,
            "the part {part:?} contains {strange:?}; letters, digits, `-`, `_` and `.` are accepted"
        ));
    }
    if part.starts_with(['-', '.']) || part.ends_with('.') {
        return bad("begins with `-` or `.`, or ends with `.`");
    }
    if is_device(part) {
        return bad("is what some systems call a device");
    }
    Ok(())
}

/// Whether a file of this name, whatever its ending, would be a device on Windows.
pub(crate) fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let numbered = |port: &str| {
        stem.strip_prefix(port)
            .is_some_and(|rest| rest.len() == 1 && rest.bytes().all(|b| b.is_ascii_digit()))
    };
    DEVICES.contains(&stem.as_str()) || numbered("com") || numbered("lpt")
}

impl PartialEq for MadeName {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for MadeName {}

impl std::hash::Hash for MadeName {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl FromStr for MadeName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl fmt::Display for MadeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.tag)
    }
}
