//! Whatever a field's value is, the request is answered or refused: no fault of the server's, and
//! nobody hangs.

use serde_json::{Value, json};

use crate::house::House;

fn odd() -> Vec<Value> {
    let texts = ["", "x", "-1", "5m", "\u{0}\u{202e}", "<|im_end|>"].map(Value::from);
    let others = [
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(1e308),
        json!(u64::MAX),
        json!(i64::MIN),
        json!([]),
        json!([null]),
        json!([1, "a"]),
        json!([[1], [2]]),
        json!(["x", "y"]),
        json!({}),
        json!({"type": "text"}),
        json!({"role": "user", "content": [{"type": "text"}]}),
        json!([{"role": "user"}]),
        json!([{"role": 5, "content": {}}]),
    ];
    texts.into_iter().chain(others).collect()
}

#[test]
fn odd_values_are_answered_or_refused() {
    let house = House::new();
    let messages = json!([{"role": "user", "content": "Hi"}]);
    let openai = [
        "model",
        "messages",
        "max_tokens",
        "max_completion_tokens",
        "temperature",
        "top_p",
        "top_k",
        "seed",
        "stop",
        "n",
        "presence_penalty",
        "logit_bias",
        "logprobs",
        "top_logprobs",
        "stream_options",
        "tools",
        "tool_choice",
        "response_format",
        "keep_alive",
        "chat_template_kwargs",
        "stop_token_ids",
        "min_tokens",
        "reasoning_effort",
        "continue_final_message",
        "modalities",
        "unknown",
    ];
    let text = ["prompt", "echo", "logprobs", "best_of", "suffix", "max_tokens", "n", "stream"];
    let ollama = [
        "messages",
        "options",
        "keep_alive",
        "think",
        "format",
        "tools",
        "logprobs",
        "stream",
        "name",
        "unknown",
    ];
    let generate = [
        "prompt",
        "system",
        "raw",
        "context",
        "suffix",
        "template",
        "images",
        "keep_alive",
        "think",
    ];
    let cases: [(&str, Value, &[&str]); 9] = [
        (
            "/v1/chat/completions",
            json!({"model": house.chat, "messages": messages, "max_tokens": 2}),
            &openai,
        ),
        ("/v1/completions", json!({"model": house.chat, "prompt": "Hi", "max_tokens": 2}), &text),
        (
            "/v1/embeddings",
            json!({"model": house.embedder, "input": "Hi"}),
            &["input", "dimensions", "encoding_format", "model"],
        ),
        (
            "/api/chat",
            json!({"model": house.chat, "messages": messages, "options": {"num_predict": 2}}),
            &ollama,
        ),
        (
            "/api/generate",
            json!({"model": house.chat, "prompt": "Hi", "options": {"num_predict": 2}}),
            &generate,
        ),
        (
            "/api/embed",
            json!({"model": house.embedder, "input": "Hi"}),
            &["input", "truncate", "dimensions", "options"],
        ),
        (
            "/rerank",
            json!({"model": house.ranker, "query": "Hi", "documents": ["a"]}),
            &["query", "documents", "top_n", "texts"],
        ),
        (
            "/tokenize",
            json!({"model": house.chat, "prompt": "Hi"}),
            &["prompt", "messages", "add_special_tokens"],
        ),
        (
            "/detokenize",
            json!({"model": house.chat, "tokens": [70]}),
            &["tokens", "skip_special_tokens"],
        ),
    ];
    for (path, body, fields) in cases {
        for field in fields {
            for value in odd() {
                let mut body = body.clone();
                body[field] = value;
                let answer = house.post(path, &body);
                let fine = matches!(answer.status, 200 | 400 | 404);
                assert!(fine, "{path} {body}: {} {}", answer.status, answer.text());
                assert!(
                    answer.status == 200 || answer.json()["error"] != json!(null),
                    "{}",
                    answer.text()
                );
            }
        }
    }
    for option in [
        "num_predict",
        "temperature",
        "top_k",
        "top_p",
        "seed",
        "stop",
        "repeat_penalty",
        "repeat_last_n",
        "num_ctx",
    ] {
        for value in odd() {
            let body = json!({"model": house.chat, "prompt": "Hi", "raw": true, "options": {option: value}});
            let answer = house.post("/api/generate", &body);
            assert!(
                matches!(answer.status, 200 | 400),
                "{body}: {} {}",
                answer.status,
                answer.text()
            );
        }
    }
    assert_eq!(house.get("/health").status, 200);
}
