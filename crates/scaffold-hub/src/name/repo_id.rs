//! A repository's name on the Hub.

use std::fmt;

use scaffold_error::{Error, err};

use super::address::is_site;

/// Characters that an organisation, or the name of a repository, may have.
const LONGEST_PART: usize = 96;

/// `org/name`, or a bare `name`, that the Hub would accept.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RepoId(String);

impl RepoId {
    /// Checks both parts against the Hub's rules.
    ///
    /// # Errors
    /// The part, and the rule that it breaks.
    pub fn new(org: Option<&str>, name: &str) -> Result<RepoId, Error> {
        if let Some(org) = org {
            check_part(org)?;
        }
        check_part(name)?;
        if is_site(org.unwrap_or(name)) {
            // Written down, it would be read as an address the next time.
            return Err(bad_part(
                org.unwrap_or(name),
                "is the Hub's own address, and neither an organisation nor a model",
            ));
        }
        let id = match org {
            Some(org) => format!("{org}/{name}"),
            None => name.to_owned(),
        };
        let bad = |why| Err(bad_part(&id, why));
        // The cache writes `/` as `--`, so a name may not contain it.
        if id.contains("--") || id.contains("..") {
            return bad("contains `--` or `..`, which the Hub does not allow");
        }
        if id.strip_suffix(".git").is_some() {
            return bad("ends in `.git`; leave that off");
        }
        Ok(RepoId(id))
    }

    /// Parses `org/name` or `name`.
    ///
    /// # Errors
    /// As [`RepoId::new`].
    pub fn parse(text: &str) -> Result<RepoId, Error> {
        match text.split_once('/') {
            Some((org, name)) => RepoId::new(Some(org), name),
            None => RepoId::new(None, text),
        }
    }

    /// `org/name`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The organisation or user, absent for the few repositories from before organisations.
    pub fn org(&self) -> Option<&str> {
        self.0.split_once('/').map(|(org, _)| org)
    }
}

impl fmt::Display for RepoId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An organisation, name, revision or label that breaks a rule.
pub(super) fn bad_part(part: &str, why: &str) -> Error {
    err!(Usage, "the part `{part}` {why}")
}

fn check_part(part: &str) -> Result<(), Error> {
    let bad = |why| Err(bad_part(part, why));
    if part.is_empty() {
        return bad("is empty");
    }
    // For each part, not for both together: as `huggingface_hub.utils.validate_repo_id` has it.
    if part.len() > LONGEST_PART {
        return bad("is longer than the Hub's 96 characters");
    }
    if let Some(found) = part.chars().find(|c| !(c.is_ascii_alphanumeric() || "-_.".contains(*c))) {
        return Err(err!(
            Usage,
            "`{part}` contains {found:?}; repository names have letters, digits, `-`, `_` and `.`"
        ));
    }
    if part.starts_with(['-', '.']) || part.ends_with(['-', '.']) {
        return bad("starts or ends with `-` or `.`, which the Hub does not allow");
    }
    Ok(())
}
