//! `oneOf`: a value has to be valid by one alternative and by no other.

use serde_json::{Map, Value, json};

use super::apart::Compare;

/// Alternatives that are looked at: each with each.
const MOST: usize = 100;

/// What has to be asked of each alternative besides, so that no value of it is valid by another one: a
/// schema for each. `None` where that cannot be said, for all that is seen.
///
/// An alternative is told from another one by what both say; else by a property which the other one does not
/// allow or has otherwise, which this one then needs, or by a property that the other one needs, which this
/// one then leaves out.
pub(super) fn told_apart(root: &Value, alternatives: &[Value]) -> Option<Vec<Option<Value>>> {
    if alternatives.len() > MOST {
        return None;
    }
    let compare = Compare::new(root);
    let mut besides: Vec<Besides> = alternatives.iter().map(|_| Besides::default()).collect();
    for (at, one) in alternatives.iter().enumerate() {
        for (index, other) in alternatives.iter().enumerate().skip(at + 1) {
            if compare.are_apart(one, other) {
                continue;
            }
            besides[at].tell(&compare, one, other)?;
            besides[index].tell(&compare, other, one)?;
        }
    }
    Some(besides.into_iter().map(Besides::schema).collect())
}

/// What is asked of one alternative besides.
#[derive(Default)]
struct Besides {
    needed: Vec<String>,
    left_out: Vec<String>,
}

impl Besides {
    /// Asks for what tells `one`, whose besides these are, from `other`.
    fn tell(&mut self, compare: &Compare<'_>, one: &Value, other: &Value) -> Option<()> {
        let own = compare.needed(one);
        let (needed, left_out) = (compare.telling(one, other), compare.needed(other));
        let may_need = |name: &&&str| !self.left_out.iter().any(|known| known == **name);
        let may_leave =
            |name: &&&str| !own.contains(*name) && !self.needed.iter().any(|known| known == **name);
        let is_known = |names: &[String], name: &&&str| names.iter().any(|known| known == **name);
        // What is asked already may be enough.
        let needs = needed.iter().filter(may_need);
        let leaves = left_out.iter().filter(may_leave);
        if needs.clone().any(|name| is_known(&self.needed, &name) || own.contains(name))
            || leaves.clone().any(|name| is_known(&self.left_out, &name))
        {
            return Some(());
        }
        if let Some(name) = needs.clone().next() {
            self.needed.push((*name).to_owned());
        } else {
            let name = (*leaves.clone().next()?).to_owned();
            self.left_out.push(name);
        }
        Some(())
    }

    fn schema(self) -> Option<Value> {
        if self.needed.is_empty() && self.left_out.is_empty() {
            return None;
        }
        let left_out: Map<String, Value> =
            self.left_out.into_iter().map(|name| (name, Value::Bool(false))).collect();
        // Of values of other types several alternatives may be right.
        let mut schema = json!({ "type": "object" });
        if !left_out.is_empty() {
            schema["properties"] = left_out.into();
        }
        if !self.needed.is_empty() {
            schema["required"] = self.needed.into();
        }
        Some(schema)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternatives_are_told_apart_by_what_the_others_need() {
        let told = |alternatives: Value| told_apart(&Value::Null, alternatives.as_array().unwrap());
        let without = |name: &str| Some(json!({ "type": "object", "properties": { name: false } }));
        assert_eq!(told(json!([{ "type": "null" }, { "type": "string" }])), Some(vec![None, None]));
        assert_eq!(
            told(json!([{ "required": ["a"] }, { "required": ["b"] }])),
            Some(vec![without("b"), without("a")])
        );
        assert_eq!(told(json!([{ "required": ["a"] }, { "required": ["a", "b"] }])), None);
        assert_eq!(told(json!([{ "type": "integer" }, { "type": "number" }])), None);
        // A property that both have, each in its way, and one that the other does not allow.
        let kind =
            |kind: &str| json!({ "type": "object", "properties": { "kind": { "const": kind } } });
        let needs = |name: &str| Some(json!({ "type": "object", "required": [name] }));
        assert_eq!(told(json!([kind("a"), kind("b")])), Some(vec![needs("kind"), needs("kind")]));
        let closed = |name: &str| json!({ "type": "object", "properties": { name: {} }, "additionalProperties": false });
        assert_eq!(told(json!([closed("a"), closed("b")])), Some(vec![needs("a"), needs("b")]));
        let three = told(
            json!([{ "required": ["a"] }, { "required": ["b", "c"] }, { "required": ["c", "b"] }]),
        );
        assert_eq!(three, None);
    }
}
