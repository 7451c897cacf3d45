//! What is looked at in a schema before it is written anew: whether its words can be followed.

use scaffold_error::Error;
use serde_json::Value;

use super::keywords::{FOLLOWED, Keyword, keyword};
use super::place::Place;
use super::slip::{Word, word};
use super::values;
use super::walk::Object;
use crate::limits;

/// The types of values.
pub(super) const TYPES: [&str; 7] =
    ["null", "boolean", "object", "array", "number", "string", "integer"];

/// Refuses a keyword that cannot be followed.
pub(super) fn keyword_of(
    name: &str,
    value: &Value,
    object: &Object,
    place: &Place,
) -> Result<(), Error> {
    let at = place.at(name);
    let asks_nothing = match name {
        "nullable" => *value == Value::Bool(false),
        "minContains" | "maxContains" => !object.contains_key("contains"),
        _ => false,
    };
    match keyword(name) {
        Keyword::Refused(_) if asks_nothing => Ok(()),
        Keyword::Refused(why) => Err(at.unsupported(name, why)),
        Keyword::Unknown => check_word(name, &at),
        Keyword::Followed if name == "if" => {
            let decides = ["then", "else"].iter().any(|name| object.contains_key(*name));
            let words = "use `anyOf`, with what `if` and `then` ask for together in one schema, and `else` in another";
            if decides { Err(at.unsupported(name, words)) } else { Ok(()) }
        }
        Keyword::Silent if matches!(name, "$id" | "id") && place.to_string() != "#" => {
            let names_document = value.as_str().is_some_and(|id| !id.starts_with('#'));
            // Without references in it, the address changes the meaning of nothing.
            let refers = || object.values().any(has_reference);
            let words = "references in a schema with an address of its own are not looked up: leave the address out, and refer to \
                         places with `#/…`";
            if names_document && refers() { Err(at.unsupported(name, words)) } else { Ok(()) }
        }
        Keyword::Followed | Keyword::Silent => Ok(()),
    }
}

/// Refuses a word that is no keyword, if somebody may believe that it is one.
fn check_word(name: &str, at: &Place) -> Result<(), Error> {
    let words = match word(name) {
        Word::Own => return Ok(()),
        Word::Slip(meant) => format!(
            "it is no keyword of JSON Schema, and looks like `{meant}`: write it so, or give it another name, such as `x-{name}`. Followed are: {FOLLOWED}"
        ),
        Word::Dialect(whose) => format!("it is no keyword of JSON Schema but {whose}"),
    };
    Err(at.unsupported(name, words))
}

/// Whether there is a reference in a schema.
fn has_reference(value: &Value) -> bool {
    match value {
        Value::Object(object) => {
            ["$ref", "$dynamicRef", "$recursiveRef"]
                .iter()
                .any(|name| object.get(*name).is_some_and(Value::is_string))
                || object.values().any(has_reference)
        }
        Value::Array(items) => items.iter().any(has_reference),
        _ => false,
    }
}

/// Checks `type`.
pub(super) fn types(value: &Value, at: &Place) -> Result<(), Error> {
    let known = |name: &Value| name.as_str().is_some_and(|name| TYPES.contains(&name));
    let right = match value {
        Value::Array(names) => !names.is_empty() && names.iter().all(known),
        one => known(one),
    };
    if right {
        Ok(())
    } else {
        Err(at
            .wrong(format!("is {value}, and has to be of {}, or a list of them", TYPES.join(", "))))
    }
}

/// Checks `enum`.
pub(super) fn values_of(value: &Value, at: &Place) -> Result<(), Error> {
    let values = value.as_array().filter(|values| !values.is_empty());
    let values = values.ok_or_else(|| at.wrong("has to be a list of values, of one at least"))?;
    if values.len() > limits::CHOICES {
        let words = format!("has {} values, and {} are accepted", values.len(), limits::CHOICES);
        return Err(at.wrong(words));
    }
    values.iter().enumerate().try_for_each(|(index, value)| values::check(value, &at.at(index)))
}
