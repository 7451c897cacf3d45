//! What a schema asks of objects.

use scaffold_error::Error;
use serde_json::{Map, Value};

use super::place::Place;
use super::values;
use super::walk::{Object, Walk, check_least, has_applicator, pattern_of};
use crate::limits;

/// Writes what is asked of objects into `out`.
pub(super) fn lower(
    walk: &mut dyn Walk,
    object: &Object,
    place: &Place,
    depth: usize,
    out: &mut Object,
) -> Result<(), Error> {
    for name in ["properties", "patternProperties"] {
        let Some(value) = object.get(name) else { continue };
        let at = place.at(name);
        let properties =
            value.as_object().ok_or_else(|| at.wrong("has to be an object of schemas"))?;
        let mut lowered = Map::new();
        for (key, schema) in properties {
            let at = at.at(key);
            let schema = walk.schema(schema, &at, depth + 1)?;
            let key = if name == "properties" { key.clone() } else { pattern_of(key, &at)? };
            lowered.insert(key, schema);
        }
        out.insert(name.to_owned(), Value::Object(lowered));
    }
    if let Some(required) = object.get("required") {
        let at = place.at("required");
        // As draft 3 and others write it: a word beside the property.
        let names = required
            .as_array()
            .ok_or_else(|| at.wrong("has to be a list of names of properties"))?;
        if !names.iter().all(Value::is_string) {
            return Err(at.wrong("has to be a list of names of properties"));
        }
        out.insert("required".to_owned(), required.clone());
    }
    let mut others =
        object.get("additionalProperties").map(|value| (value, place.at("additionalProperties")));
    if let Some(rest) =
        object.get("unevaluatedProperties").filter(|rest| **rest != Value::Bool(true))
    {
        let at = place.at("unevaluatedProperties");
        if others.is_none() && !has_applicator(object) {
            others = Some((rest, at));
        } else if others.is_none() {
            let words = "properties that other schemas have seen are not told apart: use `additionalProperties`, with all \
                         properties in one schema";
            return Err(at.unsupported("unevaluatedProperties", words));
        }
    }
    if let Some((schema, at)) = others {
        let lowered = walk.schema(schema, &at, depth + 1)?;
        out.insert("additionalProperties".to_owned(), lowered);
    }
    if let Some(names) = object.get("propertyNames").filter(|names| **names != Value::Bool(true)) {
        named(walk.meant(names), &place.at("propertyNames"), out)?;
    }
    counted(walk, object, place, out)
}

/// `propertyNames`, where it can be said by patterns or names.
fn named(names: &Value, at: &Place, out: &mut Object) -> Result<(), Error> {
    const ONLY: &str = "only `pattern`, `enum` and `const` can be followed there, beside nothing else that names properties";
    let refused = || Err(at.unsupported("propertyNames", ONLY));
    let is_empty = |value: &Value| match value {
        Value::Object(names) => names.is_empty(),
        Value::Array(names) => names.is_empty(),
        _ => false,
    };
    let alone = ["properties", "patternProperties", "required"]
        .iter()
        .all(|name| out.get(*name).is_none_or(is_empty));
    let Some(said) = names.as_object().filter(|_| alone) else {
        return refused();
    };
    let silent = |name: &str| matches!(name, "type" | "title" | "description");
    let mut asked = said.iter().filter(|(name, _)| !silent(name));
    let string = said.get("type").is_none_or(|kind| kind == "string");
    let (Some((keyword, value)), None, true) = (asked.next(), asked.next(), string) else {
        return if string && said.keys().all(|name| silent(name)) { Ok(()) } else { refused() };
    };
    let schema = out.get("additionalProperties").cloned().unwrap_or(Value::Bool(true));
    let (kind, keys) = match (keyword.as_str(), value) {
        ("pattern", Value::String(pattern)) => {
            ("patternProperties", vec![pattern_of(pattern, at)?])
        }
        ("const", Value::String(name)) => ("properties", vec![name.clone()]),
        ("enum", Value::Array(names)) if names.iter().all(Value::is_string) => {
            ("properties", names.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        }
        _ => return refused(),
    };
    let properties: Object = keys.into_iter().map(|key| (key, schema.clone())).collect();
    out.insert(kind.to_owned(), Value::Object(properties));
    out.insert("additionalProperties".to_owned(), Value::Bool(false));
    Ok(())
}

/// `minProperties` and `maxProperties`, as far as they say something.
fn counted(
    walk: &mut dyn Walk,
    object: &Object,
    place: &Place,
    out: &mut Object,
) -> Result<(), Error> {
    let count = |name: &str| {
        object.get(name).map(|value| values::count(value, &place.at(name))).transpose()
    };
    let (least, most) = (count("minProperties")?.unwrap_or(0), count("maxProperties")?);
    let mut required: Vec<&Value> =
        out.get("required").and_then(Value::as_array).into_iter().flatten().collect();
    required.sort_by_key(|name| name.as_str().unwrap_or_default());
    required.dedup();
    let properties = out.get("properties").and_then(Value::as_object);
    let named = properties.map_or(0, Map::len) as u64;
    let patterns =
        out.get("patternProperties").and_then(Value::as_object).is_some_and(|p| !p.is_empty());
    let closed = out.get("additionalProperties") == Some(&Value::Bool(false)) && !patterns;
    let needed = required.len() as u64;
    if least > needed {
        let at = place.at("minProperties");
        check_least(least, &at)?;
        // Keys of one's own choice may come twice, and count once.
        if least - needed > 1 && !closed {
            let words = format!(
                "the names of {} properties or more that the schema does not name are not compared; name them, or ask for one",
                least - needed
            );
            return Err(at.unsupported("minProperties", words));
        }
        out.insert("minProperties".to_owned(), Value::from(least));
        walk.note_counted(&at);
    }
    if let Some(most) =
        most.filter(|most| *most <= limits::UNREACHABLE && !(closed && *most >= named))
    {
        out.insert("maxProperties".to_owned(), Value::from(most));
        walk.note_counted(&place.at("maxProperties"));
    }
    Ok(())
}
