//! What the parts of the walk over a schema share.

use scaffold_error::{Error, err};
use serde_json::{Map, Value};

use super::place::Place;
use crate::limits;
use crate::pattern;

/// A schema that is an object.
pub(super) type Object = Map<String, Value>;

/// The walk, as a part of it sees the whole.
pub(super) trait Walk {
    /// Writes one schema anew.
    fn schema(&mut self, schema: &Value, place: &Place, depth: usize) -> Result<Value, Error>;

    /// Notes where a number of properties is asked for.
    fn note_counted(&mut self, place: &Place);
}

/// A pattern, as it is compiled.
pub(super) fn pattern_of(pattern: &str, at: &Place) -> Result<String, Error> {
    pattern::of_schema(pattern).map_err(|error| {
        err!(Unsupported, "the schema's `{at}`: {}", error.sentence()).of_key("schema")
    })
}

/// Whether other schemas say something of the same value.
pub(super) fn has_applicator(object: &Object) -> bool {
    ["allOf", "anyOf", "oneOf", "$ref", "if", "not", "dependentSchemas"]
        .iter()
        .any(|name| object.contains_key(*name))
}

pub(super) fn check_least(count: u64, at: &Place) -> Result<(), Error> {
    if count <= limits::REPEATS {
        return Ok(());
    }
    Err(err!(
        TooLarge,
        "the schema's `{at}` is {count}, and {} is the most that is accepted",
        limits::REPEATS
    )
    .of_key("schema"))
}
