//! Every normalizer with every pre-tokenizer and post-processor, on text that they make longer and
//! shorter: every call ends, ids are those of the `tokenizers` crate, and offsets are its own,
//! widened to whole characters.

#[path = "support/compare.rs"]
mod compare;
#[path = "support/strings.rs"]
mod strings;
mod support;

use scaffold_text::fuzzing;
use serde_json::{Value, json};
use strings::{Both, Random};

const STRINGS: usize = 25;

fn normalizers() -> Vec<Value> {
    let plain = |kind: &str| json!({ "type": kind });
    let sequence = |steps: &[Value]| json!({ "type": "Sequence", "normalizers": steps });
    let replace = |from: &str, to: &str| json!({ "type": "Replace", "pattern": { "String": from }, "content": to });
    vec![
        Value::Null,
        plain("NFC"),
        plain("NFD"),
        plain("NFKC"),
        plain("NFKD"),
        plain("Lowercase"),
        plain("Nmt"),
        sequence(&[plain("NFD"), plain("StripAccents")]),
        sequence(&[plain("NFKC"), plain("Lowercase"), plain("NFC")]),
        replace(" ", "   "),
        replace("free", ""),
        replace("e", " é "),
        json!({ "type": "Replace", "pattern": { "Regex": "\\s+" }, "content": " " }),
        json!({ "type": "Prepend", "prepend": " " }),
        json!({ "type": "Strip", "strip_left": true, "strip_right": true }),
        json!({ "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true }),
    ]
}

fn pre_tokenizers() -> Vec<Value> {
    let bytes = |prefix: bool| json!({ "type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": true, "use_regex": true });
    let digits = json!({ "type": "Digits", "individual_digits": true });
    vec![
        bytes(false),
        bytes(true),
        json!({ "type": "Sequence", "pretokenizers": [digits, bytes(false)] }),
        json!({ "type": "Sequence", "pretokenizers": [{ "type": "WhitespaceSplit" }, bytes(true)] }),
    ]
}

fn post_processors() -> Vec<Value> {
    let bytes = |trim: bool, prefix: bool| json!({ "type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": trim, "use_regex": true });
    let roberta = |trim: bool, prefix: bool| json!({ "type": "RobertaProcessing", "sep": ["<|endoftext|>", 0], "cls": ["<|endoftext|>", 0], "trim_offsets": trim, "add_prefix_space": prefix });
    vec![
        Value::Null,
        bytes(true, true),
        bytes(true, false),
        bytes(false, true),
        roberta(true, true),
        roberta(true, false),
        roberta(false, true),
    ]
}

#[test]
fn every_pipeline_ends_and_has_the_offsets_of_the_tokenizers_crate() {
    let golden = support::json("classes.json.gz");
    let text = golden["files"]["GPT2Tokenizer-json"].as_str().expect("a file");
    let base: Value = serde_json::from_str(text).expect("JSON");
    let mut wrong = Vec::new();
    for (n, normalizer) in normalizers().into_iter().enumerate() {
        for (p, pre_tokenizer) in pre_tokenizers().into_iter().enumerate() {
            for (o, post_processor) in post_processors().into_iter().enumerate() {
                let mut file = base.clone();
                file["normalizer"] = normalizer.clone();
                file["pre_tokenizer"] = pre_tokenizer.clone();
                file["post_processor"] = post_processor;
                file["added_tokens"][0]["normalized"] = json!(o % 2 == 1);
                let both = Both::new(format!("{normalizer} {pre_tokenizer} {o}"), &file);
                let mut random = Random((n * 100 + p * 10 + o) as u64);
                let fixed = ["হয় ", "ज़ a", "free", " ", "e\u{301} ﬁ ½ free  "].map(str::to_owned);
                let names = ["<|endoftext|>"];
                let texts = (0..STRINGS).map(|_| strings::string(&mut random, 40, &names));
                for text in fixed.into_iter().chain(texts.collect::<Vec<_>>()) {
                    wrong.extend(compare::difference(&both, &text));
                    let half = text.floor_char_boundary(text.len() / 2);
                    let guarded = fuzzing::encode_guarded(
                        &both.ours,
                        &text,
                        std::slice::from_ref(&(half..text.len())),
                    );
                    let guarded = guarded.expect("encodes");
                    wrong.extend(compare::misplaced(&text, &guarded));
                    let pair =
                        both.ours.encode_pair(&text, "x", &scaffold_text::EncodeOptions::default());
                    let _ = both.ours.decode(&pair.expect("encodes").ids, true);
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(10)].join("\n")
    );
}
