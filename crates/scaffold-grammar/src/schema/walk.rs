//! What the parts of the walk over a schema share.

use scaffold_error::{Error, err};
use serde_json::{Map, Value};

use super::place::Place;
use crate::limits;
use crate::pattern;

/// The keywords that say what an object with a property needs.
pub(super) const DEPENDENT: [&str; 3] = ["dependencies", "dependentRequired", "dependentSchemas"];

/// A schema that is an object.
pub(super) type Object = Map<String, Value>;

/// The walk, as a part of it sees the whole.
pub(super) trait Walk {
    /// Writes one schema anew.
    fn schema(&mut self, schema: &Value, place: &Place, depth: usize) -> Result<Value, Error>;

    /// What a schema means that is a reference and nothing else.
    fn meant<'a>(&'a self, schema: &'a Value) -> &'a Value;

    /// Notes where a number of properties is asked for.
    fn note_counted(&mut self, place: &Place);
}

/// A pattern, as it is compiled.
pub(super) fn pattern_of(pattern: &str, at: &Place) -> Result<String, Error> {
    pattern::of_schema(pattern).map_err(|error| {
        err!(Unsupported, "the schema's `{at}`: {}", error.sentence()).of_key("schema")
    })
}

/// Whether other schemas say something of the same value, and not only which of its named properties have
/// to be there.
pub(super) fn has_applicator(object: &Object) -> bool {
    let properties = object.get("properties").and_then(Value::as_object);
    let says = |schema: &Value| says_more(schema, properties);
    let needs = |needs: &Value| match needs {
        Value::Array(names) => !are_known(names, properties),
        schema => says(schema),
    };
    object.iter().any(|(name, value)| match name.as_str() {
        "$ref" | "if" => true,
        "not" => says(value),
        "allOf" | "anyOf" | "oneOf" => value.as_array().is_none_or(|all| all.iter().any(says)),
        name if DEPENDENT.contains(&name) => {
            value.as_object().is_none_or(|all| all.values().any(needs))
        }
        _ => false,
    })
}

/// Whether a schema says more than that some of these properties have to be there.
fn says_more(schema: &Value, properties: Option<&Object>) -> bool {
    let Value::Object(object) = schema else { return !schema.is_boolean() };
    object.iter().any(|(name, value)| match name.as_str() {
        "required" => value.as_array().is_none_or(|names| !are_known(names, properties)),
        "allOf" | "anyOf" | "oneOf" => {
            value.as_array().is_none_or(|all| all.iter().any(|one| says_more(one, properties)))
        }
        "not" => says_more(value, properties),
        name => !matches!(name, "type" | "title" | "description" | "$comment"),
    })
}

fn are_known(names: &[Value], properties: Option<&Object>) -> bool {
    let known = |name: &str| properties.is_some_and(|properties| properties.contains_key(name));
    names.iter().all(|name| name.as_str().is_some_and(known))
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
