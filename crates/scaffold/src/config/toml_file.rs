//! `scaffold.toml`: the same keys as the environment, as `LLM_MODEL = "…"` lines.

use std::path::Path;

use scaffold_error::{Error, err};
use toml::de::{DeTable, DeValue};

use super::key::{Files, Key};
use scaffold_hub::nearest;

/// A value as text, for a known key.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Assignment {
    pub(super) key: Key,
    pub(super) value: String,
    pub(super) line: usize,
}

/// Reads the text of the file at `path` (which is only named in errors).
pub(super) fn parse(text: &str, path: &Path) -> Result<Vec<Assignment>, Error> {
    let table = DeTable::parse(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_at(text, span.start));
        // What follows the first line repeats the place.
        let first = error.message().lines().next().unwrap_or_default();
        err!(Usage, "this is not valid TOML: {first}")
            .in_file(path)
            .at_line(line)
            .remedy("write NAME = \"text\", NAME = 1.5 or NAME = true")
    })?;
    let mut entries = Vec::new();
    for (name, value) in table.get_ref() {
        let line = line_at(text, name.span().start);
        let key = known_key(name.get_ref(), path, line)?;
        let value = match value.get_ref() {
            DeValue::String(value) => value.to_string(),
            DeValue::Boolean(value) => value.to_string(),
            DeValue::Integer(value) => value.to_string(),
            DeValue::Float(value) => value.to_string(),
            other => {
                let (name, accepted) = (name.get_ref(), key.info().accepted);
                let found = other.type_str();
                return Err(err!(Usage, "{name} takes {accepted}, not a TOML {found}")
                    .in_file(path)
                    .at_line(line));
            }
        };
        if !value.is_empty() {
            entries.push(Assignment { key, value, line });
        }
    }
    Ok(entries)
}

fn known_key(name: &str, path: &Path, line: usize) -> Result<Key, Error> {
    let allowed = || Key::all().filter(|key| key.info().from == Files::Both).map(Key::name);
    let Some(key) = Key::by_name(name) else {
        let near = nearest(name, allowed());
        let near = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
        let accepted = allowed().collect::<Vec<_>>().join(", ");
        return Err(err!(Usage, "there is no key {name}{near}\n  accepted: {accepted}")
            .in_file(path)
            .at_line(line));
    };
    let refuse = |why: &str, action: &str| {
        Err(err!(Usage, "{} is not read from this file: {why}", key.name())
            .in_file(path)
            .at_line(line)
            .remedy(action))
    };
    match key.info().from {
        Files::Both => Ok(key),
        Files::DotEnv => refuse(
            "this file is usually committed, and a token must not be",
            "put it into the environment or into .env, and consider the one written here as leaked if it was shared",
        ),
        Files::Neither => refuse(
            "a project must not be able to send your token elsewhere or to choose files that are written",
            "set it in the environment",
        ),
    }
}

/// Lines count from 1.
fn line_at(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset.min(text.len())].split(|&byte| byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(Key, String, usize)>, Error> {
        let entries = parse(text, Path::new("scaffold.toml"))?;
        Ok(entries.into_iter().map(|entry| (entry.key, entry.value, entry.line)).collect())
    }

    #[test]
    fn values_keep_their_line() {
        let mut entries =
            read("# comment\nLLM_MODEL = \"starter\"\n\nLLM_TOP_K = 4_0\nLLM_DO_SAMPLE = false\n")
                .unwrap();
        entries.sort_by_key(|entry| entry.2);
        assert_eq!(
            entries,
            [
                (Key::Model, "starter".to_owned(), 2),
                (Key::TopK, "40".to_owned(), 4),
                (Key::DoSample, "false".to_owned(), 5)
            ]
        );
    }

    #[test]
    fn a_slip_in_a_name_gets_the_nearest_one() {
        let message = read("\nLLM_TEMPRATURE = 1").unwrap_err().to_string();
        assert!(
            message.starts_with("scaffold.toml:2: there is no key LLM_TEMPRATURE"),
            "{message}"
        );
        assert!(message.contains("did you mean LLM_TEMPERATURE?"), "{message}");
    }

    #[test]
    fn a_token_is_refused_without_being_shown() {
        let message = read("HF_TOKEN = \"hf_abcdefgh\"").unwrap_err().to_string();
        assert!(
            message.contains("usually committed") && !message.contains("abcdefgh"),
            "{message}"
        );
    }

    #[test]
    fn broken_files_name_the_line() {
        for (text, start) in [
            ("LLM_TOP_K = 1\nLLM_DO_SAMPLE = True\n", "scaffold.toml:2: this is not valid TOML"),
            ("LLM_TOP_K = [1]\n", "scaffold.toml:1: LLM_TOP_K takes a whole number"),
            ("LLM_TOP_K = 1\nLLM_TOP_K = 2\n", "scaffold.toml:2: this is not valid TOML"),
        ] {
            let message = read(text).unwrap_err().to_string();
            assert!(message.starts_with(start), "{message}");
        }
    }
}
