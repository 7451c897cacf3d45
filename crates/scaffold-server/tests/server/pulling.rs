//! Models that are fetched, used and removed.

use std::fs;
use std::path::Path;

use scaffold_testing::hub::{FakeHub, FakeRepo};
use serde_json::{Value, json};

use crate::house::House;

/// A Hub with the model of a directory as `org/tiny`.
pub(crate) fn hub(directory: &str) -> FakeHub {
    let read = |name: &str| fs::read(Path::new(directory).join(name)).unwrap();
    let mut repo =
        FakeRepo::new("org/tiny").large_file("model.safetensors", read("model.safetensors"));
    for name in ["config.json", "tokenizer.json", "tokenizer_config.json"] {
        repo = repo.file(name, read(name));
    }
    let hub = FakeHub::start();
    hub.add(repo);
    hub
}

fn ask(model: &str) -> Value {
    json!({"model": model, "prompt": "Hello", "stream": false, "options": {"num_predict": 3, "temperature": 0}})
}

#[test]
fn a_model_is_fetched_used_listed_and_removed() {
    let other = House::new();
    let hub = hub(&other.chat);
    let house = House::of_hub(&hub.url(), |options| options);
    let error = house.bad("/api/generate", &ask("org/tiny"), 404);
    assert!(error.as_str().unwrap().starts_with("model 'org/tiny' not found"), "{error}");
    let lines = house.post("/api/pull", &json!({"model": "org/tiny"})).lines();
    let statuses: Vec<&str> = lines.iter().map(|line| line["status"].as_str().unwrap()).collect();
    assert_eq!((statuses[0], *statuses.last().unwrap()), ("pulling manifest", "success"));
    let mut weights = lines.iter().filter(|line| line["total"].as_u64() > Some(10_000));
    let last = weights.next_back().expect("the weights are told of");
    assert_eq!(last["total"], last["completed"]);
    assert!(last["digest"].as_str().unwrap().starts_with("sha256:"));
    assert!(last["status"].as_str().unwrap().starts_with("pulling "));

    for name in ["org/tiny", "org/tiny:latest", "hf.co/org/tiny"] {
        let answer = house.good("/api/generate", &ask(name));
        assert_eq!((&answer["model"], &answer["eval_count"]), (&json!(name), &json!(3)));
    }
    assert_eq!(house.metric("scaffold_model_loads_total"), 1.0);
    let tags = house.get("/api/tags").json();
    assert_eq!(tags["models"][0]["name"], "org/tiny");
    assert_eq!(tags["models"][0]["details"]["family"], "llama");
    let models = house.get("/v1/models").json();
    assert_eq!(
        (&models["data"][0]["id"], &models["data"][0]["owned_by"]),
        (&json!("org/tiny"), &json!("org"))
    );
    assert_eq!(house.get("/v1/models/org/tiny").status, 200);
    assert_eq!(house.get("/v1/models/org%2Ftiny").status, 200);
    assert_eq!(house.ask("DELETE", "/api/delete", "", br#"{"model": "org/tiny"}"#).status, 200);
    house.bad("/api/generate", &ask("org/tiny"), 404);
    assert_eq!(house.get("/api/tags").json()["models"], json!([]));
}

#[test]
fn with_leave_a_model_is_fetched_when_it_is_asked_for() {
    let other = House::new();
    let hub = hub(&other.chat);
    let house = House::of_hub(&hub.url(), |options| options.download(true));
    assert_eq!(house.good("/api/generate", &ask("org/tiny"))["eval_count"], 3);
    house.bad("/api/generate", &ask("org/none"), 404);
    let lines = house.post("/api/pull", &json!({"model": "org/none"})).lines();
    assert!(lines.last().unwrap()["error"].is_string());
    let whole = house.good("/api/pull", &json!({"model": "org/tiny", "stream": false}));
    assert_eq!(whole, json!({"status": "success"}));
}
