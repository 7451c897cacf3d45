//! Models that call tools.

use serde_json::{Value, json};

use crate::house::{House, decoder_with};

/// As Hermes and Qwen write calls.
const CALLING: &str = "{% if tools %}Tools: {% for t in tools %}{{ t.function.name }} {% endfor %}\n{% endif %}\
                       {% for m in messages %}{{ m.role }}: {{ m.content }}{% for c in m.tool_calls or [] %}<tool_call>\n\
                       {\"name\": \"{{ c.function.name }}\", \"arguments\": {{ c.function.arguments | tojson }}}\n</tool_call>\
                       {% endfor %}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}";

/// A token whose text is a whole call: weights that are noise make it when they are told to.
const CALL: &str = r#"<tool_call>{"name":"weather","arguments":{"city":"Bonn"}}</tool_call>"#;
pub(crate) const CALL_ID: u32 = 500;
const LETTER_ID: u32 = 70;

pub(crate) fn calling() -> tempfile::TempDir {
    calling_with(CALLING)
}

pub(crate) fn calling_with(template: &str) -> tempfile::TempDir {
    let directory = decoder_with(template);
    // Tools in words, in tokens of a byte each, are more than a tiny model reads.
    let path = directory.path().join("config.json");
    let mut config: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    config["max_position_embeddings"] = json!(4096);
    std::fs::write(&path, config.to_string()).unwrap();
    let path = directory.path().join("tokenizer.json");
    let mut tokenizer: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let vocabulary = tokenizer["model"]["vocab"].as_object_mut().unwrap();
    let old = vocabulary.iter().find(|(_, id)| **id == json!(CALL_ID)).unwrap().0.clone();
    vocabulary.remove(&old);
    vocabulary.insert(CALL.to_owned(), json!(CALL_ID));
    std::fs::write(&path, tokenizer.to_string()).unwrap();
    directory
}

fn tools() -> Value {
    json!([{"type": "function", "function": {"name": "weather", "description": "Of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}])
}

fn ask(model: &str, more: &Value) -> Value {
    let mut body = json!({
        "model": model, "messages": [{"role": "user", "content": "Hello"}], "tools": tools(),
        "max_tokens": 2, "temperature": 0, "logit_bias": {CALL_ID.to_string(): 100},
    });
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    body
}

#[test]
fn openais_clients_get_calls() {
    let house = House::new();
    let directory = calling();
    let model = directory.path().to_str().unwrap();
    let answer = house.good("/v1/chat/completions", &ask(model, &json!({})));
    let choice = &answer["choices"][0];
    let calls = choice["message"]["tool_calls"].as_array().unwrap();
    assert_eq!((calls.len(), &choice["message"]["content"]), (2, &json!(null)), "{answer}");
    assert_eq!(
        calls[0]["function"],
        json!({"name": "weather", "arguments": r#"{"city": "Bonn"}"#})
    );
    assert!(
        calls[0]["id"].as_str().unwrap().starts_with("call_") && calls[0]["id"] != calls[1]["id"]
    );
    // It was cut off at the limit, which counts for more than that it calls.
    assert_eq!(choice["finish_reason"], "length");

    let stop = json!({"max_tokens": 3, "stop": ["</tool_call><tool_call>"]});
    let stopped = house.good("/v1/chat/completions", &ask(model, &stop));
    assert_eq!(stopped["choices"][0]["finish_reason"], "tool_calls", "{stopped}");

    let events = house.post("/v1/chat/completions", &ask(model, &json!({"stream": true}))).events();
    let deltas: Vec<&Value> =
        events.iter().filter_map(|event| event["choices"][0]["delta"].get("tool_calls")).collect();
    assert_eq!(deltas.len(), 2);
    for (index, delta) in deltas.iter().enumerate() {
        assert_eq!((&delta[0]["index"], &delta[0]["type"]), (&json!(index), &json!("function")));
        assert_eq!(delta[0]["function"]["name"], "weather");
    }
    let one = json!({"parallel_tool_calls": false});
    let answer = house.good("/v1/chat/completions", &ask(model, &one));
    assert_eq!(answer["choices"][0]["message"]["tool_calls"].as_array().unwrap().len(), 1);
    // Without tools, or told not to call, the model says what it says.
    for more in [json!({"tools": []}), json!({"tool_choice": "none"})] {
        let answer = house.good("/v1/chat/completions", &ask(model, &more));
        let message = &answer["choices"][0]["message"];
        assert!(message.get("tool_calls").is_none());
        assert_eq!(message["content"], json!(CALL.repeat(2)));
    }
}

#[test]
fn what_is_called_goes_back_to_the_model() {
    let house = House::new();
    let directory = calling();
    let model = directory.path().to_str().unwrap();
    let messages = json!([
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": null, "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{\"city\": \"Bonn\"}"}}]},
        {"role": "tool", "tool_call_id": "call_1", "content": "12 degrees"},
    ]);
    let letter = json!({"messages": messages, "logit_bias": {LETTER_ID.to_string(): 100}});
    let answer = house.good("/v1/chat/completions", &ask(model, &letter));
    let message = &answer["choices"][0]["message"];
    assert!(message.get("tool_calls").is_none() && message["content"] != "", "{answer}");
    for bad in [
        json!("weather"),
        json!([1]),
        json!([{"function": {}}]),
        json!([{"function": {"name": "f", "arguments": 5}}]),
    ] {
        let messages = json!([{"role": "assistant", "tool_calls": bad}]);
        for path in ["/v1/chat/completions", "/api/chat", "/render"] {
            let error = house.bad(path, &json!({"model": model, "messages": messages}), 400);
            assert!(error.to_string().contains("messages[0].tool_calls"), "{path} {error}");
        }
    }
    // A call of what takes nothing may have nothing.
    let empty = json!([{"role": "assistant", "tool_calls": [{"function": {"name": "now"}}]}]);
    let text = house.good("/render", &json!({"model": model, "messages": empty})).to_string();
    assert!(text.contains("now") && text.contains("{}"), "{text}");
    let rendered =
        house.good("/render", &json!({"model": model, "messages": messages, "tools": tools()}));
    let text = rendered.to_string();
    assert!(text.contains("12 degrees") && text.contains("<tool_call>"), "{text}");
}

#[test]
fn ollamas_clients_get_calls() {
    let house = House::new();
    let directory = calling();
    let model = directory.path().to_str().unwrap();
    let shown = house.good("/api/show", &json!({"model": model}));
    assert_eq!(shown["capabilities"], json!(["completion", "tools"]));
    // Ollama's options have no bias: what noise says is not a call, and nothing of it is lost.
    let body = json!({
        "model": model, "messages": [{"role": "user", "content": "Hello"}], "tools": tools(), "stream": false,
        "options": {"num_predict": 4, "temperature": 0},
    });
    let answer = house.good("/api/chat", &body);
    assert!(answer["message"].get("tool_calls").is_none() && answer["message"]["content"] != "");
}

#[test]
fn models_whose_templates_know_no_tools_are_told_in_words() {
    let house = House::new();
    let directory =
        calling_with("{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}");
    let model = directory.path().to_str().unwrap();
    let shown = house.good("/api/show", &json!({"model": model}));
    assert_eq!(shown["capabilities"], json!(["completion"]));
    let reply = house.post("/v1/chat/completions", &ask(model, &json!({})));
    assert_eq!(reply.status, 200, "{}", reply.text());
    let notice = reply.header("x-scaffold-notice").unwrap_or_default().to_owned();
    assert!(notice.starts_with("tools: "), "{notice:?}");
    let answer = reply.json();
    let message = &answer["choices"][0]["message"];
    assert_eq!(message["tool_calls"][0]["function"]["name"], "weather", "{message}");

    let messages = json!([
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "", "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{\"city\": \"Bonn\"}"}}]},
        {"role": "tool", "tool_call_id": "call_1", "content": "12 degrees"},
    ]);
    let asked = json!({"model": model, "messages": messages, "tools": tools()});
    let rendered = house.good("/render", &asked);
    let prompt = rendered["prompt"].as_str().unwrap();
    for words in [
        "<tools>\n{\"name\": \"weather\"",
        "assistant: <tool_call>",
        "user: <tool_response>\n12 degrees",
    ] {
        assert!(prompt.contains(words), "{words}: {prompt}");
    }
    // Without tools there is nothing to be told.
    let plain = json!({"model": model, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 2});
    assert_eq!(house.post("/v1/chat/completions", &plain).header("x-scaffold-notice"), None);
}
