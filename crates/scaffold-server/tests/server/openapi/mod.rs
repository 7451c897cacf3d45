//! The server is what its document says: what is described is sent, and what comes back is read.

mod answers;
mod fields;
mod schema;
mod states;
mod tables;

use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::client::Answer;
use crate::house::{House, decoder_with};
use crate::made::coder;
use schema::Schemas;

/// A template of a model that thinks and calls tools.
const ABLE: &str = "{% if tools %}Tools: {% for t in tools %}{{ t.function.name }} {% endfor %}\n{% endif %}\
                    {% for m in messages %}{{ m.role }}: {{ m.content }}{% for c in m.tool_calls or [] %}<tool_call>\n\
                    {\"name\": \"{{ c.function.name }}\", \"arguments\": {{ c.function.arguments | tojson }}}\n</tool_call>\
                    {% endfor %}\n{% endfor %}{% if add_generation_prompt %}assistant: {% if enable_thinking is defined and \
                    not enable_thinking %}<think>\n\n</think>\n\n{% else %}<think>\n{% endif %}{% endif %}";

/// A server, its document and a model for everything.
struct Described {
    house: House,
    document: Value,
    able: TempDir,
    /// One that writes between two texts.
    coder: TempDir,
}

/// An operation of the document.
struct Operation<'d> {
    method: String,
    path: &'d str,
    says: &'d Value,
}

impl Described {
    fn new() -> Self {
        Self::of(House::new())
    }

    fn of(house: House) -> Self {
        let answer = house.get("/openapi.json");
        assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
        let document = answer.json();
        assert_eq!(document["openapi"], "3.1.0");
        Self { house, document, able: decoder_with(ABLE), coder: coder() }
    }

    fn schemas(&self) -> Schemas<'_> {
        Schemas { document: &self.document, closed: true }
    }

    fn operations(&self) -> impl Iterator<Item = Operation<'_>> {
        let paths = self.document["paths"].as_object().unwrap();
        paths.iter().flat_map(|(path, item)| {
            item.as_object().unwrap().iter().map(|(method, says)| Operation {
                method: method.to_uppercase(),
                path,
                says,
            })
        })
    }

    /// The name of a model for a path.
    fn model(&self, path: &str) -> String {
        if path.contains("rerank") {
            self.house.ranker.clone()
        } else if path.contains("embed") {
            self.house.embedder.clone()
        } else {
            self.able.path().to_str().unwrap().to_owned()
        }
    }

    /// The shapes that the body of a request may have.
    fn bodies(&self, operation: &Operation<'_>) -> Vec<Value> {
        let schema = &operation.says["requestBody"]["content"]["application/json"]["schema"];
        if schema.is_null() {
            return Vec::new();
        }
        let schemas = self.schemas();
        let schema = schemas.resolve(schema);
        match schema["oneOf"].as_array() {
            Some(ways) => ways.iter().map(|way| schemas.resolve(way).clone()).collect(),
            None => vec![schema.clone()],
        }
    }

    /// A request that asks for something, and for little.
    fn least(&self, path: &str, body: &Value) -> Map<String, Value> {
        let schemas = self.schemas();
        let Value::Object(mut least) = schemas.example(body) else { panic!("{path}: no object") };
        least.insert(asked_of(path).to_owned(), self.model(path).into());
        let fields = body["properties"].as_object().unwrap();
        for words in ["messages", "prompt", "input"] {
            if let Some(field) = fields.get(words).filter(|_| path != "/api/create") {
                least.entry(words).or_insert_with(|| schemas.example(field));
            }
        }
        for limit in ["max_tokens", "max_output_tokens"] {
            if fields.contains_key(limit) {
                least.insert(limit.to_owned(), 3.into());
            }
        }
        if fields.contains_key("options") {
            least.insert("options".to_owned(), json!({"num_predict": 3}));
        }
        // A text or a chat, not both.
        if fields.contains_key("add_special_tokens") {
            least.remove("messages");
        }
        least
    }

    /// What is wrong with an answer, by what its operation says of it.
    fn faults(&self, operation: &Operation<'_>, answer: &Answer) -> Vec<String> {
        let status = answer.status.to_string();
        let schemas = self.schemas();
        let Some(says) = operation.says["responses"].get(&status) else {
            return vec![format!("status {status} is not described: {}", answer.text())];
        };
        let says = schemas.resolve(says);
        let told = answer.headers.iter().map(|(name, _)| name.as_str());
        let told = told.filter(|name| answer.status == 200 && name.starts_with("x-scaffold-"));
        let silent: Vec<String> = told
            .filter(|name| says["headers"].get(*name).is_none())
            .map(|name| format!("header {name} is not described"))
            .collect();
        if !silent.is_empty() {
            return silent;
        }
        let content_type = answer.header("content-type").unwrap_or_default();
        let bare = content_type.split(';').next().unwrap();
        let Some(content) = says["content"].get(bare) else {
            let is_empty = says.get("content").is_none() && answer.body.is_empty();
            return if is_empty {
                Vec::new()
            } else {
                vec![format!("type {bare:?} is not described")]
            };
        };
        let of_data = &content["schema"]["properties"]["data"]["anyOf"][0]["contentSchema"];
        let schema = if of_data.is_null() { &content["schema"] } else { of_data };
        parts(bare, answer).iter().flat_map(|part| schemas.faults(schema, part)).collect()
    }

    /// A response that is kept.
    fn kept(&self) -> Value {
        let model = self.model("/v1/responses");
        let body = json!({"model": model, "input": "Hello", "max_output_tokens": 3});
        self.house.good("/v1/responses", &body)
    }
}

impl Operation<'_> {
    /// Whether its answer goes on for as long as somebody listens.
    fn is_endless(&self) -> bool {
        let content = self.says["responses"]["200"]["content"].as_object();
        content.is_some_and(|content| content.keys().all(|kind| kind == "text/event-stream"))
    }
}

/// The field that names the model that is asked.
fn asked_of(path: &str) -> &'static str {
    match path {
        "/api/create" => "from",
        "/api/copy" => "source",
        _ => "model",
    }
}

/// The values that a body has.
fn parts(content_type: &str, answer: &Answer) -> Vec<Value> {
    let read =
        |text: &str| serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    match content_type {
        "application/json" => vec![answer.json()],
        "application/x-ndjson" => answer.text().lines().map(read).collect(),
        "text/event-stream" => {
            let text = answer.text();
            let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
            let parts: Vec<Value> = data.filter(|data| *data != "[DONE]").map(read).collect();
            assert!(!parts.is_empty(), "there are no events: {text}");
            parts
        }
        _ => vec![answer.text().into()],
    }
}

/// Puts a value at a place: `options.seed`, `messages[0].images`. `object` has the values of what is on
/// the way.
fn put(body: &mut Value, place: &str, value: &Value) {
    let mut at = body;
    for step in place.replace('[', ".[").split('.') {
        if let Some(index) = step.strip_prefix('[') {
            let index: usize = index.strip_suffix(']').unwrap().parse().unwrap();
            if !at.is_array() {
                *at = json!([]);
            }
            let list = at.as_array_mut().unwrap();
            while list.len() <= index {
                list.push(json!({}));
            }
            at = &mut list[index];
        } else {
            if !at.is_object() {
                *at = json!({});
            }
            at = at.as_object_mut().unwrap().entry(step).or_insert(Value::Null);
        }
    }
    *at = value.clone();
}
