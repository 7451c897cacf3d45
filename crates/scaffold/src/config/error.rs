//! What can be wrong with a configuration.

use std::path::PathBuf;

use scaffold_hub::PathProblem;

use super::Source;

/// A configuration that cannot be used. None of these carries a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A value that its key does not take.
    #[error("{key} does not take {value} ({source_of})\n  accepted: {accepted}\n  to do: correct it there, or remove it to use the default{}",
        if default.is_empty() { String::new() } else { format!(", {default}") })]
    BadValue {
        /// The key's name, as the source wrote it.
        key: String,
        /// The value in quotes, or a description where it must not be shown.
        value: String,
        /// What the key takes.
        accepted: &'static str,
        /// What holds if the value is removed; may be empty.
        default: &'static str,
        /// Who set it.
        source_of: Source,
    },
    /// A path with a variable that is not set.
    #[error(
        "{key} is {value:?} ({source_of}), and there is no variable {unset}\n  to do: set {unset}, or write the path out there"
    )]
    UnsetVariable {
        /// The key.
        key: &'static str,
        /// The path as it was written.
        value: String,
        /// The variable.
        unset: String,
        /// Who set the key.
        source_of: Source,
    },
    /// What is no path.
    #[error("{key} ({source_of}): {problem}\n  to do: write the path out there")]
    Path {
        /// The key.
        key: &'static str,
        /// What is wrong with it.
        problem: PathProblem,
        /// Who set the key.
        source_of: Source,
    },
    /// A variable of the Hub client's that has a value it does not take.
    #[error(transparent)]
    Variable(scaffold_hub::Error),
    /// A variable whose bytes are not text.
    #[error(
        "the environment variable {name} is not valid UTF-8\n  to do: set it again, or unset it"
    )]
    NotUnicode {
        /// The variable.
        name: String,
    },
    /// A key in `scaffold.toml` that does not exist.
    #[error("{}:{line}: there is no key {key}{}\n  accepted: {accepted}", path.display(),
        near.as_deref().map(|near| format!("; did you mean {near}?")).unwrap_or_default())]
    UnknownKey {
        /// The key as it was written.
        key: String,
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The nearest key that exists.
        near: Option<String>,
        /// Every key that the file may set.
        accepted: String,
    },
    /// A key that this file may not set.
    #[error("{}:{line}: {key} is not read from this file: {why}\n  to do: {action}", path.display())]
    NotHere {
        /// The key.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// Why not.
        why: &'static str,
        /// Where to set it instead.
        action: &'static str,
    },
    /// A line that cannot be read.
    #[error("{}:{line}: {what}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
    /// A file that exists but cannot be read, or one that was asked for and does not exist.
    #[error("cannot read the configuration file {}: {error}\n  to do: check that it exists and that you may read it", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// `cuda` was asked for and cannot be used.
    #[error(
        "LLM_DEVICE is cuda ({source_of}), but this build of Scaffold computes on the processor only\n  to do: set it to cpu, or to auto, which takes the best device there is"
    )]
    NoCuda {
        /// Who asked for it.
        source_of: Source,
    },
}
