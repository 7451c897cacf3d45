//! What can be wrong with a JSON file.

use crate::quoted::Quoted;

/// What is wrong with a JSON file or a value in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JsonProblem {
    /// The file is larger than any real one of its kind.
    #[error("the file has {size} bytes; at most {most} are read, more than any real model needs")]
    TooLarge {
        /// The file's size.
        size: u64,
        /// The most that is read.
        most: u64,
    },
    /// The text is not JSON.
    #[error("not valid JSON: {0}")]
    Syntax(serde_json::Error),
    /// The text is JSON but not an object.
    #[error("the file should hold an object `{{…}}` but holds {found}")]
    NotAnObject {
        /// The type of what it holds.
        found: &'static str,
    },
    /// A key that must be there is not.
    #[error("key {} is missing", Quoted(key))]
    MissingKey {
        /// The key, with those of the objects around it, joined by dots.
        key: String,
    },
    /// A key holds a value of another type than it should.
    #[error("key {} should be {wanted} but is {}", Quoted(key), Quoted(found))]
    ValueType {
        /// The key, with those of the objects around it, joined by dots.
        key: String,
        /// The type that was expected.
        wanted: &'static str,
        /// The value in the file.
        found: String,
    },
}
