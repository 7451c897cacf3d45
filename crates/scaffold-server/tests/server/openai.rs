//! The interface of OpenAI.

use scaffold::{GenerateOptions, LlmManager, Message};
use serde_json::{Value, json};

use crate::house::{House, config};

fn ask(house: &House, more: &Value) -> Value {
    let mut body = json!({
        "model": house.chat, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 12, "temperature": 0,
    });
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    body
}

/// The same model without a server.
fn alone(house: &House) -> LlmManager {
    let home = tempfile::tempdir().unwrap();
    LlmManager::builder(house.chat.clone()).config(&config(home.path())).load().unwrap()
}

#[test]
fn a_chat_is_answered_as_the_library_answers_it() {
    let house = House::new();
    let alone = alone(&house);
    let wanted = alone
        .chat_with(
            &[Message::user("Hello")],
            &GenerateOptions::new().temperature(0.0).max_new_tokens(12),
        )
        .unwrap();
    let answer = house.good("/v1/chat/completions", &ask(&house, &json!({})));
    let choice = &answer["choices"][0];
    assert_eq!(choice["message"]["content"], json!(wanted.text));
    assert_eq!(choice["message"]["role"], "assistant");
    assert_eq!(choice["finish_reason"], wanted.finish.name());
    assert_eq!(answer["object"], "chat.completion");
    assert_eq!(answer["model"], json!(house.chat));
    assert!(answer["id"].as_str().unwrap().starts_with("chatcmpl-") && answer["created"].is_u64());
    let usage = &answer["usage"];
    assert_eq!(usage["prompt_tokens"], json!(wanted.usage.prompt_tokens));
    assert_eq!(usage["completion_tokens"], json!(wanted.usage.completion_tokens));
    let sum =
        usage["prompt_tokens"].as_u64().unwrap() + usage["completion_tokens"].as_u64().unwrap();
    assert_eq!(usage["total_tokens"], json!(sum));
}

#[test]
fn a_stream_has_the_same_words_and_its_events_in_order() {
    let house = House::new();
    let whole = house.good("/v1/chat/completions", &ask(&house, &json!({})));
    let more = json!({"stream": true, "stream_options": {"include_usage": true}});
    let answer = house.post("/v1/chat/completions", &ask(&house, &more));
    assert_eq!(answer.status, 200);
    let events = answer.events();
    assert_eq!(events[0]["choices"][0]["delta"], json!({"role": "assistant", "content": ""}));
    let (usage, rest) = events.split_last().unwrap();
    assert_eq!(usage["choices"], json!([]));
    assert_eq!(usage["usage"]["completion_tokens"], whole["usage"]["completion_tokens"]);
    let (last, pieces) = rest.split_last().unwrap();
    assert_eq!(last["choices"][0]["delta"], json!({}));
    assert_eq!(last["choices"][0]["finish_reason"], whole["choices"][0]["finish_reason"]);
    let text: String = pieces
        .iter()
        .map(|event| event["choices"][0]["delta"]["content"].as_str().unwrap())
        .collect();
    assert_eq!(json!(text), whole["choices"][0]["message"]["content"]);
    for event in &events {
        assert_eq!(
            (&event["id"], &event["object"]),
            (&events[0]["id"], &json!("chat.completion.chunk"))
        );
        assert!(event.get("error").is_none());
    }
    // Nobody asked for usage.
    let events =
        house.post("/v1/chat/completions", &ask(&house, &json!({"stream": true}))).events();
    assert!(
        events.iter().all(|event| event.get("usage").is_none() && event["choices"] != json!([]))
    );
}

#[test]
fn several_answers_and_their_likelihoods() {
    let house = House::new();
    let more = json!({"n": 2, "temperature": 1.0, "seed": 7, "logprobs": true, "top_logprobs": 2});
    let answer = house.good("/v1/chat/completions", &ask(&house, &more));
    let again = house.good("/v1/chat/completions", &ask(&house, &more));
    assert_eq!(answer["choices"], again["choices"]);
    let choices = answer["choices"].as_array().unwrap();
    assert_eq!(choices.len(), 2);
    assert_ne!(choices[0]["message"], choices[1]["message"]);
    for choice in choices {
        let tokens = choice["logprobs"]["content"].as_array().unwrap();
        assert!(!tokens.is_empty());
        for token in tokens {
            assert!(token["logprob"].as_f64().unwrap() <= 0.0 && token["bytes"].is_array());
            assert_eq!(token["top_logprobs"].as_array().unwrap().len(), 2);
        }
    }
    // A prompt counts once.
    let one = house.good("/v1/chat/completions", &ask(&house, &json!({})));
    assert_eq!(answer["usage"]["prompt_tokens"], one["usage"]["prompt_tokens"]);
    let more = json!({"n": 2, "stream": true, "seed": 7, "temperature": 1.0});
    let events = house.post("/v1/chat/completions", &ask(&house, &more)).events();
    for (index, choice) in choices.iter().enumerate() {
        let of = events.iter().filter(|event| event["choices"][0]["index"] == index);
        let text: String =
            of.filter_map(|event| event["choices"][0]["delta"]["content"].as_str()).collect();
        assert_eq!(json!(text), choice["message"]["content"]);
    }
}

#[test]
fn what_cannot_be_done_is_refused_by_its_field() {
    let house = House::new();
    for (more, param) in [
        (json!({"tools": [{"type": "function", "function": {}}]}), "tools[0]"),
        (json!({"tools": [{"type": "web_search"}]}), "tools[0]"),
        (json!({"tool_choice": "required"}), "tool_choice"),
        (json!({"response_format": {"type": "xml"}}), "response_format.type"),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]}),
            "messages[0].content[0]",
        ),
        (json!({"messages": []}), "messages"),
        (json!({"temperature": -1}), "temperature"),
        (json!({"temperature": "hot"}), "temperature"),
        (json!({"n": 0}), "n"),
        (json!({"top_logprobs": 3}), "top_logprobs"),
        (json!({"logprobs": true, "top_logprobs": 21}), "top_logprobs"),
        (json!({"logit_bias": {"x": 1}}), "logit_bias"),
        (json!({"model": null}), "model"),
        (json!({"max_tokens": 0}), "max_new_tokens"),
    ] {
        let error = house.bad("/v1/chat/completions", &ask(&house, &more), 400);
        assert_eq!(error["param"], json!(param), "{error}");
        assert_eq!(error["type"], "invalid_request_error");
        assert!(error["message"].as_str().unwrap().len() > 10 && error.get("code").is_some());
    }
    let long = json!({"messages": [{"role": "user", "content": "x".repeat(4000)}]});
    let error = house.bad("/v1/chat/completions", &ask(&house, &long), 400);
    assert_eq!(
        (&error["code"], &error["param"]),
        (&json!("context_length_exceeded"), &json!("messages"))
    );
    let error = house.bad("/v1/chat/completions", &ask(&house, &json!({"model": "org/none"})), 404);
    assert_eq!(error["code"], "model_not_found");
    assert!(error["message"].as_str().unwrap().contains("scaffold pull org/none"), "{error}");
    // Also where the answer was to come in pieces.
    let error = house.bad(
        "/v1/chat/completions",
        &ask(&house, &json!({"model": "org/none", "stream": true})),
        404,
    );
    assert_eq!(error["type"], "not_found_error");
    house.bad("/v1/chat/completions", &ask(&house, &json!({"model": house.embedder})), 400);
}

#[test]
fn what_means_nothing_is_told_and_nothing_is_nothing() {
    let house = House::new();
    let more = json!({
        "user": "me", "metadata": {"a": "b"}, "parallel_tool_calls": true, "tools": [], "tool_choice": "auto",
        "response_format": {"type": "text"}, "stop": null, "seed": null, "stream_options": null,
    });
    let answer = house.post("/v1/chat/completions", &ask(&house, &more));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("x-scaffold-ignored"), Some("user, metadata"));
    let plain = house.post("/v1/chat/completions", &ask(&house, &json!({})));
    assert_eq!(plain.header("x-scaffold-ignored"), None);
    assert_eq!(plain.json()["choices"], answer.json()["choices"]);
}

#[test]
fn the_last_message_can_be_gone_on_with() {
    let house = House::new();
    let messages =
        json!([{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Once"}]);
    let more = json!({"messages": messages, "continue_final_message": true, "add_generation_prompt": false});
    house.good("/v1/chat/completions", &ask(&house, &more));
    let rendered = house.good(
        "/render",
        &json!({"model": house.chat, "messages": messages, "continue_final_message": true}),
    );
    assert!(rendered["prompt"].as_str().unwrap().ends_with("Once"), "{rendered}");
    let both = json!({"messages": messages, "continue_final_message": true, "add_generation_prompt": true});
    house.bad("/v1/chat/completions", &ask(&house, &both), 400);
}

#[test]
fn stop_bias_and_limits_are_honoured() {
    let house = House::new();
    let whole =
        house.good("/v1/chat/completions", &ask(&house, &json!({"max_completion_tokens": 3})));
    assert_eq!(whole["usage"]["completion_tokens"], 3);
    assert_eq!(whole["choices"][0]["finish_reason"], "length");
    // Token 70 is a letter of its own: with this bias there is nothing else.
    let biased = house.good(
        "/v1/chat/completions",
        &ask(&house, &json!({"logit_bias": {"70": 100}, "max_tokens": 4})),
    );
    let text = biased["choices"][0]["message"]["content"].as_str().unwrap().to_owned();
    let letter = text.chars().next().unwrap();
    assert_eq!(text, letter.to_string().repeat(4));
    let more = json!({"logit_bias": {"70": 100}, "stop": [letter.to_string().repeat(2)]});
    let stopped = house.good("/v1/chat/completions", &ask(&house, &more));
    assert_eq!(stopped["choices"][0]["message"]["content"], "");
    assert_eq!(stopped["choices"][0]["finish_reason"], "stop");
}

#[test]
fn completions_take_texts_and_tokens_and_give_the_prompt_back() {
    let house = House::new();
    let body = |prompt: Value, more: Value| {
        let mut body =
            json!({"model": house.chat, "prompt": prompt, "max_tokens": 6, "temperature": 0});
        for (key, value) in more.as_object().unwrap() {
            body[key] = value.clone();
        }
        body
    };
    let alone = alone(&house);
    let ids = alone.plain_ids("once upon").unwrap();
    let text = house.good("/v1/completions", &body(json!("once upon"), json!({})));
    let tokens = house.good("/v1/completions", &body(json!(ids), json!({})));
    assert_eq!(text["choices"], tokens["choices"]);
    assert_eq!(text["object"], "text_completion");
    let two = house.good("/v1/completions", &body(json!(["once upon", "a time"]), json!({"n": 2})));
    let choices = two["choices"].as_array().unwrap();
    assert_eq!(choices.len(), 4);
    assert_eq!(choices[0]["text"], text["choices"][0]["text"]);
    assert_eq!(choices[3]["index"], 3);
    let lists = house.good("/v1/completions", &body(json!([ids, ids]), json!({})));
    assert_eq!(lists["choices"][1]["text"], text["choices"][0]["text"]);

    // The prompt's own log-probabilities, as the library has them.
    let echoed = house.good(
        "/v1/completions",
        &body(json!("once upon"), json!({"echo": true, "logprobs": 2, "max_tokens": 0})),
    );
    let choice = &echoed["choices"][0];
    assert_eq!(choice["text"], "once upon");
    let logprobs = &choice["logprobs"];
    assert_eq!(logprobs["tokens"].as_array().unwrap().len(), ids.len());
    assert!(logprobs["token_logprobs"][0].is_null() && logprobs["top_logprobs"][0].is_null());
    assert_eq!(logprobs["text_offset"][1], 1);
    let scored = alone.score_ids(vec![ids.clone()], 1).unwrap();
    let sum: f64 = logprobs["token_logprobs"].as_array().unwrap()[1..]
        .iter()
        .map(|x| x.as_f64().unwrap())
        .sum();
    assert!((sum - scored[0].logprob).abs() < 1e-4, "{sum} {}", scored[0].logprob);
    assert_eq!(echoed["usage"]["completion_tokens"], 0);

    // Prompt, answer and stream say the same.
    let more = json!({"echo": true, "logprobs": 1});
    let whole = house.good("/v1/completions", &body(json!("once upon"), more));
    let more = json!({"echo": true, "logprobs": 1, "stream": true, "stream_options": {"include_usage": true}});
    let events = house.post("/v1/completions", &body(json!("once upon"), more)).events();
    let joined: String =
        events.iter().filter_map(|event| event["choices"][0]["text"].as_str()).collect();
    assert_eq!(json!(joined), whole["choices"][0]["text"]);
    for key in ["tokens", "token_logprobs", "text_offset"] {
        let lists =
            events.iter().filter_map(|event| event["choices"][0]["logprobs"][key].as_array());
        let list: Vec<Value> = lists.flatten().cloned().collect();
        assert_eq!(json!(list), whole["choices"][0]["logprobs"][key], "{key}");
    }
    let best = house.good(
        "/v1/completions",
        &body(json!("a"), json!({"best_of": 3, "temperature": 1.0, "seed": 1})),
    );
    assert_eq!(best["choices"].as_array().unwrap().len(), 1);
    assert!(best["choices"][0]["logprobs"].is_null());
    for (prompt, more, param) in [
        (json!("x"), json!({"suffix": "y"}), "suffix"),
        (json!("x"), json!({"max_tokens": 0}), "max_tokens"),
        (json!("x"), json!({"best_of": 2, "stream": true}), "best_of"),
        (json!([]), json!({}), "prompt"),
        (json!([[1, "a"]]), json!({}), "prompt"),
        (json!([1_000_000]), json!({}), "prompt"),
    ] {
        let error = house.bad("/v1/completions", &body(prompt, more), 400);
        assert!(
            error["param"] == param || error["message"].as_str().unwrap().contains(param),
            "{error}"
        );
    }
}

#[test]
fn models_are_listed_and_found_by_names_with_slashes() {
    let house = House::with(|options| options.preload(Vec::<String>::new()));
    assert_eq!(house.get("/v1/models").json()["data"], json!([]));
    let model = house.get(&format!("/v1/models/{}", house.chat)).json();
    assert_eq!((&model["object"], &model["id"]), (&json!("model"), &json!(house.chat)));
    let encoded = house.chat.replace('/', "%2F");
    assert_eq!(house.get(&format!("/v1/models/{encoded}")).json(), model);
    let missing = house.get("/v1/models/org/none");
    assert_eq!(
        (missing.status, &missing.json()["error"]["code"]),
        (404, &json!("model_not_found"))
    );
}
