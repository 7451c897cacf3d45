//! The stored tokens, a file that is shared with Python.

use std::path::Path;

use scaffold_error::Error;

use super::file::read_file;
use super::{TokenFiles, TokenSource};

/// One entry of the stored tokens. Fields that are not ours (`refresh_token`) are kept as they are.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct StoredToken {
    pub(crate) name: String,
    pub(crate) fields: Vec<(String, String)>,
}

impl StoredToken {
    pub(crate) fn token(&self) -> Option<&str> {
        self.fields.iter().find(|(key, _)| key == "hf_token").map(|(_, value)| value.as_str())
    }
}

/// The only stored token, when there is exactly one: between several, the user has to choose.
pub(super) fn only_stored(files: &TokenFiles) -> Result<Option<(String, TokenSource)>, Error> {
    let entries = parse_stored(&read_file(&files.stored)?);
    let [entry] = entries.as_slice() else {
        return Ok(None);
    };
    let source = TokenSource::Stored { path: files.stored.clone(), name: entry.name.clone() };
    Ok(entry.token().map(|token| (token.to_owned(), source)))
}

/// The entries of a file; none where it cannot be read.
pub(crate) fn read_stored(path: &Path) -> Vec<StoredToken> {
    read_file(path).map(|text| parse_stored(&text)).unwrap_or_default()
}

/// The entries of a text.
pub(crate) fn parse_stored(text: &str) -> Vec<StoredToken> {
    let mut entries: Vec<StoredToken> = Vec::new();
    for line in text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with(['#', ';']))
    {
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            entries.push(StoredToken { name: name.to_owned(), fields: Vec::new() });
        } else if let (Some((key, value)), Some(entry)) =
            (line.split_once(['=', ':']), entries.last_mut())
        {
            entry.fields.push((key.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    entries
}

/// Reads a text of stored tokens, for fuzzing.
pub(crate) fn check(text: &str) {
    for entry in parse_stored(text) {
        assert!(
            !entry.name.contains('\n') && !entry.fields.iter().any(|(key, _)| key.contains('\n'))
        );
    }
}
