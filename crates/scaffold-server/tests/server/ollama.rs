//! The interface of Ollama.

use serde_json::{Value, json};

use crate::house::House;

fn ask(house: &House, more: &Value) -> Value {
    let mut body = json!({
        "model": house.chat, "messages": [{"role": "user", "content": "Hello"}],
        "options": {"num_predict": 12, "temperature": 0},
    });
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    body
}

fn check_counts(last: &Value) {
    assert_eq!(last["done"], true);
    for key in [
        "total_duration",
        "load_duration",
        "prompt_eval_count",
        "prompt_eval_duration",
        "eval_count",
        "eval_duration",
    ] {
        assert!(last[key].as_u64().unwrap() > 0, "{key}: {last}");
    }
    assert!(last["total_duration"].as_u64() >= last["eval_duration"].as_u64());
}

#[test]
fn chats_come_in_lines_and_as_one() {
    let house = House::new();
    let whole = house.good("/api/chat", &ask(&house, &json!({"stream": false})));
    check_counts(&whole);
    assert_eq!(whole["message"]["role"], "assistant");
    assert!(whole["created_at"].as_str().unwrap().ends_with('Z'));
    // By default in lines.
    let lines = house.post("/api/chat", &ask(&house, &json!({}))).lines();
    let (last, pieces) = lines.split_last().unwrap();
    check_counts(last);
    assert_eq!(last["done_reason"], whole["done_reason"]);
    assert_eq!(last["message"], json!({"role": "assistant", "content": ""}));
    let mut text = String::new();
    for line in pieces {
        assert_eq!(line["done"], false);
        text += line["message"]["content"].as_str().unwrap();
        let keys: Vec<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, ["model", "created_at", "message", "done"]);
    }
    assert_eq!(json!(text), whole["message"]["content"]);
    // The same model says the same to either kind of client.
    let other = house.good(
        "/v1/chat/completions",
        &json!({"model": house.chat, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 12, "temperature": 0}),
    );
    assert_eq!(other["choices"][0]["message"]["content"], whole["message"]["content"]);
}

#[test]
fn prompts_are_answered_and_gone_on_with() {
    let house = House::new();
    let body = json!({"model": house.chat, "prompt": "Hello", "stream": false, "options": {"num_predict": 12, "temperature": 0}});
    let first = house.good("/api/generate", &body);
    check_counts(&first);
    let chat = house.good("/api/chat", &ask(&house, &json!({"stream": false})));
    assert_eq!(first["response"], chat["message"]["content"]);
    let context = first["context"].as_array().unwrap();
    assert!(context.len() >= 12);
    let mut next = body.clone();
    next["context"] = first["context"].clone();
    let second = house.good("/api/generate", &next);
    assert!(second["prompt_eval_count"].as_u64() > first["prompt_eval_count"].as_u64());
    let lines = house.post("/api/generate", &json!({"model": house.chat, "prompt": "Hello", "options": {"num_predict": 12, "temperature": 0}})).lines();
    let text: String = lines.iter().map(|line| line["response"].as_str().unwrap()).collect();
    assert_eq!(json!(text), first["response"]);
    assert_eq!(lines.last().unwrap()["context"], first["context"]);
    let raw = house.good("/api/generate", &json!({"model": house.chat, "prompt": "Hello", "raw": true, "stream": false, "options": {"num_predict": 3}}));
    assert_eq!(raw["eval_count"], 3);
    assert!(raw["prompt_eval_count"].as_u64() < first["prompt_eval_count"].as_u64());
    let more = json!({"model": house.chat, "prompt": "Hello", "stream": false, "logprobs": true, "top_logprobs": 2, "options": {"num_predict": 3}});
    let told = house.good("/api/generate", &more);
    assert_eq!(told["logprobs"][0]["top_logprobs"].as_array().unwrap().len(), 2);
}

#[test]
fn a_request_without_words_loads_and_unloads() {
    let house = House::new();
    let loaded = || house.get("/api/ps").json()["models"].as_array().unwrap().len();
    assert_eq!(loaded(), 0);
    let answer = house.good(
        "/api/generate",
        &json!({"model": house.chat, "stream": false, "keep_alive": "1h30m"}),
    );
    assert_eq!((&answer["done_reason"], &answer["response"]), (&json!("load"), &json!("")));
    let ps = house.get("/api/ps").json();
    let model = &ps["models"][0];
    assert_eq!((&model["name"], &model["model"]), (&json!(house.chat), &json!(house.chat)));
    assert!(model["expires_at"].as_str().unwrap() > answer["created_at"].as_str().unwrap());
    assert_eq!(model["context_length"], 256);
    for key in ["size", "size_vram"] {
        assert!(model[key].is_u64(), "{key}");
    }
    let lines = house
        .post("/api/chat", &json!({"model": house.chat, "messages": [], "keep_alive": 0}))
        .lines();
    assert_eq!(lines[0]["done_reason"], "unload");
    assert_eq!(loaded(), 0);
    house.bad("/api/generate", &json!({"model": house.chat, "keep_alive": "soon"}), 400);
    house.bad("/api/chat", &json!({"model": house.chat, "options": {"top_p": 2}}), 400);
    for keep in [json!("-1s"), json!(-1), json!(1800), json!("5m")] {
        house.good(
            "/api/generate",
            &json!({"model": house.chat, "stream": false, "keep_alive": keep}),
        );
    }
}

#[test]
fn refusals_are_in_ollamas_words() {
    let house = House::new();
    let error = |more: Value, status| {
        house.bad("/api/chat", &ask(&house, &more), status).as_str().unwrap().to_owned()
    };
    assert!(error(json!({"think": true}), 400).contains("does not support thinking"));
    assert!(error(json!({"format": "xml"}), 400).contains("format"));
    assert!(error(json!({"tools": [{"type": "function"}]}), 400).contains("tools"));
    assert!(error(json!({"model": "org/none"}), 404).starts_with("model 'org/none' not found"));
    assert!(error(json!({"options": {"num_predict": -5}}), 400).contains("options.num_predict"));
    assert!(
        error(json!({"messages": [{"role": "user", "content": "a", "images": ["aGk="]}]}), 400)
            .contains("images")
    );
    let generate = |more: Value| {
        let mut body = json!({"model": house.chat, "prompt": "x"});
        for (key, value) in more.as_object().unwrap() {
            body[key] = value.clone();
        }
        house.bad("/api/generate", &body, 400).as_str().unwrap().to_owned()
    };
    let error = generate(json!({"suffix": "y"}));
    assert!(error.contains("does not support insert"), "{error}");
    assert!(generate(json!({"template": "{{ .Prompt }}"})).contains("template"));
    assert!(generate(json!({"raw": true, "system": "s"})).contains("raw"));
    let empty = house.ask("POST", "/api/chat", "", b"");
    assert_eq!(
        (empty.status, empty.json()["error"].as_str().unwrap().contains("missing request body")),
        (400, true)
    );
    // Harmless.
    let more = json!({"think": false, "tools": [], "format": "", "options": {"num_ctx": 8192, "mirostat": 0, "num_predict": 2}, "stream": false});
    let answer = house.post("/api/chat", &ask(&house, &more));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("x-scaffold-ignored"), Some("options.num_ctx, options.mirostat"));
    assert_eq!(house.metric("scaffold_model_loads_total"), 1.0);
}

#[test]
fn models_are_listed_and_shown() {
    let name = std::cell::RefCell::new(String::new());
    let house = House::new();
    *name.borrow_mut() = house.chat.clone();
    assert_eq!(house.ask("HEAD", "/", "", b"").status, 200);
    assert_eq!(house.get("/").text(), "Ollama is running");
    let version = house.get("/api/version").json()["version"].as_str().unwrap().to_owned();
    let numbers: Vec<u32> = version.split('.').map(|part| part.parse().unwrap()).collect();
    assert!(numbers.len() == 3 && (numbers[0], numbers[1]) >= (0, 30), "{version}");
    assert_eq!(house.get("/api/tags").json(), json!({"models": []}));
    for key in ["model", "name"] {
        let shown = house.good("/api/show", &json!({key: house.chat}));
        assert_eq!(shown["capabilities"], json!(["completion"]));
        let info = shown["model_info"].as_object().unwrap();
        assert_eq!(info["general.architecture"], "llama");
        let first = info.keys().find(|key| key.contains("context_length")).unwrap();
        assert_eq!((first.as_str(), &info[first]), ("llama.context_length", &json!(256)));
        assert!(shown["template"].as_str().unwrap().contains("im_start"));
        for key in ["format", "family", "parameter_size", "quantization_level"] {
            assert!(shown["details"][key].is_string(), "{key}");
        }
    }
    house.bad("/api/show", &json!({"model": "org/none"}), 404);
    let error = house.bad("/api/push", &json!({"model": "x"}), 400);
    assert!(error.as_str().unwrap().contains("is not done here"), "{error}");
    let answer = house.ask("DELETE", "/api/delete", "", br#"{"model": "org/none"}"#);
    assert_eq!(answer.status, 404, "{}", answer.text());
    // Nothing of the network: that is an error in the lines.
    let lines = house.post("/api/pull", &json!({"model": "org/none"})).lines();
    assert_eq!(lines[0]["status"], "pulling manifest");
    assert!(lines.last().unwrap()["error"].is_string());
}

#[test]
fn what_was_offered_at_the_start_is_listed_whole() {
    let other = House::new();
    let house =
        House::with(|options| options.preload([other.chat.clone(), other.embedder.clone()]));
    let tags = house.get("/api/tags").json();
    let models = tags["models"].as_array().unwrap();
    assert_eq!(models.len(), 2);
    for model in models {
        assert_eq!(model["name"], model["model"]);
        assert!(model["size"].as_u64().unwrap() > 0 && model["modified_at"].is_string());
        assert!(model["digest"].as_str().unwrap().len() >= 12);
        for key in ["format", "family", "parameter_size", "quantization_level"] {
            assert!(!model["details"][key].as_str().unwrap().is_empty(), "{key}: {model}");
        }
    }
    let ids: Vec<Value> = house.get("/v1/models").json()["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["id"].clone())
        .collect();
    assert!(ids.contains(&json!(other.chat)), "{ids:?}");
    crate::house::until("it is ready", || house.get("/ready").status == 200);
    assert_eq!(house.get("/api/ps").json()["models"].as_array().unwrap().len(), 2);
}
