//! What a configuration is made of, and what is told about it.

use std::ffi::OsString;
use std::path::PathBuf;

use super::key::Key;

/// What a configuration is made of.
pub struct Inputs<'a> {
    /// Looks up a variable of the environment; the door passes `std::env::var_os`.
    pub variable: &'a dyn Fn(&str) -> Option<OsString>,
    /// The directory whose `.env` and `scaffold.toml` are read; `None` reads neither.
    pub project: Option<PathBuf>,
    /// A file to read instead of the project's `scaffold.toml`. It must exist.
    pub file: Option<PathBuf>,
    /// What was given on the command line.
    pub flags: Vec<Flag>,
}

/// A value from the command line.
#[derive(Clone, Debug)]
pub struct Flag {
    /// The key that it sets.
    pub key: Key,
    /// The flag as it is typed, for example `--temperature`.
    pub name: &'static str,
    /// The value as it was typed.
    pub value: String,
}
