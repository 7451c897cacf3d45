//! Vocabularies as GGUF files hold them, against the libraries that they were made for
//! (see `make_goldens/gguf_vocabularies.py`).

mod support;

use scaffold_text::EncodeOptions;
use serde_json::json;
use support::{list, of_gguf, string};

#[test]
fn ids_are_those_of_the_library_that_the_vocabulary_was_made_for() {
    let golden = support::json("gguf.json.gz");
    let cases = golden.as_array().expect("cases");
    assert!(cases.len() >= 8);
    let mut wrong = Vec::new();
    for case in cases {
        let tokenizer = of_gguf(&case["keys"]).expect("a tokenizer");
        let texts = list(&case["texts"], string);
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
    let mut keys = case["keys"].clone();
    keys["merges"] = json!([]);
    for model in ["gpt2", "gemma4"] {
        keys["model"] = json!(model);
        let error = of_gguf(&keys).expect_err("refused").to_string();
        assert!(error.contains("`tokenizer.ggml.merges` is missing"), "{error}");
    }
    keys["model"] = json!("gpt2");
    keys["tokens"] = (b'a'..=b'z').map(|letter| char::from(letter).to_string()).collect();
    keys["token_type"] = json!([]);
    of_gguf(&keys).expect("single letters need no merges");
}
