//! Answers without a body, and errors, are as they are described.

use scaffold_server::Keys;
use serde_json::{Value, json};

use super::{Described, Operation, asked_of};
use crate::client::Answer;
use crate::house::{House, until};
use crate::pulling::hub;
use crate::tools::{CALL_ID, calling};

fn ask(described: &Described, operation: &Operation<'_>, headers: &str, id: &str) -> Answer {
    let model = described.house.chat.replace('/', "%2F");
    let path = operation
        .path
        .replace("{model}", &model)
        .replace("{file}", "icon.svg")
        .replace("{digest}", "sha256:00")
        .replace("{id}", id);
    described.house.ask(&operation.method, &path, headers, b"{}")
}

fn check(described: &Described, operation: &Operation<'_>, answer: &Answer) {
    let faults = described.faults(operation, answer);
    let text = String::from_utf8_lossy(&answer.body);
    assert!(faults.is_empty(), "{} {}: {faults:#?} {text}", operation.method, operation.path);
}

#[test]
fn what_is_asked_without_a_body_is_answered_as_described() {
    let other = House::new();
    let house =
        House::with(|options| options.preload([other.chat.clone(), other.embedder.clone()]));
    until("it is ready", || house.get("/ready").status == 200);
    house.good("/api/generate", &json!({"model": other.chat, "stream": false}));
    let described = Described::of(house);
    for operation in described.operations() {
        let has_body = operation.says.get("requestBody").is_some();
        if has_body || operation.method == "HEAD" || operation.is_endless() {
            continue;
        }
        let kept = operation.path.contains("{id}").then(|| described.kept());
        let id = kept.as_ref().map_or("", |kept| kept["id"].as_str().unwrap());
        let answer = ask(&described, &operation, "", id);
        let wanted =
            if operation.says["responses"].get("200").is_some() { 200 } else { answer.status };
        assert_eq!(answer.status, wanted, "{}", operation.path);
        check(&described, &operation, &answer);
        assert!(
            answer.header("x-request-id").is_some()
                && answer.header("x-scaffold-version").is_some()
        );
    }
    let page = described.house.ask("GET", "/", "Accept: text/html\r\n", b"");
    let root = described.operations().find(|operation| operation.path == "/").unwrap();
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    check(&described, &root, &page);
}

#[test]
fn errors_have_the_shape_that_is_described() {
    let described = Described::new();
    let mut tried = 0;
    for operation in described.operations() {
        for body in described.bodies(&operation) {
            let mut bodies = vec![json!({}), json!({"model": 5})];
            let mut absent = Value::Object(described.least(operation.path, &body));
            absent[asked_of(operation.path)] = "org/none".into();
            bodies.push(absent);
            for body in bodies {
                let text = body.to_string();
                let answer =
                    described.house.ask(&operation.method, operation.path, "", text.as_bytes());
                tried += 1;
                // A download that fails says so in its lines.
                let is_told =
                    matches!(operation.path, "/api/pull" | "/api/create") && answer.status == 200;
                assert!(is_told || matches!(answer.status, 400 | 404), "{} {text}", operation.path);
                check(&described, &operation, &answer);
            }
        }
    }
    assert!(tried > 50, "only {tried} requests were tried");
}

#[test]
fn keys_are_asked_for_where_it_says_so() {
    let keys = Keys::parse("laptop 0123456789abcdef\n").unwrap();
    let described = Described::of(House::with(|options| options.keys(keys)));
    for operation in described.operations().filter(|operation| operation.method != "HEAD") {
        let is_public = operation.says["security"] == json!([]);
        let answer = ask(&described, &operation, "", "resp_none");
        assert_eq!(answer.status == 401, !is_public, "{}: {}", operation.path, answer.status);
        if operation.path != "/ready" {
            check(&described, &operation, &answer);
        }
        if operation.is_endless() {
            continue;
        }
        let key = "Authorization: Bearer 0123456789abcdef\r\n";
        let answer = ask(&described, &operation, key, "resp_none");
        assert!(answer.status != 401, "{}", operation.path);
    }
}

#[test]
fn models_come_and_go_as_described() {
    let other = House::new();
    let hub = hub(&other.chat);
    let described = Described::of(House::of_hub(&hub.url(), |options| options));
    let of = |path: &str| described.operations().find(|operation| operation.path == path).unwrap();
    for stream in [true, false] {
        let body = json!({"model": "org/tiny", "stream": stream, "insecure": false});
        let answer = described.house.post("/api/pull", &body);
        assert_eq!((answer.status, answer.header("x-scaffold-ignored")), (200, None));
        check(&described, &of("/api/pull"), &answer);
        check(&described, &of("/api/tags"), &described.house.get("/api/tags"));
        let answer = described.house.ask("DELETE", "/api/delete", "", br#"{"model": "org/tiny"}"#);
        assert_eq!(answer.status, 200);
        check(&described, &of("/api/delete"), &answer);
    }
}

#[test]
fn what_is_done_in_another_way_is_told_as_described() {
    let described = Described::new();
    let tools = json!([{"type": "function", "function": {"name": "weather"}}]);
    let messages = json!([{"role": "user", "content": "Hello"}]);
    let body = json!({"model": described.house.chat, "messages": messages, "tools": tools});
    for path in ["/render", "/tokenize"] {
        let answer = described.house.post(path, &body);
        assert!(answer.header("x-scaffold-notice").is_some(), "{path}");
        let operation = described.operations().find(|operation| operation.path == path).unwrap();
        check(&described, &operation, &answer);
    }
    // Wherever there are tools, there may be such a notice.
    for operation in described.operations() {
        let has_tools = described
            .bodies(&operation)
            .iter()
            .any(|body| body["properties"].get("tools").is_some());
        let headers = &operation.says["responses"]["200"]["headers"];
        let may_notice = headers.get("x-scaffold-notice").is_some();
        assert!(may_notice || !has_tools, "{}", operation.path);
    }
}

#[test]
fn calls_are_as_described() {
    let described = Described::new();
    let directory = calling();
    let tools = json!([{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]);
    let operation =
        described.operations().find(|operation| operation.path == "/v1/chat/completions").unwrap();
    for stream in [false, true] {
        let body = json!({
            "model": directory.path().to_str().unwrap(), "messages": [{"role": "user", "content": "Hello"}], "tools": tools,
            "max_tokens": 2, "temperature": 0, "logit_bias": {CALL_ID.to_string(): 100}, "stream": stream,
        });
        let answer = described.house.post(operation.path, &body);
        assert!(answer.status == 200 && answer.text().contains("tool_calls"), "{}", answer.text());
        check(&described, &operation, &answer);
    }
}
