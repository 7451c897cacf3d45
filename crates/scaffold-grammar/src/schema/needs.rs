//! What an object needs if it has a property, and what a value may not be: written as alternatives.

use scaffold_error::Error;
use serde_json::{Map, Value, json};

use super::place::Place;
use super::walk::{DEPENDENT, Object, Walk};

/// Alternatives multiply with each property that something depends on.
const MOST: usize = 5;

/// What these keywords ask for, as schemas that are all asked for, in the words of whoever compiles them.
pub(super) fn dependent(
    walk: &mut dyn Walk,
    object: &Object,
    place: &Place,
    depth: usize,
) -> Result<Vec<Value>, Error> {
    let required = |name: &str| {
        let names = object.get("required").and_then(Value::as_array);
        names.is_some_and(|names| names.iter().any(|known| known == name))
    };
    let (mut all, mut alternatives) = (Vec::new(), 0);
    for keyword in DEPENDENT {
        let Some(value) = object.get(keyword) else { continue };
        let at = place.at(keyword);
        let properties = value.as_object().ok_or_else(|| at.wrong("has to be an object"))?;
        for (name, needs) in properties {
            let at = at.at(name);
            let needed = match needs {
                Value::Array(names) if keyword != "dependentSchemas" => {
                    if !names.iter().all(Value::is_string) {
                        return Err(at.wrong("has to be a list of names of properties"));
                    }
                    json!({ "required": names })
                }
                _ if keyword == "dependentRequired" => {
                    return Err(at.wrong("has to be a list of names of properties"));
                }
                schema => walk.schema(schema, &at, depth + 1)?,
            };
            if required(name) {
                // Of a value that is no object nothing is asked.
                all.push(or_no_object(needed));
                continue;
            }
            alternatives += 1;
            if alternatives > MOST {
                let words =
                    format!("more than {MOST} properties decide about others: say it with `anyOf`");
                return Err(place.at(keyword).unsupported(keyword, words));
            }
            all.push(json!({ "anyOf": [{ "properties": { name: false } }, needed] }));
        }
    }
    Ok(all)
}

/// A schema that counts for objects, where it says something of others, too.
fn or_no_object(schema: Value) -> Value {
    let only_required = schema
        .as_object()
        .is_some_and(|object| object.len() == 1 && object.contains_key("required"));
    if only_required {
        return schema;
    }
    json!({ "anyOf": [{ "type": ["null", "boolean", "array", "number", "string"] }, schema] })
}

/// The opposite of a schema, where it can be said; it needs no walk, as it holds nothing of it.
pub(super) fn opposite(schema: &Value) -> Option<Value> {
    let object = match schema {
        Value::Bool(any) => return Some(Value::Bool(!any)),
        Value::Object(object) => object,
        _ => return None,
    };
    let silent = ["title", "description", "$comment"];
    let mut asks = object.iter().filter(|(name, _)| !silent.contains(&name.as_str()));
    let (keyword, value) = match (asks.next(), asks.next()) {
        (None, _) => return Some(Value::Bool(false)),
        (Some(asked), None) => asked,
        _ => return without_a_property(object),
    };
    match (keyword.as_str(), value) {
        ("required", Value::Array(names)) => lacks_one(names),
        ("anyOf", Value::Array(all)) => {
            let all: Option<Vec<Value>> = all.iter().map(opposite).collect();
            Some(json!({ "allOf": all.filter(|all| !all.is_empty())? }))
        }
        ("allOf", Value::Array(all)) => {
            let all: Option<Vec<Value>> = all.iter().map(opposite).collect();
            Some(json!({ "anyOf": all.filter(|all| !all.is_empty())? }))
        }
        ("type", kind) => of_other_types(kind),
        _ => None,
    }
}

/// An object that lacks one of these properties. Whatever is no object has them, as `required` sees it.
fn lacks_one(names: &[Value]) -> Option<Value> {
    let lacks =
        |name: &Value| Some(json!({ "type": "object", "properties": { name.as_str()?: false } }));
    let mut all = names.iter().map(lacks).collect::<Option<Vec<Value>>>()?;
    match all.len() {
        0 => Some(Value::Bool(false)),
        1 => all.pop(),
        _ => Some(json!({ "anyOf": all })),
    }
}

/// The opposite of an object's `type`, `required` and `properties`: something that lacks one of the properties. Objects with all
/// of them, of other values, are not said.
fn without_a_property(object: &Map<String, Value>) -> Option<Value> {
    let known = ["type", "required", "properties", "title", "description", "$comment"];
    let is_object = object.get("type").is_none_or(|kind| kind == "object");
    let names = object.get("required").and_then(Value::as_array)?;
    (is_object && object.keys().all(|name| known.contains(&name.as_str())))
        .then(|| lacks_one(names))?
}

fn of_other_types(kind: &Value) -> Option<Value> {
    let named: Vec<&str> = match kind {
        Value::String(one) => vec![one],
        Value::Array(all) => all.iter().map(Value::as_str).collect::<Option<_>>()?,
        _ => return None,
    };
    // Of whole numbers and others the opposites are not of a type.
    if named.contains(&"integer") {
        return None;
    }
    let others = ["null", "boolean", "object", "array", "number", "string"];
    let others: Vec<&str> = others.into_iter().filter(|name| !named.contains(name)).collect();
    Some(if others.is_empty() { Value::Bool(false) } else { json!({ "type": others }) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opposites_are_said_where_they_can_be() {
        let without = |name: &str| json!({ "type": "object", "properties": { name: false } });
        for (schema, expected) in [
            (json!({}), Some(json!(false))),
            (json!(false), Some(json!(true))),
            (json!({ "required": ["a"] }), Some(without("a"))),
            (
                json!({ "required": ["a", "b"] }),
                Some(json!({ "anyOf": [without("a"), without("b")] })),
            ),
            (
                json!({ "anyOf": [{ "required": ["a"] }, { "required": ["b"] }] }),
                Some(json!({ "allOf": [without("a"), without("b")] })),
            ),
            (
                json!({ "type": ["null", "string", "object"] }),
                Some(json!({ "type": ["boolean", "array", "number"] })),
            ),
            (json!({ "type": "integer" }), None),
            (json!({ "enum": ["a"] }), None),
            (json!({ "pattern": "a" }), None),
            // What is said is less than what is meant, so it cannot be turned round.
            (json!({ "not": { "required": ["a"] } }), None),
            (
                json!({ "type": "object", "required": ["a"], "properties": { "a": {} } }),
                Some(without("a")),
            ),
        ] {
            assert_eq!(opposite(&schema), expected, "{schema}");
        }
    }
}
