//! The macro's schemas, as others write them: examples in a list, as JSON Schema has them by now, and
//! the words about a field beside its type, wherever the type comes from.

use serde_json::{Map, Value};

/// Tidies a schema and all in it.
pub(super) fn tidy(schema: &mut Value) {
    let Some(map) = schema.as_object_mut() else {
        return;
    };
    for key in ["items", "additionalProperties", "propertyNames"] {
        map.get_mut(key).into_iter().for_each(tidy);
    }
    for key in ["oneOf", "anyOf", "allOf"] {
        map.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten().for_each(tidy);
    }
    let properties = map.get_mut("properties").and_then(Value::as_object_mut);
    properties.into_iter().flatten().for_each(|(_, property)| tidy(property));
    if let Some(example) = map.remove("example") {
        map.insert("examples".to_owned(), Value::Array(vec![example]));
    }
    lift_words(map);
    if let Some(whole) = joined(map) {
        *map = whole;
    }
}

/// What is null or of a type elsewhere has its description beside that type.
fn lift_words(map: &mut Map<String, Value>) {
    let Some([a, b]) = map.get_mut("oneOf").and_then(Value::as_array_mut).map(Vec::as_mut_slice)
    else {
        return;
    };
    let (null, other) = if a["type"] == "null" { (a, b) } else { (b, a) };
    if null["type"] != "null" || other.get("$ref").is_none() {
        return;
    }
    let words = other.as_object_mut().and_then(|other| other.remove("description"));
    map.extend(words.map(|words| ("description".to_owned(), words)));
}

/// What is written in its place and has words of its own is both and an object: it is no object.
fn joined(map: &Map<String, Value>) -> Option<Map<String, Value>> {
    let [whole, words] = map.get("allOf")?.as_array()?.as_slice() else {
        return None;
    };
    let mut whole = whole.as_object()?.clone();
    whole.insert("description".to_owned(), words.get("description")?.clone());
    Some(whole)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::tidy;

    #[test]
    fn words_stand_beside_types() {
        let mut schema = json!({"properties": {
            "example": {"type": "string", "example": "a"},
            "kind": {"allOf": [{"enum": ["a"], "description": "Old."}, {"type": "object", "description": "New."}]},
            "other": {"oneOf": [{"type": "null"}, {"$ref": "#/a", "description": "Words."}]},
        }});
        tidy(&mut schema);
        let wanted = json!({"properties": {
            "example": {"type": "string", "examples": ["a"]},
            "kind": {"enum": ["a"], "description": "New."},
            "other": {"oneOf": [{"type": "null"}, {"$ref": "#/a"}], "description": "Words."},
        }});
        assert_eq!(schema, wanted);
    }
}
