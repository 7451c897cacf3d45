//! Models that think before they answer.

use serde_json::{Value, json};

use crate::house::{House, decoder_with};

/// As the templates of models that think: the answer begins in a thought, or after an empty one.
const THINKING: &str = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant: \
                        {% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% else %}<think>\n{% endif %}\
                        {% endif %}";

fn ask(model: &str, more: &Value) -> Value {
    let mut body = json!({
        "model": model, "messages": [{"role": "user", "content": "Hello"}], "stream": false,
        "options": {"num_predict": 12, "temperature": 0},
    });
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    body
}

#[test]
fn thoughts_are_told_apart_from_answers() {
    let house = House::new();
    let directory = decoder_with(THINKING);
    let model = directory.path().to_str().unwrap();
    // It thinks unless it is told not to; a tiny model never comes to an end.
    let whole = house.good("/api/chat", &ask(model, &json!({})));
    let thought = whole["message"]["thinking"].as_str().unwrap().to_owned();
    assert!(!thought.is_empty() && whole["message"]["content"] == "", "{whole}");
    assert_eq!(
        house.good("/api/chat", &ask(model, &json!({"think": true})))["message"],
        whole["message"]
    );
    let lines = house.post("/api/chat", &ask(model, &json!({"stream": true}))).lines();
    let joined: String =
        lines.iter().filter_map(|line| line["message"]["thinking"].as_str()).collect();
    assert_eq!(joined, thought);
    assert!(lines.iter().all(|line| line["message"]["content"] == ""));
    let quick = house.good("/api/chat", &ask(model, &json!({"think": false})));
    assert!(
        quick["message"].get("thinking").is_none() && quick["message"]["content"] != "",
        "{quick}"
    );
    let told = house.good("/api/generate", &json!({"model": model, "prompt": "Hello", "stream": false, "options": {"num_predict": 12, "temperature": 0}}));
    assert_eq!((&told["thinking"], &told["response"]), (&json!(thought), &json!("")));

    let chat = |more: Value| {
        let mut body = json!({"model": model, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 12, "temperature": 0});
        for (key, value) in more.as_object().unwrap() {
            body[key] = value.clone();
        }
        body
    };
    let answer = house.good("/v1/chat/completions", &chat(json!({})));
    let message = &answer["choices"][0]["message"];
    assert_eq!((&message["reasoning_content"], &message["content"]), (&json!(thought), &json!("")));
    let events = house.post("/v1/chat/completions", &chat(json!({"stream": true}))).events();
    let joined: String = events
        .iter()
        .filter_map(|event| event["choices"][0]["delta"]["reasoning_content"].as_str())
        .collect();
    assert_eq!(joined, thought);
    for more in [
        json!({"reasoning_effort": "none"}),
        json!({"chat_template_kwargs": {"enable_thinking": false}}),
    ] {
        let answer = house.good("/v1/chat/completions", &chat(more));
        let message = &answer["choices"][0]["message"];
        assert!(message.get("reasoning_content").is_none());
        assert_eq!(message["content"], quick["message"]["content"]);
    }
    let shown = house.good("/api/show", &json!({"model": model}));
    assert_eq!(shown["capabilities"], json!(["completion", "thinking"]));
    let bad = house.bad("/api/chat", &ask(model, &json!({"think": "a lot"})), 400);
    assert!(bad.as_str().unwrap().contains("think"));
}

#[test]
fn thoughts_are_closed_when_they_have_had_their_budget() {
    let house = House::new();
    let directory = decoder_with(THINKING);
    let model = directory.path().to_str().unwrap();
    let options = json!({"num_predict": 48, "temperature": 0});
    let free = house.good("/api/chat", &ask(model, &json!({"options": options})));
    assert!(free.get("thinking_finish_reason").is_none() && free["message"]["content"] == "");
    let thought = free["message"]["thinking"].as_str().unwrap();

    let options = json!({"num_predict": 48, "temperature": 0, "thinking_budget": 4});
    let cut = house.good("/api/chat", &ask(model, &json!({"options": options})));
    assert_eq!(cut["thinking_finish_reason"], "length", "{cut}");
    let (begun, said) = (&cut["message"]["thinking"], &cut["message"]["content"]);
    assert!(thought.starts_with(begun.as_str().unwrap()) && said != "", "{cut}");
    let lines = house.post("/api/chat", &ask(model, &json!({"options": options, "stream": true})));
    assert_eq!(lines.lines().last().unwrap()["thinking_finish_reason"], "length");

    let messages = json!([{"role": "user", "content": "Hello"}]);
    let chat = json!({"model": model, "messages": messages, "max_tokens": 48, "temperature": 0, "thinking_budget": 4});
    let choice = house.good("/v1/chat/completions", &chat)["choices"][0].clone();
    assert_eq!(choice["thinking_finish_reason"], "length");
    assert_eq!(choice["message"]["reasoning_content"], *begun);
    assert_eq!(choice["message"]["content"], *said);

    let chat = json!({"model": model, "messages": messages, "max_tokens": 48, "temperature": 0,
                      "thinking": {"type": "enabled", "budget_tokens": 4}});
    let answer = house.good("/v1/messages", &chat);
    assert_eq!(answer["content"][0]["thinking"], *begun);
    assert_eq!(answer["content"][1]["text"], *said);
    assert_eq!(answer["thinking_finish_reason"], "length");

    let asked = json!({"model": model, "input": "Hello", "max_output_tokens": 48, "temperature": 0, "thinking_budget": 4});
    let response = house.good("/v1/responses", &asked);
    assert_eq!(response["thinking_finish_reason"], "length");
    assert_eq!(response["output"][0]["type"], "reasoning");
}
