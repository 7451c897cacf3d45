//! Answers that are held to a form, from weights that are noise: what is right is right by the form.

use serde_json::{Value, json};

use crate::house::House;
use crate::tools::{CALL_ID, calling, calling_with};

fn city() -> Value {
    json!({
        "type": "object",
        "properties": {"name": {"type": "string", "maxLength": 6}, "old": {"type": "boolean"}},
        "required": ["name", "old"],
        "additionalProperties": false,
    })
}

fn is_city(text: &Value) -> bool {
    let city: Value = serde_json::from_str(text.as_str().unwrap()).unwrap();
    city["name"].as_str().unwrap().chars().count() <= 6
        && city["old"].is_boolean()
        && city.as_object().unwrap().len() == 2
}

fn chat(model: &str, more: &Value) -> Value {
    let mut body = json!({
        "model": model, "messages": [{"role": "user", "content": "A city?"}], "max_tokens": 120, "temperature": 1.5, "seed": 7,
    });
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    body
}

#[test]
fn openais_formats_are_kept_to() {
    let house = House::new();
    let format = json!({"type": "json_schema", "json_schema": {"name": "city", "strict": true, "schema": city()}});
    let body = chat(&house.chat, &json!({"response_format": format, "n": 3}));
    let answer = house.good("/v1/chat/completions", &body);
    for choice in answer["choices"].as_array().unwrap() {
        assert!(is_city(&choice["message"]["content"]), "{choice}");
        assert_eq!(choice["finish_reason"], "stop");
    }
    assert!(house.metric("scaffold_forced_tokens_total") > 20.0);
    // The same in a stream, and with the likeliness of each token.
    let streamed =
        chat(&house.chat, &json!({"response_format": format, "stream": true, "logprobs": true}));
    let events = house.post("/v1/chat/completions", &streamed).events();
    let text: String = events
        .iter()
        .filter_map(|event| event["choices"][0]["delta"]["content"].as_str())
        .collect();
    assert!(is_city(&json!(text)), "{text}");
    let object =
        chat(&house.chat, &json!({"response_format": {"type": "json_object"}, "max_tokens": 400}));
    let answer = house.good("/v1/chat/completions", &object);
    assert!(
        answer["choices"][0]["message"]["content"].as_str().unwrap().starts_with('{'),
        "{answer}"
    );
}

#[test]
fn words_of_other_servers_are_understood() {
    let house = House::new();
    for (more, accepted) in [
        (json!({"guided_choice": ["yes", "no"]}), &["yes", "no"][..]),
        (json!({"guided_regex": "[ab]"}), &["a", "b"]),
        (json!({"guided_grammar": "root ::= \"x\" | \"y\""}), &["x", "y"]),
        (json!({"guided_json": {"enum": [1, 2]}}), &["1", "2"]),
        (json!({"structured_outputs": {"choice": ["yes", "no"]}}), &["yes", "no"]),
        (json!({"grammar": "root ::= [0-1]"}), &["0", "1"]),
        (json!({"grammar": "start: \"u\" | \"v\""}), &["u", "v"]),
        (json!({"json_schema": {"const": null}}), &["null"]),
    ] {
        let answer = house.good("/v1/chat/completions", &chat(&house.chat, &more));
        let text = answer["choices"][0]["message"]["content"].as_str().unwrap();
        assert!(accepted.contains(&text), "{more}: {text}");
    }
    let body = json!({"model": house.chat, "prompt": "A", "guided_choice": ["yes", "no"], "max_tokens": 9});
    let answer = house.good("/v1/completions", &body);
    assert!(["yes", "no"].contains(&answer["choices"][0]["text"].as_str().unwrap()));
}

#[test]
fn ollamas_format_is_kept_to() {
    let house = House::new();
    let options = json!({"num_predict": 120, "temperature": 1.5, "seed": 3});
    let chat = json!({"model": house.chat, "messages": [{"role": "user", "content": "A city?"}], "format": city(), "stream": false, "options": options});
    assert!(is_city(&house.good("/api/chat", &chat)["message"]["content"]));
    let body = json!({"model": house.chat, "prompt": "A city?", "format": city(), "stream": false, "options": options});
    let answer = house.good("/api/generate", &body);
    assert!(is_city(&answer["response"]) && answer["done_reason"] == "stop", "{answer}");
    let raw = json!({"model": house.chat, "prompt": "A city?", "raw": true, "format": city(), "stream": false, "options": options});
    assert!(is_city(&house.good("/api/generate", &raw)["response"]));
    let json = json!({"model": house.chat, "prompt": "A city?", "format": "json", "stream": false, "options": options});
    assert!(house.good("/api/generate", &json)["response"].as_str().unwrap().starts_with('{'));
    for format in [json!("xml"), json!(5), json!({"not": {"enum": [1]}})] {
        let words = house.bad(
            "/api/generate",
            &json!({"model": house.chat, "prompt": "A", "format": format}),
            400,
        );
        assert!(words.as_str().unwrap().contains("format"), "{words}");
    }
}

#[test]
fn what_cannot_be_kept_to_is_refused_by_its_field_and_place() {
    let house = House::new();
    let schema = |schema: Value| json!({"type": "json_schema", "json_schema": {"name": "a", "schema": schema}});
    for (more, param, words) in [
        (
            json!({"response_format": schema(json!({"properties": {"a": {"not": {"enum": [1]}}}}))}),
            "response_format",
            "#/properties/a/not",
        ),
        (
            json!({"response_format": {"type": "json_schema", "json_schema": {"name": "a"}}}),
            "response_format.json_schema.schema",
            "required",
        ),
        (
            json!({"response_format": {"type": "structural_tag"}}),
            "response_format.type",
            "accepted",
        ),
        (json!({"guided_regex": "("}), "guided_regex", "unclosed"),
        (json!({"guided_json": "{"}), "guided_json", "no JSON"),
        (json!({"grammar": "root ::= nothing"}), "grammar", "the rule `nothing`"),
        (json!({"guided_choice": ["a"], "guided_regex": "a"}), "guided_choice", "leave one out"),
        (
            json!({"structured_outputs": {"structural_tag": "x"}}),
            "structured_outputs.structural_tag",
            "cannot be honoured",
        ),
    ] {
        let error = house.bad("/v1/chat/completions", &chat(&house.chat, &more), 400);
        assert_eq!(error["param"], param, "{error}");
        assert!(error["message"].as_str().unwrap().contains(words), "{error}");
        assert_ne!(error["code"], "context_length_exceeded");
    }
}

#[test]
fn responses_are_held_to_forms() {
    let house = House::new();
    let format = json!({"type": "json_schema", "name": "city", "schema": city(), "strict": true});
    let body = json!({"model": house.chat, "input": "A city?", "text": {"format": format}, "max_output_tokens": 120, "temperature": 1.5, "seed": 2});
    let answer = house.good("/v1/responses", &body);
    assert!(is_city(&answer["output"][0]["content"][0]["text"]), "{answer}");
    assert_eq!(
        (&answer["status"], &answer["text"]["format"]["name"]),
        (&json!("completed"), &json!("city"))
    );
}

fn tools() -> Value {
    let parameters = json!({"type": "object", "properties": {"city": {"$ref": "#/$defs/city"}}, "required": ["city"],
        "additionalProperties": false, "$defs": {"city": {"enum": ["Bonn", "Rome"]}}});
    let tool = |name: &str| json!({"type": "function", "function": {"name": name, "parameters": parameters}});
    json!([tool("weather"), tool("time")])
}

fn check_call(name: &Value, arguments: &Value) {
    assert!(["weather", "time"].contains(&name.as_str().unwrap()));
    let arguments: Value = match arguments {
        Value::String(text) => serde_json::from_str(text).unwrap(),
        object => object.clone(),
    };
    assert!(["Bonn", "Rome"].contains(&arguments["city"].as_str().unwrap()), "{arguments}");
}

#[test]
fn calls_are_made_where_they_are_asked_for() {
    let house = House::new();
    let directory = calling();
    let model = directory.path().to_str().unwrap();
    for seed in 0..3 {
        let required = json!({"tools": tools(), "tool_choice": "required", "parallel_tool_calls": false, "seed": seed});
        let answer = house.good("/v1/chat/completions", &chat(model, &required));
        let choice = &answer["choices"][0];
        let calls = choice["message"]["tool_calls"].as_array().unwrap();
        assert_eq!((calls.len(), &choice["finish_reason"]), (1, &json!("tool_calls")), "{answer}");
        check_call(&calls[0]["function"]["name"], &calls[0]["function"]["arguments"]);
    }
    let named = json!({"tools": tools(), "tool_choice": {"type": "function", "function": {"name": "time"}}, "parallel_tool_calls": false});
    let answer = house.good("/v1/chat/completions", &chat(model, &named));
    assert_eq!(answer["choices"][0]["message"]["tool_calls"][0]["function"]["name"], "time");
    let allowed = json!({"tools": tools(), "parallel_tool_calls": false, "tool_choice": {"type": "allowed_tools", "mode": "required",
        "tools": [{"type": "function", "function": {"name": "weather"}}]}});
    let answer = house.good("/v1/chat/completions", &chat(model, &allowed));
    assert_eq!(answer["choices"][0]["message"]["tool_calls"][0]["function"]["name"], "weather");
    // Several, if it likes: each is right.
    let many = json!({"tools": tools(), "tool_choice": "required", "max_tokens": 400});
    let answer = house.good("/v1/chat/completions", &chat(model, &many));
    for call in answer["choices"][0]["message"]["tool_calls"].as_array().unwrap() {
        check_call(&call["function"]["name"], &call["function"]["arguments"]);
    }
    // A form, or a call.
    let either = json!({"tools": tools(), "guided_choice": ["yes", "no"]});
    let answer = house.good("/v1/chat/completions", &chat(model, &either));
    let message = &answer["choices"][0]["message"];
    assert!(
        message["content"] == "yes"
            || message["content"] == "no"
            || message["tool_calls"].is_array(),
        "{message}"
    );
    for (choice, words) in [
        (json!("always"), "cannot be read"),
        (json!({"type": "function", "function": {"name": "sea"}}), "\"sea\""),
    ] {
        let error = house.bad(
            "/v1/chat/completions",
            &chat(model, &json!({"tools": tools(), "tool_choice": choice})),
            400,
        );
        assert!(
            error["param"] == "tool_choice" && error["message"].as_str().unwrap().contains(words),
            "{error}"
        );
    }
    let error =
        house.bad("/v1/chat/completions", &chat(model, &json!({"tool_choice": "required"})), 400);
    assert!(error["message"].as_str().unwrap().contains("there are no tools"), "{error}");
}

#[test]
fn other_interfaces_force_calls_too() {
    let house = House::new();
    let directory = calling();
    let model = directory.path().to_str().unwrap();
    let flat = |schema: &str| -> Value {
        let of = |tool: &Value| {
            let function = &tool["function"];
            json!({"type": if schema == "parameters" { "function" } else { "custom" }, "name": function["name"], schema: function["parameters"]})
        };
        tools().as_array().unwrap().iter().map(of).collect()
    };
    let message = json!({"model": model, "max_tokens": 200, "messages": [{"role": "user", "content": "A city?"}], "tools": flat("input_schema"),
        "tool_choice": {"type": "any", "disable_parallel_tool_use": true}, "temperature": 1.0});
    let answer = house.good("/v1/messages", &message);
    let uses: Vec<&Value> = answer["content"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|block| block["type"] == "tool_use")
        .collect();
    assert_eq!((uses.len(), &answer["stop_reason"]), (1, &json!("tool_use")), "{answer}");
    check_call(&uses[0]["name"], &uses[0]["input"]);
    let mut named = message;
    named["tool_choice"] =
        json!({"type": "tool", "name": "time", "disable_parallel_tool_use": true});
    assert_eq!(house.good("/v1/messages", &named)["content"][0]["name"], "time");

    let response = json!({"model": model, "input": "A city?", "tools": flat("parameters"), "tool_choice": "required",
        "parallel_tool_calls": false, "max_output_tokens": 200, "temperature": 1.0, "seed": 1});
    let answer = house.good("/v1/responses", &response);
    let call =
        answer["output"].as_array().unwrap().iter().find(|item| item["type"] == "function_call");
    let call = call.unwrap_or_else(|| panic!("{answer}"));
    check_call(&call["name"], &call["arguments"]);
    let mut named = response;
    named["tool_choice"] = json!({"type": "function", "name": "weather"});
    let answer = house.good("/v1/responses", &named);
    assert_eq!(answer["output"].as_array().unwrap().last().unwrap()["name"], "weather");
}

/// A model that would like to call with arguments of its own does not, where the tool is strict.
#[test]
fn strict_tools_are_kept_to_where_the_model_need_not_call() {
    let house = House::new();
    let directory = calling();
    let model = directory.path().to_str().unwrap();
    let ask = |strict: bool| {
        let mut tools = tools();
        tools[0]["function"]["strict"] = json!(strict);
        let place = &mut tools[0]["function"]["parameters"]["$defs"]["city"];
        *place = json!({"enum": ["Rome"]});
        let more =
            json!({"tools": tools, "max_tokens": 3, "logit_bias": {CALL_ID.to_string(): 100}});
        let answer = house.post("/v1/chat/completions", &chat(model, &more));
        assert_eq!(answer.header("x-scaffold-ignored"), None);
        answer.json()["choices"][0]["message"].clone()
    };
    let calls = ask(false)["tool_calls"].clone();
    assert!(calls[0]["function"]["arguments"].as_str().unwrap().contains("Bonn"), "{calls}");
    let held = ask(true);
    assert!(
        held["tool_calls"].is_null() && !held["content"].as_str().unwrap().contains("Bonn"),
        "{held}"
    );
    // Where calls are whole answers nothing tells that one begins, and that is told.
    let bare = calling_with(
        "{% if tools %}{{ tools | tojson }}{% endif %}{% for m in messages %}{{ m.role }}: {{ m.content }}{% if m.tool_calls %}\
         {\"name\": \"{{ m.tool_calls[0].function.name }}\", \"parameters\": {{ m.tool_calls[0].function.arguments | tojson }}}{% endif %}\n\
         {% endfor %}{% if add_generation_prompt %}assistant: {% endif %}",
    );
    let mut strict = tools();
    strict[1]["function"]["strict"] = json!(true);
    let more = json!({"tools": strict, "max_tokens": 2});
    let answer = house.post("/v1/chat/completions", &chat(bare.path().to_str().unwrap(), &more));
    let notice = answer.header("x-scaffold-notice").unwrap_or_default().to_owned();
    assert!(notice.contains("strict is not kept to"), "{notice}");
}
