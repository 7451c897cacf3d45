//! Requests that are sent again while the first is at work.

use serde_json::{Value, json};

use crate::client::{receive, send};
use crate::house::{House, until};

#[test]
fn an_equal_request_joins_the_one_at_work() {
    let house = House::new();
    let body = |more: Value| {
        let mut body = json!({
            "model": house.chat, "messages": [{"role": "user", "content": "x"}], "max_tokens": 200, "ignore_eos": true,
        });
        for (key, value) in more.as_object().unwrap() {
            body[key] = value.clone();
        }
        body.to_string()
    };
    let path = "/v1/chat/completions";
    let both = |more: &Value, of: fn(&Value) -> Value| {
        let body = body(more.clone());
        let first = send(house.address, "POST", path, "", body.as_bytes());
        let second = send(house.address, "POST", path, "", body.as_bytes());
        [first, second].map(|stream| of(&receive(stream).json()))
    };
    let text = |answer: &Value| answer["choices"][0]["message"]["content"].clone();
    let joined = || house.metric("scaffold_requests_joined_total");
    for determined in [json!({"temperature": 0}), json!({"temperature": 1, "seed": 7})] {
        let before = joined();
        until("one has joined", || {
            let [first, second] = both(&determined, text);
            assert_eq!(first, second);
            joined() > before
        });
    }
    let before = joined();
    for _ in 0..3 {
        let [first, second] = both(&json!({"temperature": 1}), text);
        assert_ne!(first, second, "each is drawn in its own way");
    }
    assert_eq!(joined(), before);
}
