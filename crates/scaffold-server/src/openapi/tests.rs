use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Schemas, operations, value};

#[test]
fn a_name_means_one_schema() {
    let mut all = Schemas::new();
    for described in operations() {
        all.extend(described.schemas);
    }
    let mut seen = BTreeMap::new();
    for (name, schema) in all {
        let text = serde_json::to_string(&schema).unwrap();
        let before = seen.insert(name.clone(), text.clone());
        assert!(before.is_none_or(|before| before == text), "{name} means two things");
    }
}

#[test]
fn operations_have_names_of_their_own() {
    let document = value();
    let mut names = BTreeSet::new();
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "{name} is there twice");
        }
    }
}

/// Every reference leads somewhere.
#[test]
fn references_lead_somewhere() {
    fn walk(value: &Value, whole: &Value) {
        match value {
            Value::Object(map) => {
                if let Some(Value::String(reference)) = map.get("$ref") {
                    let place = reference.strip_prefix('#').unwrap();
                    assert!(whole.pointer(place).is_some(), "{reference} leads nowhere");
                }
                map.values().for_each(|inner| walk(inner, whole));
            }
            Value::Array(list) => list.iter().for_each(|inner| walk(inner, whole)),
            _ => {}
        }
    }
    let document = value();
    walk(&document, &document);
}

#[test]
fn every_property_says_what_it_is() {
    let document = value();
    let mut silent = Vec::new();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        if !schema["description"].is_string() {
            silent.push(format!("{name} says nothing"));
        }
        for (field, property) in schema["properties"].as_object().into_iter().flatten() {
            let about = property["description"].as_str().unwrap_or_default();
            if !about.ends_with('.') || about.contains('\n') {
                silent.push(format!("{name}.{field} is {about:?}"));
            }
            // What has parts has its example from them; what is always null, or anything, needs none.
            let text = property.to_string();
            let is_whole = name == "Document";
            let needs_none = is_whole
                || property["type"] == "null"
                || property.as_object().is_some_and(|it| it.len() == 1);
            let has_example = ["\"examples\":", "\"$ref\":"].iter().any(|key| text.contains(key));
            if !has_example && !needs_none {
                silent.push(format!("{name}.{field} has no example: {property}"));
            }
        }
    }
    assert!(silent.is_empty(), "{silent:#?}");
}
