//! Responses that are kept for those who go on from them.

use std::time::Duration;

use scaffold_server::{KeptResponses, Keys};
use serde_json::{Value, json};

use crate::client::Answer;
use crate::house::House;

const SAID: &str = "A first line that has some words, so that blocks of the cache are filled.";

fn ask(house: &House, more: &Value) -> Value {
    let mut body =
        json!({"model": house.chat, "max_output_tokens": 6, "temperature": 0, "input": SAID});
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    body
}

fn text(response: &Value) -> &Value {
    &response["output"][0]["content"][0]["text"]
}

#[test]
fn a_chat_goes_on_as_if_all_of_it_were_sent() {
    let house = House::new();
    let first = house.good("/v1/responses", &ask(&house, &json!({"instructions": "Be kind."})));
    assert_eq!((&first["store"], &first["previous_response_id"]), (&json!(true), &Value::Null));
    let second = json!({"input": "More", "previous_response_id": first["id"]});
    let second = house.good("/v1/responses", &ask(&house, &second));
    assert_eq!(second["previous_response_id"], first["id"]);
    let third = json!({"input": "And more", "previous_response_id": second["id"], "store": false});
    let third = house.good("/v1/responses", &ask(&house, &third));
    // Instructions are those of each request.
    let all = json!([
        {"role": "user", "content": SAID}, first["output"][0],
        {"role": "user", "content": "More"}, second["output"][0],
        {"role": "user", "content": "And more"},
    ]);
    let whole = house.good("/v1/responses", &ask(&house, &json!({"input": all, "store": false})));
    assert_eq!(text(&third), text(&whole));
    assert_eq!(third["usage"]["input_tokens"], whole["usage"]["input_tokens"]);
    // Items can be named.
    let named = json!([
        {"role": "user", "content": SAID}, {"type": "item_reference", "id": first["output"][0]["id"]},
        {"role": "user", "content": "More"},
    ]);
    let named = house.good("/v1/responses", &ask(&house, &json!({"input": named})));
    assert_eq!(text(&named), text(&second));
    // What is not kept cannot be gone on from.
    let lost = json!({"previous_response_id": third["id"]});
    let error = house.bad("/v1/responses", &ask(&house, &lost), 400);
    assert_eq!(
        (&error["code"], &error["param"]),
        (&json!("previous_response_not_found"), &json!("previous_response_id"))
    );
}

#[test]
fn responses_are_read_and_forgotten() {
    let house = House::new();
    let made = house.good("/v1/responses", &ask(&house, &json!({})));
    let path = format!("/v1/responses/{}", made["id"].as_str().unwrap());
    assert_eq!(house.get(&path).json(), made);
    let listed = house.get(&format!("{path}/input_items")).json();
    assert_eq!(
        (&listed["object"], &listed["data"][0]["content"], &listed["has_more"]),
        (&json!("list"), &json!(SAID), &json!(false))
    );
    assert_eq!(listed["first_id"], listed["data"][0]["id"]);
    let items = json!([{"role": "user", "content": "a"}, {"role": "user", "content": "b"}, {"role": "user", "content": "c"}]);
    let many = house.good("/v1/responses", &ask(&house, &json!({"input": items})));
    let below = format!("/v1/responses/{}/input_items", many["id"].as_str().unwrap());
    let words = |page: &Value| -> Vec<Value> {
        page["data"].as_array().unwrap().iter().map(|item| item["content"].clone()).collect()
    };
    let page = house.get(&format!("{below}?order=asc&limit=2")).json();
    assert_eq!((words(&page), &page["has_more"]), (vec![json!("a"), json!("b")], &json!(true)));
    let after = page["last_id"].as_str().unwrap();
    let rest = house.get(&format!("{below}?order=asc&after={after}&include[]=x"));
    assert_eq!(rest.header("x-scaffold-ignored"), Some("?include[]"));
    assert_eq!(words(&rest.json()), [json!("c")]);
    assert_eq!(words(&house.get(&below).json()), [json!("c"), json!("b"), json!("a")]);
    for (bad, param) in [("limit=0", "limit"), ("order=up", "order"), ("after=x", "after")] {
        let refused = house.get(&format!("{below}?{bad}"));
        assert_eq!((refused.status, &refused.json()["error"]["param"]), (400, &json!(param)));
    }
    assert_eq!(house.get(&format!("{path}?stream=true")).status, 400);
    let gone = house.ask("DELETE", &path, "", b"").json();
    assert_eq!(gone, json!({"id": made["id"], "object": "response", "deleted": true}));
    for (method, path) in [
        ("DELETE", path.as_str()),
        ("GET", &path),
        ("GET", &format!("{path}/input_items")),
        ("GET", &format!("{below}/more")),
        ("GET", "/v1/responses/resp_%00%ff"),
    ] {
        assert_eq!(house.ask(method, path, "", b"").status, 404, "{method} {path}");
    }
    assert_eq!(house.ask("POST", &path, "", b"").status, 405);
}

#[test]
fn streams_are_kept_when_they_are_complete() {
    let house = House::new();
    let streamed = house.post("/v1/responses", &ask(&house, &json!({"stream": true}))).text();
    let last = streamed.lines().filter_map(|line| line.strip_prefix("data: ")).next_back().unwrap();
    let response = serde_json::from_str::<Value>(last).unwrap()["response"].clone();
    assert_eq!(response["store"], true);
    let id = response["id"].as_str().unwrap();
    assert_eq!(house.get(&format!("/v1/responses/{id}")).json(), response);
    let next = json!({"input": "More", "previous_response_id": id});
    let next = house.good("/v1/responses", &ask(&house, &next));
    let plain = house.good("/v1/responses", &ask(&house, &json!({})));
    let same = json!({"input": "More", "previous_response_id": plain["id"]});
    assert_eq!(text(&house.good("/v1/responses", &ask(&house, &same))), text(&next));
}

#[test]
fn nobody_finds_what_others_said() {
    let keys = Keys::parse("laptop 0123456789abcdef\nphone fedcba9876543210\n").unwrap();
    let house = House::with(|options| options.keys(keys));
    let asked = |key: &str, method: &str, path: &str, body: &Value| -> Answer {
        let header = format!("Authorization: Bearer {key}\r\n");
        house.ask(method, path, &header, body.to_string().as_bytes())
    };
    let made = asked("0123456789abcdef", "POST", "/v1/responses", &ask(&house, &json!({}))).json();
    let path = format!("/v1/responses/{}", made["id"].as_str().unwrap());
    assert_eq!(asked("0123456789abcdef", "GET", &path, &Value::Null).status, 200);
    let other = "fedcba9876543210";
    assert_eq!(asked(other, "GET", &path, &Value::Null).status, 404);
    assert_eq!(asked(other, "DELETE", &path, &Value::Null).status, 404);
    let next = ask(&house, &json!({"previous_response_id": made["id"]}));
    assert_eq!(asked(other, "POST", "/v1/responses", &next).status, 400);
    let item = json!([{"type": "item_reference", "id": made["output"][0]["id"]}]);
    let refused = asked(other, "POST", "/v1/responses", &ask(&house, &json!({"input": item})));
    assert_eq!(refused.json()["error"]["param"], "input[0]");
    assert_eq!(asked("0123456789abcdef", "GET", &path, &Value::Null).status, 200);
}

#[test]
fn a_server_that_keeps_nothing_says_so() {
    let kept = KeptResponses { count: 0, ..KeptResponses::default() };
    let house = House::with(|options| options.kept_responses(kept));
    let answer = house.post("/v1/responses", &ask(&house, &json!({"store": true})));
    assert_eq!(answer.header("x-scaffold-ignored"), Some("store"));
    assert_eq!(answer.json()["store"], false);
    let brief = KeptResponses { age: Duration::from_millis(1), ..KeptResponses::default() };
    let house = House::with(|options| options.kept_responses(brief));
    let made = house.good("/v1/responses", &ask(&house, &json!({})));
    std::thread::sleep(Duration::from_millis(5));
    let path = format!("/v1/responses/{}", made["id"].as_str().unwrap());
    assert_eq!(house.get(&path).status, 404);
}
