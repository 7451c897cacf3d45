//! Streams that never end, and files that are brought, are as they are described.

use serde_json::{Value, json};

use super::{Described, Operation};
use crate::client::send;
use crate::made::digest;
use crate::states::read_until;

fn of<'d>(described: &'d Described, method: &str, path: &str) -> Operation<'d> {
    let found = described.operations().find(|it| it.method == method && it.path == path);
    found.unwrap_or_else(|| panic!("{method} {path} is not described"))
}

/// The states that such a stream tells of a model that comes and goes.
fn told(described: &Described, path: &str) -> Vec<Value> {
    let mut stream = send(described.house.address, "GET", path, "", b"");
    let model = json!({"model": described.house.chat});
    let is = |state: &Value, words: [&str; 2]| {
        state["stage"] == words[0] || state["data"]["status"] == words[1]
    };
    described.house.good("/v1/load", &model);
    let mut told = read_until(&mut stream, |state| is(state, ["ready", "loaded"]));
    described.house.good("/v1/unload", &model);
    told.extend(read_until(&mut stream, |state| is(state, ["unloaded"; 2])));
    told
}

#[test]
fn streams_of_states_are_as_described() {
    let described = Described::new();
    let endless: Vec<_> = described.operations().filter(Operation::is_endless).collect();
    assert_eq!(endless.len(), 2);
    for operation in endless {
        let content = &operation.says["responses"]["200"]["content"]["text/event-stream"];
        let schema = &content["schema"]["properties"]["data"]["anyOf"][0]["contentSchema"];
        for state in told(&described, operation.path) {
            let faults = described.schemas().faults(schema, &state);
            assert!(faults.is_empty(), "{}: {faults:?} {state}", operation.path);
        }
    }
}

#[test]
fn files_are_brought_as_described() {
    let described = Described::new();
    let contents = b"words";
    let path = format!("/api/blobs/{}", digest(contents));
    let ask = |method: &str, path: &str, body: &[u8], status: u16| {
        let operation = of(&described, method, "/api/blobs/{digest}");
        let answer = described.house.ask(method, path, "", body);
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
        let says = operation.says["responses"].get(status.to_string());
        assert!(says.is_some(), "{method}: {status} is not described");
        if method == "POST" {
            let faults = described.faults(&operation, &answer);
            assert!(faults.is_empty(), "{method} {path}: {faults:?}");
        }
    };
    ask("HEAD", &path, b"", 404);
    ask("POST", &path, b"other words", 400);
    ask("POST", &path, contents, 201);
    ask("POST", &path, contents, 200);
    ask("HEAD", &path, b"", 200);
    ask("HEAD", "/api/blobs/sha256:00", b"", 400);
    let body = &of(&described, "POST", "/api/blobs/{digest}").says["requestBody"];
    assert!(body["content"].get("application/octet-stream").is_some(), "{body}");
}

#[test]
fn parameters_behind_a_path_are_as_described() {
    let described = Described::new();
    let operation = of(&described, "GET", "/v1/responses/{id}/input_items");
    let kept = described.kept();
    let id = kept["id"].as_str().unwrap();
    let list = |query: &str| {
        let answer = described.house.get(&format!("/v1/responses/{id}/input_items{query}"));
        let faults = described.faults(&operation, &answer);
        assert!(faults.is_empty(), "{query}: {faults:?} {}", answer.text());
        answer
    };
    let item = list("").json()["data"][0]["id"].as_str().unwrap().to_owned();
    let names: Vec<&str> = operation.says["parameters"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|parameter| parameter["in"] == "query")
        .map(|parameter| parameter["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["limit", "order", "after"]);
    for (query, status) in [
        ("?limit=100".to_owned(), 200),
        ("?order=asc".to_owned(), 200),
        (format!("?after={item}"), 200),
        ("?limit=0".to_owned(), 400),
        ("?limit=101".to_owned(), 400),
        ("?order=up".to_owned(), 400),
        ("?after=nothing".to_owned(), 400),
    ] {
        let answer = list(&query);
        assert_eq!((answer.status, answer.header("x-scaffold-ignored")), (status, None), "{query}");
    }
    assert_eq!(list("?before=a").header("x-scaffold-ignored"), Some("?before"));
    let operation = of(&described, "GET", "/v1/responses/{id}");
    for (query, status) in [("stream=false&a=b", 200), ("stream=true", 400)] {
        let answer = described.house.get(&format!("/v1/responses/{id}?{query}"));
        let faults = described.faults(&operation, &answer);
        assert!(answer.status == status && faults.is_empty(), "{query}: {faults:?}");
    }
}
