//! Mistral's real tokenizers against ids of `mistral-common`, whose package ships them.

mod support;

use scaffold_text::{
    ChatTemplate, EncodeOptions, FamilyHint, LoadOptions, Message, RenderOptions, Tokenizer,
};
use serde_json::Value;
use std::path::Path;

/// A directory that holds nothing but one tokenizer file.
fn alone(dir: &Path, file: &str, name: &str) -> tempfile::TempDir {
    let temp = tempfile::tempdir().expect("a directory");
    std::fs::copy(dir.join(file), temp.path().join(name)).expect("copied");
    temp
}

fn load(dir: &Path) -> Tokenizer {
    Tokenizer::from_dir(dir, &LoadOptions::default()).expect("a tokenizer").0
}

fn ids(value: &Value) -> Vec<u32> {
    serde_json::from_value(value.clone()).expect("ids")
}

/// The golden, and each tokenizer in a directory of its own, under its own name.
fn each(check: impl Fn(&str, &Value, &Value, &Path)) {
    let Some(package) = support::package("mistral-common") else {
        return;
    };
    let golden = support::json("mistral_tokens.json");
    for (version, expected) in golden["tokenizers"].as_object().expect("tokenizers") {
        let file = expected["file"].as_str().expect("a file name");
        let dir = alone(&package, file, file);
        check(version, &golden, expected, dir.path());
    }
}

#[test]
fn strings_have_the_ids_of_mistral_common() {
    each(|version, golden, expected, dir| {
        let tokenizer = load(dir);
        assert_eq!(
            tokenizer.vocab_size() as u64,
            expected["n_words"].as_u64().expect("a size"),
            "{version}"
        );
        assert_eq!(
            u64::from(tokenizer.bos().expect("bos")),
            expected["bos"].as_u64().expect("an id")
        );
        for (index, string) in golden["strings"].as_array().expect("strings").iter().enumerate() {
            let string = string.as_str().expect("text");
            let expected_ids = ids(&expected["encode"][index]);
            let encoding = tokenizer.encode(string, &EncodeOptions::PLAIN).expect("encodes");
            assert_eq!(encoding.ids, expected_ids, "{version}: {string:?}");
            let decoded = expected.get("sp_decode").unwrap_or(&expected["decode"]);
            assert_eq!(
                tokenizer.decode(&expected_ids, true).expect("decodes"),
                decoded[index].as_str().expect("text"),
                "{version}: {string:?}"
            );
        }
    });
}

#[test]
fn chats_have_the_ids_of_mistral_common() {
    each(|version, golden, expected, dir| {
        let tokenizer = load(dir);
        let (template, notices) = ChatTemplate::from_dir(dir, &tokenizer, &FamilyHint::default())
            .expect("the built-in format");
        assert_eq!(notices.len(), 1, "{notices:?}");
        for (index, chat) in golden["chats"].as_array().expect("chats").iter().enumerate() {
            let messages: Vec<Message> = serde_json::from_value(chat.clone()).expect("messages");
            let prompt = template.prompt(&messages, &RenderOptions::default());
            let expected = &expected["chats"][index];
            match expected.get("ids") {
                Some(expected) => {
                    let prompt =
                        prompt.unwrap_or_else(|error| panic!("{version}, chat {index}: {error}"));
                    let encoding = tokenizer.encode_prompt(&prompt).expect("encodes");
                    assert_eq!(
                        encoding.ids,
                        ids(expected),
                        "{version}, chat {index}: {:?}",
                        prompt.text()
                    );
                }
                None => assert!(prompt.is_err(), "{version}, chat {index} is refused: {expected}"),
            }
        }
    });
}

#[test]
fn a_plain_tokenizer_model_is_recognized_by_its_tokens() {
    let Some(package) = support::package("mistral-common") else {
        return;
    };
    let golden = support::json("mistral_tokens.json");
    for version in ["v1", "v3", "v7"] {
        let expected = &golden["tokenizers"][version];
        let dir =
            alone(&package, expected["file"].as_str().expect("a file name"), "tokenizer.model");
        let tokenizer = load(dir.path());
        let hint = FamilyHint {
            name: Some("mistralai/Mistral-7B-Instruct".to_owned()),
            ..FamilyHint::default()
        };
        let (template, _) =
            ChatTemplate::from_dir(dir.path(), &tokenizer, &hint).expect("the built-in format");
        let messages: Vec<Message> =
            serde_json::from_value(golden["chats"][1].clone()).expect("messages");
        let prompt = template.prompt(&messages, &RenderOptions::default()).expect("a prompt");
        assert_eq!(
            tokenizer.encode_prompt(&prompt).expect("encodes").ids,
            ids(&expected["chats"][1]["ids"]),
            "{version}"
        );
    }
}
