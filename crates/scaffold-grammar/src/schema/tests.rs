use serde_json::json;

use super::*;

fn refused(schema: &Value) -> String {
    check(schema).unwrap_err().to_string()
}

#[test]
fn what_is_not_followed_is_refused_with_its_place() {
    let of = |schema: Value| json!({ "type": "object", "properties": { "a/b": schema } });
    for (schema, keyword) in [
        (json!({ "not": { "enum": [1] } }), "not"),
        (json!({ "type": "array", "uniqueItems": true }), "uniqueItems"),
        (json!({ "contains": { "type": "null" } }), "contains"),
        (json!({ "if": {}, "then": {} }), "if"),
        (
            json!({ "dependencies": { "a": ["a"], "b": ["a"], "c": ["a"], "d": ["a"], "e": ["a"], "f": ["a"] } }),
            "dependencies",
        ),
        (json!({ "propertyNames": { "minLength": 3 } }), "propertyNames"),
        (
            json!({ "allOf": [{ "properties": { "b": {} } }], "unevaluatedProperties": false }),
            "unevaluatedProperties",
        ),
        (json!({ "anyOf": [{ "items": {} }], "unevaluatedItems": false }), "unevaluatedItems"),
        (json!({ "$dynamicRef": "#a" }), "$dynamicRef"),
        (json!({ "type": "string", "format": "mongo-id" }), "format"),
        (json!({ "type": "string", "nullable": true }), "nullable"),
        (json!({ "type": "object", "minProperties": 2 }), "minProperties"),
        (json!({ "requird": ["a"] }), "requird"),
        (json!({ "divisibleBy": 2 }), "divisibleBy"),
        (json!({ "$id": "https://example.com/b", "items": { "$ref": "#/x" } }), "$id"),
    ] {
        let words = refused(&of(schema));
        assert!(words.contains(&format!("`{keyword}`")), "{words}");
        assert!(words.contains(&format!("#/properties/a~1b/{keyword}`")), "{words}");
    }
}

#[test]
fn what_asks_for_nothing_is_passed_over() {
    for schema in [
        json!(true),
        json!({}),
        json!({ "title": "T", "description": "d", "default": 1, "examples": [], "x-own": 1, "deprecated": true }),
        json!({ "javaType": "a.B", "readonly": true, "_format": "x", "order": 3, "links": [{ "href": "/" }] }),
        json!({ "items": { "$id": "https://example.com/b", "type": "null" } }),
        json!({ "type": "string", "format": "password" }),
        json!({ "type": "array", "uniqueItems": false }),
        json!({ "type": "array", "uniqueItems": true, "maxItems": 1 }),
        json!({ "if": { "type": "null" } }),
        json!({ "minContains": 1, "nullable": false, "dependencies": {} }),
        json!({ "$defs": { "unused": { "not": {} } } }),
        json!({ "type": "object", "minProperties": 1, "unevaluatedProperties": false }),
    ] {
        check(&schema).unwrap_or_else(|error| panic!("{schema}: {error}"));
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    for (schema, words) in [
        (json!([]), "the schema at `#` is a list"),
        (json!({ "type": "text" }), "`#/type` is \"text\""),
        (json!({ "enum": [] }), "`#/enum`"),
        (json!({ "anyOf": [] }), "`#/anyOf`"),
        (json!({ "items": { "minItems": -1 } }), "`#/items/minItems` is -1"),
        (json!({ "const": "\u{1}" }), "U+0001"),
        (json!({ "enum": [1, 9007199254740993u64] }), "`#/enum/1`"),
        (json!({ "multipleOf": 0 }), "`#/multipleOf`"),
        (json!({ "pattern": "(?=a)" }), "`#/pattern`"),
        (json!({ "$ref": "other.json" }), "nothing is fetched"),
        (json!({ "$ref": "#/$defs/a" }), "there is nothing at"),
        (
            json!({ "$ref": "#/$defs/a", "$defs": { "a": { "$ref": "#/$defs/a" } } }),
            "refers to itself",
        ),
        (json!({ "$schema": "http://example.com/own" }), "which is not known"),
        (json!({ "required": true }), "`#/required`"),
        (json!({ "type": "string", "minLength": 1_000_000 }), "10000"),
    ] {
        let error = refused(&schema);
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn drafts_come_out_alike() {
    let lowered = |schema: Value| lower(&schema, Space::Lines).unwrap().schema;
    let items = |schema: Value| {
        let lowered = lowered(schema);
        (lowered["prefixItems"].clone(), lowered["items"].clone())
    };
    assert_eq!(
        items(json!({ "items": [{ "type": "null" }], "additionalItems": false })),
        items(json!({ "prefixItems": [{ "type": "null" }], "items": false }))
    );
    let far = lowered(json!({ "minimum": -1e300, "maximum": 9223372036854775807u64 }));
    assert_eq!(
        (&far["minimum"], &far["maximum"]),
        (&json!(-9007199254740991i64), &json!(9007199254740991i64))
    );
    assert!(refused(&json!({ "minimum": 1e300 })).contains("2^53"));
    let old = lowered(json!({ "minimum": 3, "exclusiveMinimum": true }));
    assert_eq!(old["exclusiveMinimum"], 3);
    let definitions = lowered(json!({
        "definitions": { "node": { "type": "object", "properties": { "next": { "$ref": "#/definitions/node" } } } },
        "$ref": "#/definitions/node",
    }));
    assert_eq!(definitions["$ref"], "#/$defs/0");
    assert_eq!(definitions["$defs"]["0"]["properties"]["next"]["$ref"], "#/$defs/0");
}

/// The walk itself is bounded, before anything is compiled.
#[test]
fn hostile_schemas_are_bounded() {
    let mut deep = json!({ "type": "null" });
    for _ in 0..200 {
        deep = json!({ "items": deep });
    }
    assert!(refused(&deep).contains("64"));
    let wide = json!({ "enum": (0..20_000).collect::<Vec<_>>() });
    assert!(refused(&wide).contains("20000 values"));
    let many = json!({ "anyOf": vec![json!({}); 20_000] });
    assert!(refused(&many).contains("10000"));
    let long = json!({ "const": "a".repeat(1 << 20) });
    assert!(refused(&long).contains("524288"));
}
