//! Where something stands in a schema, and what is wrong with it.

use std::fmt;

use scaffold_error::{Error, err};

/// A JSON pointer that grows on the way down: `#/properties/name`.
#[derive(Clone, Debug)]
pub(super) struct Place(String);

impl Place {
    pub(super) fn root() -> Self {
        Self("#".to_owned())
    }

    pub(super) fn of(pointer: &str) -> Self {
        Self(format!("#{pointer}"))
    }

    pub(super) fn at(&self, step: impl fmt::Display) -> Self {
        let step = step.to_string().replace('~', "~0").replace('/', "~1");
        Self(format!("{}/{step}", self.0))
    }

    /// Something is said that cannot be said.
    pub(super) fn wrong(&self, words: impl fmt::Display) -> Error {
        err!(Usage, "the schema at `{self}` {words}").of_key("schema")
    }

    /// Something is asked for that answers cannot be held to.
    pub(super) fn unsupported(&self, keyword: &str, words: impl fmt::Display) -> Error {
        err!(
            Unsupported,
            "the schema asks for `{keyword}` at `{self}`, and answers cannot be held to that: {words}"
        )
        .of_key("schema")
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST: usize = 200;
        if self.0.chars().count() <= MOST {
            return f.write_str(&self.0);
        }
        let start: String = self.0.chars().take(MOST).collect();
        write!(f, "{start}…")
    }
}
