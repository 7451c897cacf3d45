//! JSON schemas: what of them is followed, and nothing else.
//!
//! JSON Schema says that a program passes over keywords that it does not know. For an answer that is
//! to be valid this is the wrong way round: so each schema is walked, and written anew with only what
//! is known to be followed. A keyword that asks for something and is not followed is refused with its
//! place. What describes and asks for nothing (`title`, `default`, …) is left out.
//!
//! References are resolved here, and within the schema alone: nothing is fetched.

mod apart;
mod check;
mod choice;
mod formats;
mod keywords;
mod lower;
mod needs;
mod objects;
mod place;
mod reference;
mod slip;
mod values;
mod walk;

use scaffold_error::Error;
use serde_json::{Value, json};

pub use formats::FORMATS;

use lower::Lowering;

/// A schema as it is compiled, and what helps to word the compiler's errors.
#[derive(Debug)]
pub(crate) struct Lowered {
    pub(crate) schema: Value,
    /// Where `oneOf` stands.
    pub(crate) one_of: Vec<String>,
    /// Where numbers of properties are asked for.
    pub(crate) counted: Vec<String>,
}

/// White space between the parts of a value: bounded, so that no answer is lost in it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Space {
    /// A space, or a line break and what is in front of the next line.
    Lines,
    /// A space.
    OneLine,
}

impl Space {
    fn pattern(self) -> &'static str {
        match self {
            Self::Lines => r"\x20|\n\x20{0,64}|\n\t{0,16}",
            Self::OneLine => r"\x20",
        }
    }
}

/// Checks a schema, and writes what is followed of it.
///
/// # Errors
/// What cannot be followed, with its place in the schema.
pub(crate) fn lower(schema: &Value, space: Space) -> Result<Lowered, Error> {
    let mut lowering = Lowering::new(schema)?;
    let mut lowered = lowering.root()?;
    let options = json!({
        "whitespace_pattern": space.pattern(),
        // Each character is written in one way, so that no key has two spellings.
        "json_allowed_escapes": "nrbtf\\\"",
    });
    if !lowered.is_object() {
        // `true` and `false` have no room for options.
        lowered = json!({ "anyOf": [lowered] });
    }
    if let Some(object) = lowered.as_object_mut() {
        object.insert("x-guidance".to_owned(), options);
        if !lowering.definitions.is_empty() {
            let definitions = std::mem::take(&mut lowering.definitions);
            object.insert("$defs".to_owned(), Value::Object(definitions));
        }
    }
    Ok(Lowered { schema: lowered, one_of: lowering.one_of, counted: lowering.counted })
}

/// Checks that answers can be held to a schema, without a model.
///
/// # Errors
/// What cannot be followed, with its place in the schema.
pub fn check(schema: &Value) -> Result<(), Error> {
    lower(schema, Space::Lines).map(|_| ())
}

#[cfg(test)]
mod tests;
