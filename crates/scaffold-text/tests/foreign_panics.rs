//! Files on which the `tokenizers` library panics: an error for whoever asked, at most, and the
//! thread goes on.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use scaffold_text::{EncodeOptions, Error, LoadOptions, StreamDecoder, Tokenizer};
use serde_json::{Value, json};
use std::sync::Arc;

/// A vocabulary of whole words that only the library reads.
fn file() -> Value {
    json!({
        "version": "1.0",
        "added_tokens": [],
        "model": {"type": "WordPiece", "unk_token": "?", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
            "vocab": {"?": 0, "H": 1, "a": 2}}
    })
}

fn load(file: &Value) -> Result<Tokenizer, Error> {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("tokenizer.json"), file.to_string()).expect("written");
    Tokenizer::from_dir(dir.path(), &LoadOptions { use_fast: true }).map(|(tokenizer, _)| tokenizer)
}

/// Strips one letter at either end: of a token of that one letter it strips more than there is.
fn strips() -> Value {
    let mut file = file();
    file["decoder"] = json!({"type": "Strip", "content": "H", "start": 1, "stop": 2});
    file
}

/// Replacements whose table leads out of the table.
fn astray(size: u32) -> Value {
    let mut table = size.to_le_bytes().to_vec();
    table.extend((1000u32 << 10).to_le_bytes());
    table.extend(b"abc\0");
    let mut file = file();
    file["normalizer"] =
        json!({"type": "Precompiled", "precompiled_charsmap": STANDARD.encode(table)});
    file
}

#[test]
fn a_decoder_that_panics_fails_the_answer_and_no_other() {
    let tokenizer = Arc::new(load(&strips()).expect("a tokenizer"));
    let error = tokenizer.decode(&[2, 1], true).expect_err("refused");
    let text = error.to_string();
    assert!(
        text.contains("cannot be turned into text")
            && text.contains("[2, 1]")
            && text.contains("strip.rs"),
        "{text}"
    );
    let mut decoder = StreamDecoder::new(Arc::clone(&tokenizer));
    assert_eq!(decoder.push(2).expect("decodes").as_deref(), Some("a"), "the other letter");
    let again = decoder.push(1).expect_err("refused");
    assert!(again.to_string().contains("cannot be turned into text"), "{again}");
    // The next answer.
    let mut decoder = StreamDecoder::new(tokenizer);
    assert!(decoder.push(2).is_ok() && decoder.finish().is_ok());
}

#[test]
fn a_normalizer_that_panics_fails_the_text() {
    let tokenizer = load(&astray(4)).expect("a tokenizer");
    for _ in 0..2 {
        let error = tokenizer.encode("a", &EncodeOptions::PLAIN);
        let text = error.expect_err("refused").to_string();
        assert!(text.contains("`tokenizers` library broke off"), "{text}");
    }
    assert!(tokenizer.encode_pair("a", "H", &EncodeOptions::PLAIN).is_err());
    assert!(
        tokenizer.encode("", &EncodeOptions::PLAIN).expect("nothing to normalize").ids.is_empty()
    );
}

#[test]
fn a_normalizer_that_panics_in_front_of_our_own_engine_fails_the_text() {
    let mut file = astray(4);
    file["pre_tokenizer"] = json!({"type": "ByteLevel", "add_prefix_space": false});
    file["decoder"] = json!({"type": "ByteLevel"});
    file["model"] = json!({"type": "BPE", "vocab": {"a": 0}, "merges": []});
    let tokenizer = load(&file).expect("a tokenizer");
    let error = tokenizer.encode("a", &EncodeOptions::PLAIN);
    let text = error.expect_err("refused").to_string();
    assert!(text.contains("normalization failed"), "{text}");
}

#[test]
fn a_file_on_which_reading_panics_is_refused_by_name() {
    let mut file = astray(4);
    file["added_tokens"] = json!([{"id": 3, "content": "<x>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": true, "special": false}]);
    let text = load(&file).expect_err("refused").to_string();
    assert!(text.contains("tokenizer.json") && text.contains("broke off"), "{text}");
}

#[test]
fn a_table_takes_no_memory_that_it_does_not_fill() {
    for nested in [false, true] {
        let mut file = astray(u32::MAX);
        if nested {
            file["normalizer"] = json!({"type": "Sequence", "normalizers": [file["normalizer"]]});
        }
        let text = load(&file).expect_err("refused").to_string();
        assert!(text.contains("announces 4294967295 bytes"), "{text}");
    }
}
