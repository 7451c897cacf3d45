//! OpenAI's responses.

use serde_json::{Value, json};

use crate::house::{House, decoder_with};
use crate::tools::calling;

fn ask(model: &str, more: &Value) -> Value {
    let mut body = json!({
        "model": model, "max_output_tokens": 6, "temperature": 0, "instructions": "Be kind.", "store": false,
        "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello"}]}],
    });
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    body
}

/// The events of an answer: what they say.
fn events(text: &str) -> Vec<Value> {
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    data.map(|data| serde_json::from_str(data).unwrap()).collect()
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

#[test]
fn a_response_has_items_and_comes_in_order() {
    let house = House::new();
    let answer = house.post("/v1/responses", &ask(&house.chat, &json!({})));
    assert_eq!(
        (answer.status, answer.header("x-scaffold-ignored")),
        (200, None),
        "{}",
        answer.text()
    );
    let answer = answer.json();
    assert_eq!((&answer["object"], &answer["status"]), (&json!("response"), &json!("incomplete")));
    assert_eq!(answer["incomplete_details"]["reason"], "max_output_tokens");
    let text = answer["output"][0]["content"][0]["text"].as_str().unwrap();
    assert!(!text.is_empty() && answer["output"][0]["role"] == "assistant");
    let usage = &answer["usage"];
    assert_eq!(usage["output_tokens"], 6);
    assert!(usage["input_tokens_details"]["cached_tokens"].is_u64());
    // A text is a message of the user's.
    let plain = house.good("/v1/responses", &ask(&house.chat, &json!({"input": "Hello"})));
    assert_eq!(plain["output"][0]["content"], answer["output"][0]["content"]);

    let streamed = house.post("/v1/responses", &ask(&house.chat, &json!({"stream": true})));
    let events = events(&streamed.text());
    let kinds = kinds(&events);
    assert_eq!(
        kinds[..4],
        [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.content_part.added"
        ]
    );
    assert_eq!(
        kinds[kinds.len() - 4..],
        [
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.incomplete"
        ]
    );
    let of = |kind| events.iter().filter(move |event| event["type"] == kind);
    let joined: String =
        of("response.output_text.delta").map(|event| event["delta"].as_str().unwrap()).collect();
    assert_eq!(joined, text);
    let item = &of("response.output_item.done").next().unwrap()["item"];
    assert_eq!(item["content"][0]["text"], text);
    for (number, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], number);
    }
    let last = &events.last().unwrap()["response"];
    assert_eq!((&last["output"][0], last["usage"]["output_tokens"].as_u64()), (item, Some(6)));
    assert_eq!(last["id"], events[0]["response"]["id"]);
}

#[test]
fn tools_of_all_kinds_are_taken_or_named() {
    let house = House::new();
    let directory = calling();
    let model = directory.path().to_str().unwrap();
    let tools = json!([
        {"type": "function", "name": "weather", "description": "Of a city.", "parameters": {"type": "object", "properties": {}}},
        {"type": "namespace", "name": "files", "tools": [{"type": "function", "name": "read", "parameters": null}]},
        {"type": "custom", "name": "shell", "description": "Runs a command."},
        {"type": "web_search"},
        {"type": "local_shell"},
    ]);
    let input = json!([
        {"role": "user", "content": "Hello"},
        {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": "{\"city\": \"Bonn\"}"},
        {"type": "function_call_output", "call_id": "c1", "output": [{"type": "input_text", "text": "12"}]},
    ]);
    let answer = house.post(
        "/v1/responses",
        &ask(model, &json!({"tools": tools, "input": input, "tool_choice": "auto"})),
    );
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("x-scaffold-ignored"), Some("tools[3], tools[4]"));
    let told = answer.json();
    assert_eq!((&told["tools"], &told["temperature"]), (&tools, &json!(0)));
    for (bad, param) in [
        (json!({"previous_response_id": "resp_1"}), "previous_response_id"),
        (json!({"conversation": "conv_1"}), "conversation"),
        (json!({"tool_choice": "always", "tools": tools}), "tool_choice"),
        (json!({"text": {"format": {"type": "json_schema"}}}), "text.format.schema"),
        (json!({"truncation": "auto"}), "truncation"),
        (json!({"tools": [{"name": "x"}]}), "tools[0]"),
        (json!({"input": null}), "input"),
        (json!({"input": [{"type": "function_call_output", "call_id": 5}]}), "input[0]"),
        (json!({"input": [{"type": "reasoning", "summary": "a"}]}), "input[0]"),
        (json!({"tools": [{"type": "namespace", "tools": 5}]}), "tools[0]"),
    ] {
        assert_eq!(house.bad("/v1/responses", &ask(model, &bad), 400)["param"], param);
    }
    // What goes wrong later is an event.
    let error = house.bad("/v1/responses", &ask("org/none", &json!({"stream": true})), 404);
    assert_eq!(error["code"], "model_not_found");
}

#[test]
fn thoughts_are_an_item_before_the_message() {
    let house = House::new();
    let directory = decoder_with(
        "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% if enable_thinking \
         is defined and not enable_thinking %}<think>\n\n</think>\n\n{% else %}<think>\n{% endif %}{% endif %}",
    );
    let model = directory.path().to_str().unwrap();
    let answer = house.good("/v1/responses", &ask(model, &json!({})));
    assert_eq!(answer["output"][0]["type"], "reasoning", "{answer}");
    // It never comes to an end of its thoughts: all tokens are such.
    assert_eq!(answer["usage"]["output_tokens_details"]["reasoning_tokens"], 6);
    let quick = house.good("/v1/responses", &ask(model, &json!({"reasoning": {"effort": "none"}})));
    assert_eq!(quick["output"][0]["type"], "message");
    let streamed = house.post("/v1/responses", &ask(model, &json!({"stream": true})));
    let events = events(&streamed.text());
    assert!(kinds(&events).contains(&"response.reasoning_text.done"));
}
