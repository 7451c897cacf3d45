//! The files of a project as text, for the fuzz targets: what they set, by the names that the
//! environment uses.

use std::path::Path;

use super::{dotenv, toml_file};

/// What a `.env` sets.
pub(crate) fn dotenv(text: &str) -> Vec<(&'static str, String)> {
    let found = dotenv::parse(text, &|name| (name == "HOME").then(|| "/home/a".to_owned()));
    let entries = found.entries.into_iter();
    entries.map(|entry| (entry.name, entry.value)).collect()
}

/// What a `scaffold.toml` sets.
pub(crate) fn toml(text: &str) -> Vec<(&'static str, String)> {
    let found = toml_file::parse(text, Path::new("scaffold.toml"));
    let entries = found.into_iter().flatten();
    let value =
        |entry: toml_file::Assignment| (entry.key.info().names.first().copied(), entry.value);
    entries.map(value).filter_map(|(name, value)| Some((name?, value))).collect()
}
