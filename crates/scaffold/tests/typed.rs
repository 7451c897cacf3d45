//! Answers as values of Rust types, from a model whose weights are random: what it says is noise, and a value of the type all the same.

#![expect(dead_code, reason = "what an answer says is parsed and shown")]

use std::collections::BTreeMap;

use scaffold::config::{Config, Flag, Inputs, Key};
use scaffold::{GenerateOptions, Kind, LlmManager};
use scaffold_testing::golden::tiny;
use scaffold_testing::tokenizer::byte_level;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Colour {
    Red,
    DarkGreen,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "kind")]
enum Pet {
    Cat { lives: u8 },
    Dog { tricks: Vec<Colour> },
    None,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Person {
    #[schemars(length(min = 1, max = 12))]
    name: String,
    #[schemars(range(min = 0, max = 130))]
    age: i32,
    colour: Colour,
    nick: Option<Colour>,
    #[schemars(length(max = 2))]
    pets: Vec<Pet>,
    place: (bool, i8),
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Tree {
    value: Option<bool>,
    #[schemars(length(max = 1))]
    parts: Vec<Tree>,
}

fn model() -> (tempfile::TempDir, LlmManager) {
    let directory = tempfile::tempdir().unwrap();
    let tiny = tiny("llama");
    for file in ["config.json", "model.safetensors"] {
        std::fs::copy(tiny.dir.join(file), directory.path().join(file)).unwrap();
    }
    std::fs::write(directory.path().join("tokenizer.json"), byte_level().to_string()).unwrap();
    let off = Flag { key: Key::PackedCache, name: "--test", value: "off".to_owned() };
    let inputs = Inputs { variable: &|_| None, project: None, file: None, flags: vec![off] };
    let name = directory.path().to_str().unwrap().to_owned();
    let config = Config::load(inputs).unwrap();
    let model = LlmManager::builder(name).config(&config).context(2048).load().unwrap();
    (directory, model)
}

/// Noise that comes to an end: what closes texts and lists is liked.
fn wild(model: &LlmManager, seed: u64) -> GenerateOptions {
    let tokenizer = model.tokenizer().unwrap();
    let token = |byte: u8| {
        (0..300).find(|&id| tokenizer.token_bytes(id).as_deref() == Some(&[byte])).unwrap()
    };
    let options = GenerateOptions::new().temperature(1.5).seed(seed).max_new_tokens(1200);
    b"\"]},".iter().fold(options, |options, &byte| options.bias(token(byte), 4.0))
}

#[test]
fn noise_becomes_values_of_types() {
    let (_directory, model) = model();
    for seed in 0..12 {
        let options = wild(&model, seed);
        let person: Person = model.generate_as_with("Somebody?", &options).unwrap();
        assert!(
            (1..=12).contains(&person.name.chars().count()) && (0..=130).contains(&person.age),
            "{person:?}"
        );
        assert!(person.pets.len() <= 2, "{person:?}");
        let tree: Tree = model.generate_as_with("A tree?", &options).unwrap();
        assert!(tree.parts.len() <= 1, "{tree:?}");
        let colours: BTreeMap<String, Colour> =
            model.generate_as_with("Colours?", &options).unwrap();
        assert!(colours.len() < 100, "{colours:?}");
        let _: bool = model.generate_as("Yes?").unwrap();
    }
}

#[test]
fn what_is_no_value_is_told() {
    let (_directory, model) = model();
    let cut = wild(&model, 1).max_new_tokens(4);
    let error = model.generate_as_with::<Person>("Somebody?", &cut).unwrap_err();
    assert_eq!(error.kind(), Kind::TooLarge);
    assert!(error.sentence().contains("after 4 tokens"), "{error}");
    /// Its schema allows more than it takes.
    #[derive(Debug, Deserialize, JsonSchema)]
    struct Loose {
        #[serde(rename = "it")]
        #[schemars(with = "String")]
        _it: u8,
    }
    let error = model.generate_as_with::<Loose>("It?", &wild(&model, 2)).unwrap_err();
    assert_eq!(error.kind(), Kind::Unsupported);
    assert!(error.sentence().contains("no value of the type"), "{error}");
}
