//! Where a value came from.

use std::fmt;
use std::path::PathBuf;

/// The place that set a value, ordered from the one that rules to the one that yields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A flag or an argument on the command line, for example `--temperature` or `MODEL`.
    Flag(String),
    /// A variable of the environment, by its name.
    Environment(String),
    /// A line of `.env` or `scaffold.toml`; lines count from 1.
    File {
        /// The file, as it was opened.
        path: PathBuf,
        /// The line that sets the value.
        line: usize,
    },
    /// Nobody set it.
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Flag(name) if name.starts_with('-') => write!(f, "flag {name}"),
            Source::Flag(name) => write!(f, "argument {name}"),
            Source::Environment(name) => write!(f, "environment variable {name}"),
            Source::File { path, line } => write!(f, "{}:{line}", path.display()),
            Source::Default => f.write_str("default"),
        }
    }
}

/// A value together with the place that set it.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Who set it.
    pub source: Source,
}

impl<T> Setting<T> {
    /// A value that nobody set.
    pub fn default_of(value: T) -> Setting<T> {
        Setting { value, source: Source::Default }
    }
}
