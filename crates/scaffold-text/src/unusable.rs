//! The words for tokenizer files that cannot be used.

use scaffold_error::{Error, Kind};
use std::fmt::Display;
use std::path::Path;

/// What to do about most of them.
pub(crate) const FETCH_AGAIN: &str = "Download the file again";

/// A tokenizer file that is there and cannot be used.
pub(crate) fn unusable(kind: Kind, path: &Path, problem: impl Display, advice: &str) -> Error {
    let path_text = path.display();
    Error::new(kind, format!("{path_text} cannot be used as a tokenizer: {problem}. {advice}"))
        .of_file(path)
}

/// A tokenizer file that is not what it claims to be.
pub(crate) fn damaged(path: &Path, problem: impl Display) -> Error {
    unusable(Kind::Damaged, path, problem, FETCH_AGAIN)
}
