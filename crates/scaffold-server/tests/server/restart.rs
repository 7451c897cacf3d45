//! Long prompts that are found again by a server that was started anew.

use std::fs;
use std::path::Path;

use scaffold::prompts::{Hurry, PromptOptions};
use scaffold_server::Keys;
use serde_json::{Value, json};

use crate::house::{House, decoder_with};

const TEMPLATE: &str = "{% for m in messages %}{{ m.content }}{% endfor %}";

fn house(directory: &Path, limit: u64, keys: Option<&str>) -> House {
    let prompts = PromptOptions {
        directory: directory.to_owned(),
        limit,
        least: 64,
        hurry: Hurry::default(),
    };
    House::with(|options| {
        let options = options.kept_prompts(prompts);
        match keys {
            Some(keys) => options.keys(Keys::parse(keys).unwrap()),
            None => options,
        }
    })
}

fn prompt(end: &str) -> String {
    format!("{}{end}", "A long text that many questions begin with. ".repeat(3))
}

fn ask_as(house: &House, key: &str, model: &str, prompt: &str) -> Value {
    let body = json!({
        "model": model, "max_tokens": 8, "temperature": 0, "messages": [{"role": "user", "content": prompt}],
    });
    let header = format!("x-api-key: {key}\r\n");
    let answer = house.ask("POST", "/v1/chat/completions", &header, body.to_string().as_bytes());
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn ask(house: &House, model: &str, prompt: &str) -> Value {
    ask_as(house, "", model, prompt)
}

fn cached(answer: &Value) -> u64 {
    answer["usage"]["prompt_tokens_details"]["cached_tokens"].as_u64().unwrap()
}

fn text(answer: &Value) -> &Value {
    &answer["choices"][0]["message"]["content"]
}

fn files(directory: &Path) -> usize {
    fs::read_dir(directory).map_or(0, Iterator::count)
}

#[test]
fn a_long_prompt_is_not_read_again_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let model = decoder_with(TEMPLATE);
    let name = model.path().to_str().unwrap();
    let mut first = house(directory.path(), 1 << 30, None);
    let alone = ask(&first, name, &prompt("One?"));
    assert_eq!(cached(&alone), 0);
    ask(&first, name, "short");
    assert!(first.stop());
    assert_eq!(files(directory.path()), 1);

    let mut second = house(directory.path(), 1 << 30, None);
    let again = ask(&second, name, &prompt("One?"));
    assert!(cached(&again) >= 128, "{again}");
    assert_eq!(text(&again), text(&alone));
    assert!(second.stop());
    let mut second = house(directory.path(), 1 << 30, None);
    // One that only begins like it finds that beginning.
    let other = ask(&second, name, &prompt("Two, and more of it: what is there?"));
    assert!(cached(&other) == 128, "{other}");
    let plain = House::new();
    assert_eq!(
        text(&ask(&plain, name, &prompt("Two, and more of it: what is there?"))),
        text(&other)
    );
    // What goes on from one takes its place.
    let more = format!("{}{}", prompt("One?"), "x".repeat(80));
    ask(&second, name, &more);
    assert!(second.stop());
    assert_eq!(files(directory.path()), 1);
    let third = house(directory.path(), 1 << 30, None);
    assert!(cached(&ask(&third, name, &more)) >= 192);
}

#[test]
fn unloading_keeps_prompts_and_damage_costs_nothing_but_time() {
    let directory = tempfile::tempdir().unwrap();
    let model = decoder_with(TEMPLATE);
    let name = model.path().to_str().unwrap();
    let house = house(directory.path(), 1 << 30, None);
    let alone = ask(&house, name, &prompt("One?"));
    house.good("/v1/unload", &json!({"model": name}));
    let path = fs::read_dir(directory.path()).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&path, bytes).unwrap();
    let again = ask(&house, name, &prompt("One?"));
    assert_eq!(text(&again), text(&alone));
    assert!(!path.exists(), "a damaged file is of no use to anybody");
    house.good("/v1/unload", &json!({"model": name}));
    let again = ask(&house, name, &prompt("One?"));
    assert!(cached(&again) >= 128, "{again}");
}

#[test]
fn keys_share_nothing_and_there_is_a_limit() {
    let directory = tempfile::tempdir().unwrap();
    let model = decoder_with(TEMPLATE);
    let name = model.path().to_str().unwrap();
    let (me, you) = ("0123456789abcdef", "fedcba9876543210");
    let keys = format!("me {me}\nyou {you}\n");
    let keyed = |limit| house(directory.path(), limit, Some(&keys));
    let mut first = keyed(1 << 30);
    ask_as(&first, me, name, &prompt("One?"));
    assert!(first.stop());
    let mut second = keyed(1 << 30);
    assert_eq!(cached(&ask_as(&second, you, name, &prompt("One?"))), 0);
    assert!(cached(&ask_as(&second, me, name, &prompt("One?"))) >= 128);
    assert!(second.stop());
    assert_eq!(files(directory.path()), 2);
    let mut third = keyed(1000);
    ask_as(&third, me, name, &"Something else that is long enough? ".repeat(4));
    assert!(third.stop());
    assert_eq!(files(directory.path()), 2, "what is larger than all may be is not kept");
}
