//! Anthropic's interface.

use serde_json::{Value, json};

use crate::house::{House, decoder_with};
use crate::tools::{CALL_ID, calling};

fn ask(model: &str, more: &Value) -> Value {
    let mut body = json!({
        "model": model, "max_tokens": 6, "temperature": 0,
        "system": [{"type": "text", "text": "x-anthropic-billing-header: n=1"}, {"type": "text", "text": "Be kind."}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hello", "cache_control": {"type": "ephemeral"}}]}],
    });
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    body
}

/// The events of an answer: their names and what they say.
fn events(text: &str) -> Vec<(String, Value)> {
    let event = |block: &str| {
        let (name, data) = block.split_once("\ndata: ")?;
        Some((name.strip_prefix("event: ")?.to_owned(), serde_json::from_str(data).unwrap()))
    };
    text.split("\n\n").filter_map(event).collect()
}

#[test]
fn a_message_is_answered_in_blocks() {
    let house = House::new();
    let answer = house.good("/v1/messages", &ask(&house.chat, &json!({})));
    assert_eq!((&answer["type"], &answer["role"]), (&json!("message"), &json!("assistant")));
    assert_eq!(answer["stop_reason"], "max_tokens");
    let text = answer["content"][0]["text"].as_str().unwrap();
    assert!(answer["content"][0]["type"] == "text" && !text.is_empty());
    assert_eq!(answer["usage"]["output_tokens"], 6);
    let count =
        house.good("/v1/messages/count_tokens", &ask(&house.chat, &json!({"max_tokens": null})));
    let usage = &answer["usage"];
    let read = usage["input_tokens"].as_u64().unwrap()
        + usage["cache_read_input_tokens"].as_u64().unwrap();
    assert_eq!(count["input_tokens"], read);
    // What changes with each request is no part of the prompt.
    let other = json!({"system": [{"type": "text", "text": "x-anthropic-billing-header: n=2"}, {"type": "text", "text": "Be kind."}]});
    assert_eq!(house.good("/v1/messages/count_tokens", &ask(&house.chat, &other)), count);
    let end = answer["content"][0]["text"].as_str().unwrap().chars().last().unwrap().to_string();
    let stopped = house.good("/v1/messages", &ask(&house.chat, &json!({"stop_sequences": [end]})));
    assert_eq!(
        (&stopped["stop_reason"], &stopped["stop_sequence"]),
        (&json!("stop_sequence"), &json!(end))
    );

    let streamed =
        house.post("/v1/messages?beta=true", &ask(&house.chat, &json!({"stream": true})));
    let events = events(&streamed.text());
    let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names[..3], ["message_start", "ping", "content_block_start"]);
    assert_eq!(names[names.len() - 3..], ["content_block_stop", "message_delta", "message_stop"]);
    let joined: String =
        events.iter().filter_map(|(_, event)| event["delta"]["text"].as_str()).collect();
    assert_eq!(joined, text);
    assert!(events.iter().all(|(name, event)| event["type"] == json!(name)));
    assert!(events[0].1["message"]["usage"]["input_tokens"].is_u64());
    assert_eq!(events[events.len() - 2].1["delta"]["stop_reason"], "max_tokens");
}

#[test]
fn calls_and_what_they_gave_are_blocks() {
    let house = House::new();
    let directory = calling();
    let model = directory.path().to_str().unwrap();
    let tools = json!([
        {"name": "weather", "description": "Of a city.", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}},
        {"type": "web_search_20250305", "name": "web_search"},
    ]);
    let messages = json!([
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Bonn"}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "12 degrees"}]},
    ]);
    let more = json!({"tools": tools, "messages": messages, "tool_choice": {"type": "auto"}, "metadata": {"user_id": "x"}});
    let answer = house.post("/v1/messages", &ask(model, &more));
    assert_eq!(answer.status, 200, "{}", answer.text());
    // A tool of the other server's own is left out, and said to be.
    assert_eq!(answer.header("x-scaffold-ignored"), Some("tools[1], metadata"));
    for bad in [
        json!({"tool_choice": {"type": "all"}, "tools": tools}),
        json!({"tools": [{}]}),
        json!({"max_tokens": null}),
    ] {
        let error = house.bad("/v1/messages", &ask(model, &bad), 400);
        assert_eq!(error["type"], "invalid_request_error");
    }
    for (bad, place) in [
        (json!({"type": "tool_result", "tool_use_id": 5}), "tool_use_id"),
        (json!({"type": 5, "text": "a"}), "content[0]"),
    ] {
        let messages = json!([{"role": "user", "content": [bad]}]);
        let error = house.bad("/v1/messages", &ask(model, &json!({"messages": messages})), 400);
        assert!(error["message"].as_str().unwrap().contains(place), "{error}");
    }
    for bad in [json!({"name": "f", "input_schema": "a"}), json!({"name": "f", "type": 5})] {
        house.bad("/v1/messages", &ask(model, &json!({"tools": [bad]})), 400);
    }
    let whole = house.post("/v1/messages", &ask("org/none", &json!({}))).json();
    assert_eq!(
        (&whole["type"], &whole["error"]["type"]),
        (&json!("error"), &json!("not_found_error"))
    );
    assert_eq!(CALL_ID, 500);
}

#[test]
fn thoughts_are_blocks_before_the_text() {
    let house = House::new();
    let directory = decoder_with(
        "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% if enable_thinking \
         is defined and not enable_thinking %}<think>\n\n</think>\n\n{% else %}<think>\n{% endif %}{% endif %}",
    );
    let model = directory.path().to_str().unwrap();
    let answer =
        house.good("/v1/messages", &ask(model, &json!({"thinking": {"type": "adaptive"}})));
    assert_eq!(answer["content"][0]["type"], "thinking", "{answer}");
    let quick = house.good("/v1/messages", &ask(model, &json!({"thinking": {"type": "disabled"}})));
    assert_eq!(quick["content"][0]["type"], "text");
    let streamed = house.post(
        "/v1/messages",
        &ask(
            model,
            &json!({"stream": true, "thinking": {"type": "enabled", "budget_tokens": 1024}}),
        ),
    );
    assert_eq!(streamed.header("x-scaffold-ignored"), None);
    let told = events(&streamed.text());
    let begun = &told[0].1["message"];
    assert!(begun["stop_reason"].is_null() && begun.get("stop_sequence").is_some(), "{begun}");
    let joined: String =
        told.iter().filter_map(|(_, event)| event["delta"]["thinking"].as_str()).collect();
    assert_eq!(json!(joined), answer["content"][0]["thinking"]);
    // A budget stands in the thinking, or by itself, where the thinking has none.
    for more in [
        json!({"thinking": {"type": "enabled", "budget_tokens": 2}, "max_tokens": 20}),
        json!({"thinking": {"type": "enabled"}, "thinking_budget": 2, "max_tokens": 20}),
        json!({"thinking_budget": 2, "max_tokens": 20}),
    ] {
        let cut = house.good("/v1/messages", &ask(model, &more));
        assert_eq!(cut["thinking_finish_reason"], "length", "{more}: {cut}");
    }
    let mut none = ask(
        model,
        &json!({"thinking": {"type": "disabled", "budget_tokens": 2}, "thinking_budget": 2}),
    );
    let answer = house.post("/v1/messages", &none);
    assert_eq!(answer.header("x-scaffold-ignored"), Some("thinking.budget_tokens"));
    none["thinking"] = Value::Null;
    let counted = house.post("/v1/messages/count_tokens", &none);
    let ignored = counted.header("x-scaffold-ignored").unwrap_or_default();
    assert!(ignored.split(", ").any(|name| name == "thinking_budget"), "{ignored}");
}

#[test]
fn a_list_of_models_is_read_by_all() {
    let house = House::new();
    let list = house.get("/v1/models?limit=1000").json();
    assert_eq!((&list["object"], &list["has_more"]), (&json!("list"), &json!(false)));
    assert!(list.get("first_id").is_some() && list.get("last_id").is_some());
}

#[test]
fn answers_are_held_to_a_schema() {
    let house = House::new();
    let format = json!({"type": "json_schema", "schema": {"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 2}});
    for said in [json!({"output_config": {"format": format}}), json!({"output_format": format})] {
        let mut more = json!({"max_tokens": 40, "temperature": 1});
        more.as_object_mut().unwrap().extend(said.as_object().unwrap().clone());
        let answer = house.good("/v1/messages", &ask(&house.chat, &more));
        let text = answer["content"][0]["text"].as_str().unwrap();
        let list: Vec<String> = serde_json::from_str(text).unwrap();
        assert!(list.len() <= 2 && list.iter().all(|one| ["a", "b"].contains(&&**one)), "{text}");
        assert_eq!(answer["stop_reason"], "end_turn");
    }
    let both = json!({"output_config": {"format": format}, "output_format": format});
    house.bad("/v1/messages", &ask(&house.chat, &both), 400);
    let not = json!({"output_config": {"format": {"type": "json_schema", "schema": {"not": {"enum": [1]}}}}});
    let error = house.bad("/v1/messages", &ask(&house.chat, &not), 400);
    assert!(error.to_string().contains("#/not"), "{error}");
}

/// Its client sends the rest of a chat alone where threads are taken, and the whole one where they are refused by this word.
#[test]
fn threads_are_refused_by_the_word_that_clients_know() {
    let house = House::new();
    let asked = ask(&house.chat, &json!({"thread": {"type": "create"}}));
    let error = house.bad("/v1/messages", &asked, 400);
    let details = json!({"error_code": "thread_unsupported_request", "unsupported": ["thread"]});
    assert_eq!(error["details"], details, "{error}");
    house.good("/v1/messages", &ask(&house.chat, &json!({"thread": null})));
}
