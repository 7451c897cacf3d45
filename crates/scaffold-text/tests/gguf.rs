//! Vocabularies as GGUF files hold them, against the libraries that they were made for
//! (see `make_goldens/gguf_vocabularies.py`).

mod support;

use scaffold_text::{EncodeOptions, GgufVocabulary, Tokenizer};
use serde_json::Value;

fn list<T>(value: &Value, item: impl Fn(&Value) -> T) -> Vec<T> {
    value.as_array().into_iter().flatten().map(item).collect()
}

fn vocabulary(keys: &Value) -> GgufVocabulary {
    let text = |name: &str| keys[name].as_str().map(str::to_owned);
    let id = |name: &str| keys[name].as_u64().map(|id| id as u32);
    let flag = |name: &str| keys[name].as_bool();
    let string = |value: &Value| value.as_str().expect("text").to_owned();
    GgufVocabulary {
        model: text("model").expect("a model"),
        pre: text("pre"),
        tokens: list(&keys["tokens"], |token| string(token).into_bytes()),
        scores: list(&keys["scores"], |score| score.as_f64().expect("a score") as f32),
        token_types: list(&keys["token_type"], |kind| kind.as_i64().expect("a kind") as i32),
        merges: list(&keys["merges"], string),
        unk_id: id("unknown_token_id"),
        cls_id: id("cls_token_id"),
        sep_id: id("seperator_token_id"),
        add_bos: flag("add_bos_token"),
        add_eos: flag("add_eos_token"),
        add_space_prefix: flag("add_space_prefix"),
        remove_extra_whitespaces: flag("remove_extra_whitespaces"),
        lowercase: flag("normalizer.lowercase"),
        strip_accents: flag("normalizer.strip_accents"),
        precompiled_charsmap: keys
            .get("precompiled_charsmap")
            .map(|table| list(table, |byte| byte.as_u64().expect("a byte") as u8)),
        ..GgufVocabulary::default()
    }
}

#[test]
fn ids_are_those_of_the_library_that_the_vocabulary_was_made_for() {
    let golden = support::json("gguf.json.gz");
    let cases = golden.as_array().expect("cases");
    assert!(cases.len() >= 8);
    let mut wrong = Vec::new();
    for case in cases {
        let (tokenizer, _) = Tokenizer::from_gguf(&vocabulary(&case["keys"])).expect("a tokenizer");
        let texts = list(&case["texts"], |text| text.as_str().expect("text").to_owned());
        let expected = list(&case["ids"], |ids| list(ids, |id| id.as_u64().expect("an id") as u32));
        for (text, expected) in texts.iter().zip(expected) {
            let ids = tokenizer.encode(text, &EncodeOptions::PLAIN).expect("encodes").ids;
            if ids != expected {
                wrong.push(format!("{}, {text:?}: {ids:?} and not {expected:?}", case["name"]));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn merges_that_are_missing_are_refused() {
    let golden = support::json("gguf.json.gz");
    let case = golden
        .as_array()
        .and_then(|cases| cases.iter().find(|case| case["name"] == "byte pairs"))
        .expect("byte pairs");
    for model in ["gpt2", "gemma4"] {
        let without = GgufVocabulary {
            model: model.to_owned(),
            merges: Vec::new(),
            ..vocabulary(&case["keys"])
        };
        let error = Tokenizer::from_gguf(&without).expect_err("refused").to_string();
        assert!(error.contains("`tokenizer.ggml.merges` is missing"), "{error}");
    }
    let letters = GgufVocabulary {
        tokens: (b'a'..=b'z').map(|letter| vec![letter]).collect(),
        token_types: Vec::new(),
        merges: Vec::new(),
        ..vocabulary(&case["keys"])
    };
    Tokenizer::from_gguf(&letters).expect("single letters need no merges");
}
