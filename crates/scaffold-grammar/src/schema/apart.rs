//! Whether no value is valid by two schemas together, as far as that can be seen.
//!
//! What is said here is never wrong, and not all that is so is seen: types, values that are named, and the
//! properties of objects are compared, through references and `allOf`.

use std::cell::Cell;

use serde_json::Value;

use super::reference::resolve;

/// Schemas within each other that are looked at.
const DEPTH: usize = 8;
/// Pairs of schemas that are looked at, for all answers about one schema: strangers write them.
const STEPS: usize = 200_000;
/// Schemas that one is made of.
const PARTS: usize = 32;

const NUMBER: u8 = 1 << 4;
const OBJECT: u8 = 1 << 2;
const ALL: u8 = 0b11_1111;

/// Compares the schemas within one.
pub(super) struct Compare<'s> {
    root: &'s Value,
    left: Cell<usize>,
}

impl<'s> Compare<'s> {
    pub(super) fn new(root: &'s Value) -> Self {
        Self { root, left: Cell::new(STEPS) }
    }

    /// Whether no value is valid by both.
    pub(super) fn are_apart(&self, one: &'s Value, other: &'s Value) -> bool {
        self.apart(one, other, 0)
    }

    /// The names of properties that an object has to have by a schema.
    pub(super) fn needed(&self, schema: &'s Value) -> Vec<&'s str> {
        let parts = self.parts(schema);
        let names = parts.iter().filter_map(|part| part.get("required")?.as_array()).flatten();
        names.filter_map(Value::as_str).collect()
    }

    /// The names of properties of which each tells that an object is valid by one and not by the other, if
    /// it is there: the other one does not allow it, or has it otherwise.
    pub(super) fn telling(&self, one: &'s Value, other: &'s Value) -> Vec<&'s str> {
        let (ones, others) = (self.parts(one), self.parts(other));
        let properties =
            ones.iter().filter_map(|part| part.get("properties")?.as_object()).flatten();
        let tells = |(name, own): &(&'s String, &'s Value)| {
            let has = |other: &'s Value| **own != Value::Bool(false) && self.apart(own, other, 1);
            others.iter().any(|part| forbids(part, name))
                || others.iter().filter_map(|part| part.get("properties")?.get(*name)).any(has)
        };
        properties.filter(tells).map(|(name, _)| name.as_str()).collect()
    }

    fn apart(&self, one: &'s Value, other: &'s Value, depth: usize) -> bool {
        let left = self.left.get();
        if depth > DEPTH || left == 0 {
            return false;
        }
        self.left.set(left - 1);
        let (ones, others) = (self.parts(one), self.parts(other));
        let types = types(&ones) & types(&others);
        types == 0
            || names_others(&ones, &others)
            || self.by_alternatives(&ones, other, depth)
            || self.by_alternatives(&others, one, depth)
            || types == OBJECT
                && (self.by_properties(&ones, &others, depth)
                    || self.by_properties(&others, &ones, depth))
    }

    /// Whether all of the alternatives of one are apart from the other.
    fn by_alternatives(&self, parts: &[&'s Value], other: &'s Value, depth: usize) -> bool {
        let alternatives = |part: &&'s Value| {
            ["anyOf", "oneOf"]
                .into_iter()
                .filter_map(|name| part.get(name)?.as_array())
                .collect::<Vec<_>>()
        };
        let mut all = parts.iter().flat_map(alternatives);
        all.any(|all| !all.is_empty() && all.iter().all(|one| self.apart(one, other, depth + 1)))
    }

    /// Whether one has to have a property that the other forbids, or has otherwise.
    fn by_properties(&self, ones: &[&'s Value], others: &[&'s Value], depth: usize) -> bool {
        let needed = ones.iter().filter_map(|part| part.get("required")?.as_array()).flatten();
        needed.filter_map(Value::as_str).any(|name| {
            let of = |part: &&'s Value| part.get("properties")?.get(name);
            others.iter().any(|part| forbids(part, name))
                || ones.iter().filter_map(of).any(|one| {
                    others.iter().filter_map(of).any(|other| self.apart(one, other, depth + 1))
                })
        })
    }

    /// A schema and all that it asks for besides: by references, and by `allOf`.
    fn parts(&self, schema: &'s Value) -> Vec<&'s Value> {
        let mut parts = vec![schema];
        let mut at = 0;
        while at < parts.len() && parts.len() < PARTS {
            let part = parts[at];
            if let Some(reference) = part.get("$ref").and_then(Value::as_str) {
                let target = resolve(self.root, reference)
                    .ok()
                    .and_then(|pointer| self.root.pointer(&pointer));
                parts.extend(
                    target
                        .filter(|target| !parts.iter().any(|known| std::ptr::eq(*known, *target))),
                );
            }
            parts.extend(part.get("allOf").and_then(Value::as_array).into_iter().flatten());
            at += 1;
        }
        parts
    }
}

/// Whether a schema allows no property of this name, as it names others.
fn forbids(part: &Value, name: &str) -> bool {
    let properties = part.get("properties");
    let patterns =
        part.get("patternProperties").and_then(Value::as_object).is_some_and(|all| !all.is_empty());
    properties.and_then(|properties| properties.get(name)).is_none()
        && part.get("additionalProperties") == Some(&Value::Bool(false))
        && !patterns
}

/// The types of values that all of these allow, a bit for each.
fn types(parts: &[&Value]) -> u8 {
    let bit = |name: &str| match name {
        "null" => 1,
        "boolean" => 1 << 1,
        "object" => OBJECT,
        "array" => 1 << 3,
        "number" | "integer" => NUMBER,
        "string" => 1 << 5,
        _ => ALL,
    };
    let of = |part: &&Value| {
        let said = match part.get("type") {
            Some(Value::String(name)) => bit(name),
            Some(Value::Array(names)) => names
                .iter()
                .map(|name| name.as_str().map_or(ALL, bit))
                .fold(0, |all, one| all | one),
            _ => ALL,
        };
        let said = if **part == Value::Bool(false) { 0 } else { said };
        let named = values(part)
            .map_or(ALL, |values| values.iter().fold(0, |all, value| all | bit(type_of(value))));
        said & named
    };
    parts.iter().map(of).fold(ALL, |all, one| all & one)
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The values that a schema names.
fn values(part: &Value) -> Option<&[Value]> {
    match (part.get("const"), part.get("enum")) {
        (Some(one), _) => Some(std::slice::from_ref(one)),
        (None, Some(Value::Array(all))) => Some(all),
        _ => None,
    }
}

/// Whether both name values, and none of them twice.
fn names_others(ones: &[&Value], others: &[&Value]) -> bool {
    /// More are not compared each with each.
    const MOST: usize = 200_000;
    let all = |parts: &[&Value], others: &[Value]| {
        let named = parts.iter().filter_map(|part| values(part));
        named.into_iter().any(|values| {
            values.len().saturating_mul(others.len()) <= MOST
                && values.iter().all(|one| others.iter().all(|other| differ(one, other)))
        })
    };
    others.iter().filter_map(|part| values(part)).any(|named| all(ones, named))
}

/// Whether two values are surely not the same: 1 and 1.0 are.
fn differ(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() != other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() != other.len() || one.iter().zip(other).any(|(one, other)| differ(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() != other.len()
                || one
                    .iter()
                    .any(|(key, value)| other.get(key).is_none_or(|known| differ(value, known)))
        }
        (one, other) => one != other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_apart_is_seen_and_what_is_not_is_not() {
        let root = json!({ "$defs": {
            "text": { "type": "string" }, "list": { "items": {}, "type": "array" },
            "cat": { "type": "object", "properties": { "kind": { "const": "cat" } }, "required": ["kind"] },
            "dog": { "allOf": [{ "$ref": "#/$defs/animal" }, { "properties": { "kind": { "enum": ["dog", "wolf"] } } }] },
            "animal": { "type": "object", "required": ["kind"] },
            "loop": { "$ref": "#/$defs/loop" },
        } });
        let (a, b) = (
            json!({ "required": ["a"], "type": "object" }),
            json!({ "properties": { "b": {} }, "additionalProperties": false }),
        );
        let named = |name: &str| json!({ "$ref": format!("#/$defs/{name}") });
        for (one, other, expected) in [
            (json!({ "type": "string" }), json!({ "type": ["null", "array"] }), true),
            (json!({ "type": "integer" }), json!({ "type": "number" }), false),
            (named("text"), named("list"), true),
            (named("cat"), named("dog"), true),
            (named("cat"), named("animal"), false),
            (named("loop"), named("loop"), false),
            (json!({ "enum": ["a", 1] }), json!({ "enum": ["b", 2] }), true),
            (json!({ "enum": ["a", 1] }), json!({ "enum": ["b", 1.0] }), false),
            (json!({ "enum": ["a", null] }), json!({ "type": "number" }), true),
            (json!({ "anyOf": [named("text"), { "type": "null" }] }), named("cat"), true),
            (json!({ "anyOf": [named("text"), {}] }), named("cat"), false),
            (a.clone(), b.clone(), true),
            (b, a, true),
            (json!({ "required": ["a"] }), json!({ "additionalProperties": false }), false),
            (json!({}), json!(true), false),
            (json!(false), json!({}), true),
        ] {
            let whole = json!({ "$defs": root["$defs"], "one": one, "other": other });
            let compare = Compare::new(&whole);
            assert_eq!(compare.are_apart(&whole["one"], &whole["other"]), expected, "{whole}");
        }
    }
}
