//! Fields of requests: those that are described are honoured, and those that are named as refused or
//! ignored are that.

use serde_json::{Map, Value, json};

use super::{Described, Operation, asked_of, put};
use crate::client::Answer;

/// What a field needs beside it, and what it cannot have.
fn beside(described: &Described, path: &str, place: &str, body: &mut Value) {
    let weather = json!({"name": "weather", "parameters": {"type": "object"}});
    let is_named = body["tool_choice"]["type"] == "tool";
    let mut add = |name: &str, value: Value| {
        body.as_object_mut().unwrap().insert(name.to_owned(), value);
    };
    match (path, place) {
        (_, "top_logprobs") => add("logprobs", true.into()),
        (_, "stream_options.include_usage") => add("stream", true.into()),
        ("/tokenize", "content" | "messages") => add("prompt", Value::Null),
        // Enough for thoughts that are closed, and a word behind them.
        ("/v1/responses", "thinking_budget") => add("max_output_tokens", 40.into()),
        (_, "options.thinking_budget") => body["options"]["num_predict"] = 40.into(),
        (_, "thinking_budget" | "thinking.budget_tokens")
            if path != "/v1/messages/count_tokens" =>
        {
            add("max_tokens", 40.into());
        }
        (_, "suffix") => add("model", described.coder.path().to_str().into()),
        ("/v1/responses", "tool_choice") => {
            let mut tool = weather;
            tool["type"] = "function".into();
            add("tools", json!([tool]));
        }
        ("/v1/responses", "previous_response_id") => add(place, described.kept()["id"].clone()),
        ("/v1/responses", "input") => {
            for item in body["input"].as_array_mut().into_iter().flatten() {
                if item["type"] == "item_reference" {
                    item["id"] = described.kept()["output"][0]["id"].clone();
                }
            }
            let message = json!({"role": "user", "content": "Hello"});
            body["input"]
                .as_array_mut()
                .into_iter()
                .for_each(|list| list.insert(0, message.clone()));
        }
        (path, _) if path.starts_with("/v1/messages") && place.starts_with("tool_choice") => {
            add("tools", json!([{"name": "weather"}]));
            // A name is that of the one tool that has to be called.
            if is_named || place.ends_with("name") {
                add("tool_choice", json!({"type": "tool", "name": "weather"}));
            }
        }
        (_, "tool_choice") => add("tools", json!([{"type": "function", "function": weather}])),
        _ => {}
    }
}

/// Fetching and removing are tried elsewhere: they need a hub.
fn needs_hub(path: &str) -> bool {
    matches!(path, "/api/pull" | "/api/delete")
}

/// A value for each way to write a field that has an example or words of its own.
fn values(described: &Described, field: &Value, depth: usize) -> Vec<Value> {
    let schemas = described.schemas();
    let schema = schemas.resolve(field);
    let mut values = vec![schemas.example(schema)];
    values.extend(schema["enum"].as_array().cloned().unwrap_or_default());
    let ways = [&schema["oneOf"], &schema["anyOf"]];
    for way in ways.into_iter().filter_map(Value::as_array).flatten() {
        let way = schemas.resolve(way);
        let has_parts = ["enum", "oneOf", "anyOf", "examples", "properties"];
        if has_parts.iter().any(|key| way.get(key).is_some()) {
            values.extend(self::values(described, way, depth));
        } else if let Some(items) =
            way.get("items").filter(|it| depth > 0 && it.get("type").is_none())
        {
            values.extend(
                self::values(described, items, depth - 1).into_iter().map(|it| json!([it])),
            );
        }
    }
    let mut seen = Vec::new();
    values.retain(|value| {
        let is_new = !seen.contains(value) && !value.is_null();
        seen.push(value.clone());
        is_new
    });
    values
}

/// The places of a body's fields, those in objects too, with a value for each way to write it.
fn places(described: &Described, body: &Value) -> Vec<(String, Value)> {
    let schemas = described.schemas();
    let mut places = Vec::new();
    for (name, field) in body["properties"].as_object().unwrap() {
        let whole = schemas.example(field);
        let inner = schemas.resolve(
            field["oneOf"]
                .as_array()
                .map_or(field, |ways| ways.iter().find(|way| way["type"] != "null").unwrap()),
        );
        for (inner_name, inner_field) in inner["properties"].as_object().into_iter().flatten() {
            for inner_value in values(described, inner_field, 1) {
                let mut value = whole.clone();
                put(&mut value, inner_name, &inner_value);
                places.push((format!("{name}.{inner_name}"), value));
            }
        }
        places.extend(values(described, field, 1).into_iter().map(|value| (name.clone(), value)));
    }
    places
}

/// Asks for all at once and, where that can be asked for, in parts.
fn ask(described: &Described, operation: &Operation<'_>, body: &Value) -> Vec<(Value, Answer)> {
    let content = operation.says["responses"]["200"]["content"].as_object();
    let streams = content.is_some_and(|content| content.len() > 1);
    let ways: &[bool] = if streams { &[false, true] } else { &[false] };
    let ask = |&stream: &bool| {
        let mut body = body.clone();
        if streams {
            body["stream"] = stream.into();
        }
        let answer = described.house.post(operation.path, &body);
        (body, answer)
    };
    ways.iter().map(ask).collect()
}

#[test]
fn described_fields_are_honoured_and_answers_are_as_described() {
    let described = Described::new();
    let (mut wrong, mut tried) = (Vec::new(), 0);
    for operation in described.operations().filter(|operation| !needs_hub(operation.path)) {
        for schema in described.bodies(&operation) {
            for (place, value) in places(&described, &schema) {
                let name = place.split('.').next().unwrap();
                // Files that were brought are a test of their own.
                let is_elsewhere = operation.path == "/api/create" && name == "files";
                if name == "model" || name == asked_of(operation.path) || is_elsewhere {
                    continue;
                }
                let mut body = Value::Object(described.least(operation.path, &schema));
                if value["num_predict"].is_null() && name == "options" {
                    let mut options = value.clone();
                    options["num_predict"] = 3.into();
                    body[name] = options;
                } else {
                    body[name] = value;
                }
                beside(&described, operation.path, &place, &mut body);
                for (body, answer) in ask(&described, &operation, &body) {
                    tried += 1;
                    let ignored = answer.header("x-scaffold-ignored");
                    let faults = described.faults(&operation, &answer);
                    // With several to choose from, a stream would have to wait for all.
                    // Thoughts are told apart where there are any, and that they were closed is told.
                    let has_budget = place.contains("budget")
                        && !matches!(
                            operation.path,
                            "/v1/completions" | "/v1/messages/count_tokens"
                        );
                    let is_cut = answer.text().contains("\"thinking_finish_reason\":\"length\"");
                    // What went wrong after the beginning is told in lines and events.
                    let failed = ["\"error\":\"", "\"error\":{"];
                    let is_whole = !failed.iter().any(|word| answer.text().contains(word));
                    let is_fine = answer.status == 200
                        && ignored.is_none()
                        && faults.is_empty()
                        && is_whole
                        && is_cut == has_budget;
                    let must_wait = place == "best_of" && body["stream"] == true;
                    if !is_fine && !must_wait {
                        let text = answer.text();
                        wrong.push(format!(
                            "{} {place}: {body}: {} {ignored:?} {faults:#?} {text}",
                            operation.path, answer.status
                        ));
                    }
                }
            }
        }
    }
    assert!(tried > 600, "only {tried} requests were tried");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The fields that an operation names in a list, each in a request.
fn named(
    described: &Described,
    list: &str,
    check: impl Fn(&Operation<'_>, &str, &Value, &Answer) -> bool,
) {
    let (mut wrong, mut tried) = (Vec::new(), 0);
    let schemas = described.schemas();
    for operation in described.operations() {
        let Some(named) = operation.says[list].as_object() else { continue };
        let schema = &described.bodies(&operation)[0];
        let each = |(place, values): (&'_ String, &'_ Value)| -> Vec<(String, Value)> {
            values.as_array().unwrap().iter().map(|value| (place.clone(), value.clone())).collect()
        };
        for (place, value) in &named.iter().flat_map(each).collect::<Vec<_>>() {
            let name = place.split(['.', '[']).next().unwrap();
            let mut body = Value::Object(described.least(operation.path, schema));
            if needs_hub(operation.path) {
                body["stream"] = false.into();
            }
            // What is on the way is what is described of it.
            let field = &schema["properties"][name];
            if place.contains('.') && field.is_object() && body[name].is_null() {
                body[name] = schemas.example(field);
            }
            put(&mut body, place, value);
            let answer = described.house.post(operation.path, &body);
            tried += 1;
            if !check(&operation, place, &body, &answer) {
                wrong.push(format!(
                    "{} {place}: {body}: {} {:?} {}",
                    operation.path,
                    answer.status,
                    answer.headers,
                    answer.text()
                ));
            }
        }
    }
    assert!(tried > 20, "only {tried} requests were tried");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_named_as_refused_is_refused_by_its_name() {
    let described = Described::new();
    named(&described, "x-scaffold-refused", |operation, place, _, answer| {
        let name = place.split(['.', '[']).next().unwrap();
        let faults = described.faults(operation, answer);
        answer.status == 400 && faults.is_empty() && answer.text().contains(name)
    });
}

#[test]
fn what_is_named_as_ignored_is_named_in_the_answer() {
    let described = Described::new();
    named(&described, "x-scaffold-ignored", |operation, place, _, answer| {
        let names = answer.header("x-scaffold-ignored").unwrap_or_default();
        // There is no hub to fetch anything from, so that nothing is said of fields either.
        let is_told = names.split(", ").any(|name| name == place) || needs_hub(operation.path);
        let faults = described.faults(operation, answer);
        is_told && faults.is_empty() && (answer.status == 200 || needs_hub(operation.path))
    });
}

#[test]
fn examples_are_what_their_schemas_say() {
    let described = Described::new();
    let schemas = described.schemas();
    let mut wrong = Vec::new();
    for (name, schema) in described.document["components"]["schemas"].as_object().unwrap() {
        let whole: Map<String, Value> = Map::from_iter([(name.clone(), schema.clone())]);
        let fields = schema["properties"].as_object().into_iter().flatten();
        for (field, schema) in whole.iter().chain(fields) {
            for example in schema["examples"].as_array().into_iter().flatten() {
                let faults = schemas.faults(schema, example);
                if !faults.is_empty() {
                    wrong.push(format!("{name} {field}: {faults:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(schemas.example(&json!({"$ref": "#/components/schemas/KeepAlive"})), "5m");
}
