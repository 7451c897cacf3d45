//! Tiny tokenizers of every class, with and without each of their files, against `transformers`
//! (see `make_goldens/classes.py`).

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use scaffold_text::{EncodeOptions, LoadOptions, Tokenizer};
use serde_json::Value;
use std::path::Path;

const AS_TRANSFORMERS: EncodeOptions = EncodeOptions { add_special: true, parse_special: true };

fn write(dir: &Path, golden: &Value, case: &Value) {
    for (name, content) in case["files"].as_object().expect("files") {
        let path = dir.join(name);
        let written = match content.as_str().map(|stored| &golden["files"][stored]) {
            None => std::fs::write(path, content.to_string()),
            Some(Value::String(text)) => std::fs::write(path, text),
            Some(stored) => {
                let bytes = stored["base64"].as_str().expect("base64");
                std::fs::write(path, STANDARD.decode(bytes).expect("base64"))
            }
        };
        written.expect("written");
    }
}

fn numbers(value: &Value) -> Vec<u32> {
    let items = value.as_array().expect("ids").iter();
    items.map(|id| id.as_u64().expect("an id") as u32).collect()
}

/// What differs from the golden, in words.
fn differences(golden: &Value, case: &Value, tokenizer: &Tokenizer) -> Vec<String> {
    let mut wrong = Vec::new();
    let list = |value: &Value| value.as_array().expect("a list").clone();
    for (text, ids) in list(&golden["texts"]).iter().zip(list(&case["ids"])) {
        let text = text.as_str().expect("text");
        let encoding = tokenizer.encode(text, &AS_TRANSFORMERS).expect("encodes");
        let expected = numbers(&ids);
        if encoding.ids != expected {
            wrong.push(format!("{text:?}: {:?} and not {expected:?}", encoding.ids));
        }
    }
    for (texts, pair) in list(&golden["pairs"]).iter().zip(list(&case["pairs"])) {
        let text = |n: usize| texts[n].as_str().expect("text");
        let encoding = tokenizer.encode_pair(text(0), text(1), &AS_TRANSFORMERS).expect("encodes");
        let expected = (numbers(&pair[0]), numbers(&pair[1]));
        let got = (encoding.ids, encoding.type_ids);
        if got != expected {
            wrong.push(format!("{texts}: {got:?} and not {expected:?}"));
        }
    }
    wrong
}

#[test]
fn ids_are_those_of_transformers_from_any_of_the_files() {
    let golden = support::json("classes.json.gz");
    let cases = golden["cases"].as_array().expect("cases");
    assert!(cases.len() > 450, "{}", cases.len());
    let mut wrong = Vec::new();
    for case in cases.iter().filter(|case| case["error"].is_null()) {
        let dir = tempfile::tempdir().expect("a directory");
        write(dir.path(), &golden, case);
        for use_fast in [true, false] {
            let name = format!("{}, use_fast {use_fast}", case["name"]);
            match Tokenizer::from_dir(dir.path(), &LoadOptions { use_fast }) {
                Err(error) => wrong.push(format!("{name}: {error}")),
                Ok((tokenizer, _)) => {
                    let differences = differences(&golden, case, &tokenizer);
                    if let Some(first) = differences.first() {
                        wrong.push(format!("{name}: {} differ: {first}", differences.len()));
                    }
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} differ:\n{}",
        wrong.len(),
        2 * cases.len(),
        wrong.join("\n")
    );
}
