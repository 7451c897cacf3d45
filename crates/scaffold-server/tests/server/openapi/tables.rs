//! The tables of docs/compatibility.md and the document name the same fields.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Described;

const TABLES: &str = include_str!("../../../../../docs/compatibility.md");

/// What the tables of these sections say fields of what, and which operations those are.
const SECTIONS: [(&str, &[&str]); 9] = [
    ("| field of `chat` and `generate` |", &["/api/chat", "/api/generate"]),
    ("| field of `embed` and `embeddings` |", &["/api/embed", "/api/embeddings"]),
    ("| field of `create` |", &["/api/create"]),
    ("| field of chats and completions |", &["/v1/chat/completions", "/v1/completions"]),
    ("| field of chats |", &["/v1/chat/completions"]),
    ("| field of responses |", &["/v1/responses"]),
    ("| field of completions |", &["/v1/completions"]),
    ("| field of embeddings |", &["/v1/embeddings"]),
    ("| field of messages |", &["/v1/messages"]),
];

/// The first cells of a table.
fn rows(head: &str) -> Vec<&'static str> {
    let (_, after) = TABLES.split_once(head).unwrap_or_else(|| panic!("there is no {head}"));
    let rows = after.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| row.trim_start_matches("| ").split(" | ").next().unwrap()).collect()
}

/// The words between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// All names that the document has for fields of a path, and the words that may stand in them.
fn known(described: &Described, path: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut names, mut words) = (BTreeSet::new(), BTreeSet::new());
    let operation = described.operations().find(|operation| operation.path == path).unwrap();
    for body in described.bodies(&operation) {
        collect(described, &body, &mut names, &mut words, 0);
    }
    for list in ["x-scaffold-refused", "x-scaffold-ignored"] {
        for (place, value) in operation.says[list].as_object().into_iter().flatten() {
            names
                .extend(place.split(['.', '[']).map(|step| step.trim_end_matches("0]").to_owned()));
            texts(value, &mut words);
        }
    }
    (names, words)
}

fn collect(
    described: &Described,
    schema: &Value,
    names: &mut BTreeSet<String>,
    words: &mut BTreeSet<String>,
    depth: usize,
) {
    if depth > 8 {
        return;
    }
    let schemas = described.schemas();
    let schema = schemas.resolve(schema);
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        names.insert(name.clone());
        collect(described, field, names, words, depth + 1);
    }
    for key in ["oneOf", "anyOf"] {
        for way in schema[key].as_array().into_iter().flatten() {
            collect(described, way, names, words, depth + 1);
        }
    }
    if schema.get("items").is_some() {
        collect(described, &schema["items"], names, words, depth + 1);
    }
    words.extend(quoted(schema["description"].as_str().unwrap_or_default()).map(str::to_owned));
    texts(&schema["enum"], words);
    texts(&schema["examples"], words);
}

/// All texts in a value, names of fields among them.
fn texts(value: &Value, words: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            words.insert(text.clone());
        }
        Value::Array(list) => list.iter().for_each(|inner| texts(inner, words)),
        Value::Object(map) => map.iter().for_each(|(name, inner)| {
            words.insert(name.clone());
            texts(inner, words);
        }),
        _ => {}
    }
}

#[test]
fn what_the_tables_name_is_described() {
    let described = Described::new();
    for (head, paths) in SECTIONS {
        let known: Vec<_> = paths.iter().map(|path| known(&described, path)).collect();
        for row in rows(head) {
            for name in quoted(row).flat_map(|name| name.split('.')) {
                let is_known = |(names, words): &(BTreeSet<String>, BTreeSet<String>)| match name
                    .strip_suffix('…')
                {
                    Some(start) => names.iter().any(|name| name.starts_with(start)),
                    None => names.contains(name) || words.contains(name),
                };
                assert!(
                    name == "…" || known.iter().any(is_known),
                    "{head} {name} of {row} is not described"
                );
            }
        }
    }
}

#[test]
fn what_is_described_is_in_the_tables() {
    let described = Described::new();
    for path in [
        "/api/chat",
        "/api/generate",
        "/api/embed",
        "/api/embeddings",
        "/api/create",
        "/v1/chat/completions",
        "/v1/completions",
        "/v1/embeddings",
        "/v1/responses",
        "/v1/messages",
    ] {
        let tables = SECTIONS.iter().filter(|(_, paths)| paths.contains(&path));
        let told: BTreeSet<&str> = tables
            .flat_map(|(head, _)| rows(head))
            .flat_map(quoted)
            .flat_map(|name| name.split('.'))
            .collect();
        let is_told = |name: &str| {
            let starts = told.iter().filter_map(|told| told.strip_suffix('…'));
            told.contains(name)
                || starts.into_iter().any(|start| !start.is_empty() && name.starts_with(start))
        };
        let operation = described.operations().find(|operation| operation.path == path).unwrap();
        let described_names: Vec<String> = described
            .bodies(&operation)
            .iter()
            .flat_map(|body| {
                body["properties"].as_object().unwrap().keys().cloned().collect::<Vec<_>>()
            })
            .collect();
        let refused = operation.says["x-scaffold-refused"].as_object().into_iter().flatten();
        let refused = refused.map(|(place, _)| place.split(['.', '[']).next().unwrap().to_owned());
        for name in described_names.into_iter().chain(refused) {
            assert!(is_told(&name), "{path}: the tables say nothing of {name}");
        }
    }
}
