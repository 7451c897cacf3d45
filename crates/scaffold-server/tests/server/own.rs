//! What is the server's own.

use serde_json::json;

use crate::house::House;

#[test]
fn tokens_and_chats_are_seen_as_the_model_reads_them() {
    let house = House::new();
    let messages = json!([{"role": "user", "content": "Hi"}]);
    let rendered = house.good("/render", &json!({"model": house.chat, "messages": messages}));
    assert_eq!(rendered["prompt"], "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
    let chat = house.good("/tokenize", &json!({"model": house.chat, "messages": messages}));
    assert_eq!(chat["count"], rendered["count"]);
    let text = house.good(
        "/tokenize",
        &json!({"model": house.chat, "prompt": "Hi there", "with_pieces": true}),
    );
    assert_eq!(
        (text["count"].as_u64(), text["pieces"].as_array().map(Vec::len)),
        (Some(8), Some(8))
    );
    let back = house.good("/detokenize", &json!({"model": house.chat, "tokens": text["tokens"]}));
    assert_eq!(back["prompt"], "Hi there");
    house.bad("/tokenize", &json!({"model": house.chat}), 400);
    house.bad("/detokenize", &json!({"model": house.chat, "tokens": [-1]}), 400);
    // What is no token has no text either.
    let error =
        house.bad("/detokenize", &json!({"model": house.chat, "tokens": [70, u32::MAX]}), 400);
    assert!(error["message"].as_str().unwrap().contains("token 4294967295"), "{error}");
}

#[test]
fn metrics_are_prometheus_text() {
    let house = House::new();
    house.good("/api/generate", &json!({"model": house.chat, "prompt": "x", "stream": false, "options": {"num_predict": 5}}));
    let answer = house.get("/metrics");
    assert!(answer.header("content-type").unwrap().starts_with("text/plain; version=0.0.4"));
    let text = answer.text();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(name.starts_with("scaffold_") && value.parse::<f64>().is_ok(), "{line}");
        let bare = name.split('{').next().unwrap();
        let family = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|end| bare.strip_suffix(end))
            .unwrap_or(bare);
        assert!(
            [bare, family].iter().any(|name| text.contains(&format!("# TYPE {name} "))),
            "{line}"
        );
    }
    assert_eq!(house.metric("scaffold_completion_tokens_total"), 5.0);
    assert_eq!(house.metric("scaffold_model_loads_total"), 1.0);
    assert!(
        text.contains("scaffold_http_requests_total{path=\"/api/generate\",status=\"200\"} 1"),
        "{text}"
    );
    assert!(text.contains("scaffold_first_token_seconds_bucket"));
}
