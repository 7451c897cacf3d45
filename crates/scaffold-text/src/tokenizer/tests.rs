use super::*;
use scaffold_error::{Error, Kind, Notice};
use serde_json::{Value, json};
use std::path::Path;

/// A `tokenizer.json` of a few letters.
fn tokenizer_json() -> Value {
    json!({
        "version": "1.0",
        "truncation": {"max_length": 2, "strategy": "LongestFirst", "stride": 0, "direction": "Right"},
        "added_tokens": [{"id": 0, "content": "<s>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}],
        "normalizer": {"type": "NFC"},
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": true},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]}}
        },
        "decoder": {"type": "ByteLevel"},
        "model": {"type": "BPE", "vocab": {"a": 1, "b": 2, "ab": 3, "Ġ": 4, "Ã": 5, "©": 6, "Ã©": 7}, "merges": ["a b", ["Ã", "©"]]}
    })
}

/// A SentencePiece model: `▁`, `a`, `b`, `▁ab`.
fn sentence_piece() -> Vec<u8> {
    let piece = |text: &str, score: f32, kind: u8| {
        let mut body = vec![0x0a, text.len() as u8];
        body.extend(text.as_bytes());
        body.push(0x15);
        body.extend(score.to_le_bytes());
        body.extend([0x18, kind]);
        [vec![0x0a, body.len() as u8], body].concat()
    };
    let mut out: Vec<u8> = [
        ("<unk>", 0.0, 2),
        ("<s>", 0.0, 3),
        ("</s>", 0.0, 3),
        ("▁", -1.0, 1),
        ("a", -2.0, 1),
        ("b", -3.0, 1),
        ("ab", -0.5, 1),
        ("▁ab", -0.7, 1),
    ]
    .into_iter()
    .flat_map(|(text, score, kind)| piece(text, score, kind))
    .collect();
    out.extend([0x12, 2, 0x18, 2]); // trainer: BPE
    out.extend([0x1a, 4, 0x18, 1, 0x20, 0]); // normalizer: a dummy prefix, spaces kept
    out
}

fn dir(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    for (name, content) in files {
        std::fs::write(dir.path().join(name), content).expect("written");
    }
    dir
}

fn load(dir: &Path, use_fast: bool) -> Result<(Tokenizer, Vec<Notice>), Error> {
    Tokenizer::from_dir(dir, &LoadOptions { use_fast })
}

#[test]
fn a_byte_level_file_is_read_by_our_own_engine_and_never_cuts_a_text() {
    let file = tokenizer_json().to_string();
    let temp = dir(&[("tokenizer.json", file.as_bytes())]);
    let (tokenizer, notices) = load(temp.path(), true).expect("a tokenizer");
    assert!(notices.is_empty() && matches!(tokenizer.parts.engine, Engine::ByteLevel(_)));
    let encoding =
        tokenizer.encode("ab ab e\u{301}<s>", &EncodeOptions::default()).expect("encodes");
    // The normalizer composes the accent; a letter that the vocabulary lacks is dropped, as by
    // `tokenizers`.
    assert_eq!(encoding.ids, [0, 3, 4, 3, 4, 7]);
    assert_eq!(encoding.offsets[5].0, 6);
    let pair = tokenizer.encode_pair("a", "b", &EncodeOptions::default()).expect("encodes");
    assert_eq!((pair.ids, pair.type_ids), (vec![0, 1, 2], vec![0, 0, 1]));
}

#[test]
fn the_slow_file_is_taken_when_asked_for_or_when_the_fast_one_fails() {
    let (file, model) = (tokenizer_json().to_string(), sentence_piece());
    let both = dir(&[("tokenizer.json", file.as_bytes()), ("tokenizer.model", &model)]);
    assert_eq!(load(both.path(), true).expect("a tokenizer").0.source(), "tokenizer.json");
    let (slow, notices) = load(both.path(), false).expect("a tokenizer");
    assert_eq!((slow.source(), notices.len()), ("tokenizer.model", 0));
    assert_eq!(slow.encode("ab", &EncodeOptions::default()).expect("encodes").ids, [1, 7]);

    let broken = dir(&[("tokenizer.json", &file.as_bytes()[..100]), ("tokenizer.model", &model)]);
    let (tokenizer, notices) = load(broken.path(), true).expect("a tokenizer");
    assert_eq!(tokenizer.source(), "tokenizer.model");
    assert!(
        matches!(&notices[..], [notice] if notice.text.contains("ends in the middle")),
        "{notices:?}"
    );

    let only_fast = dir(&[("tokenizer.json", file.as_bytes())]);
    let (_, notices) = load(only_fast.path(), false).expect("a tokenizer");
    assert!(
        matches!(&notices[..], [notice] if notice.text.contains("the slow tokenizer was asked for")),
        "{notices:?}"
    );
    let only_slow = dir(&[("tokenizer.model", &model)]);
    assert_eq!(load(only_slow.path(), true).expect("a tokenizer").1.len(), 1);
    let nothing = load(dir(&[]).path(), true).map(|_| ()).expect_err("no tokenizer");
    assert_eq!(nothing.kind(), Kind::NotFound, "{nothing}");
    assert!(nothing.to_string().contains("holds no tokenizer"), "{nothing}");
}

#[test]
fn an_unreadable_file_is_diagnosed_by_what_is_wrong_in_it() {
    let diagnosed = |content: &[u8]| {
        let temp = dir(&[("tokenizer.json", content)]);
        load(temp.path(), true).map(|_| ()).expect_err("refused").to_string()
    };
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut file = tokenizer_json();
        change(&mut file);
        diagnosed(file.to_string().as_bytes())
    };
    let unknown_type = json!({"type": "Metaspace9", "replacement": "x"});
    for (error, part) in [
        (diagnosed(b""), "empty"),
        (diagnosed(b"version https://git-lfs.github.com/spec/v1\noid sha256:x"), "Git LFS"),
        (diagnosed(b"<!DOCTYPE html><html>"), "web page"),
        (diagnosed(&tokenizer_json().to_string().as_bytes()[..300]), "ends in the middle"),
        (diagnosed(b"{\"a\": 1}"), "no `model`"),
        (diagnosed(b"[1]"), "not an object"),
        (changed(&|file| file["model"]["merges"][0] = json!("a x")), "\"x\""),
        (changed(&|file| file["model"]["merges"][0] = json!("a")), "two tokens"),
        (
            changed(&|file| file["pre_tokenizer"] = unknown_type.clone()),
            "`pre_tokenizer`, of type \"Metaspace9\"",
        ),
        (changed(&|file| file["normalizer"] = json!({"type": "New"})), "normalizer"),
    ] {
        assert!(error.contains(part), "{part}: {error}");
        assert!(!error.contains("untagged enum") && error.contains("tokenizer.json"), "{error}");
    }
}

#[test]
fn tokens_that_stand_only_in_the_configuration_are_added() {
    let file = tokenizer_json().to_string();
    let config = json!({
        "added_tokens_decoder": {
            "0": {"content": "<s>", "special": true},
            "8": {"content": "<|end|>", "special": true, "lstrip": true},
            "9": {"content": "<tool>", "special": false, "normalized": false}
        },
        "bos_token": {"content": "<s>"}, "eos_token": "<|end|>", "image_token": "<img>", "add_bos_token": false
    });
    let temp = dir(&[
        ("tokenizer.json", file.as_bytes()),
        ("tokenizer_config.json", config.to_string().as_bytes()),
    ]);
    let tokenizer = load(temp.path(), true).expect("a tokenizer").0;
    let options = EncodeOptions { parse_special: true, ..EncodeOptions::default() };
    assert_eq!(
        tokenizer.encode("a <|end|><tool>b", &options).expect("encodes").ids,
        [0, 1, 8, 9, 2]
    );
    assert_eq!(tokenizer.eos_ids(), [8]);
    // `<img>` stands nowhere but in the configuration, and the file's frame counts.
    assert_eq!(tokenizer.vocab_size(), 11);
    assert!(tokenizer.adds_bos());
    assert!(tokenizer.special_tokens().iter().any(|token| token == ("image_token", "<img>")));
    let parsed = tokenizer.encode("<|end|><tool>", &EncodeOptions::PLAIN).expect("encodes").ids;
    assert!(!parsed.contains(&8) && parsed.contains(&9), "{parsed:?}");
}

#[test]
fn text_after_a_control_token_starts_as_a_line_unless_the_model_is_newer() {
    let model = sentence_piece();
    let options = EncodeOptions { add_special: false, parse_special: true };
    let legacy = dir(&[("tokenizer.model", &model)]);
    let tokenizer = load(legacy.path(), true).expect("a tokenizer").0;
    assert_eq!(tokenizer.encode("<s>ab", &options).expect("encodes").ids, [1, 7]);
    let newer =
        dir(&[("tokenizer.model", &model), ("tokenizer_config.json", br#"{"legacy": false}"#)]);
    let tokenizer = load(newer.path(), true).expect("a tokenizer").0;
    assert_eq!(tokenizer.encode("<s>ab", &options).expect("encodes").ids, [1, 6]);
    assert_eq!(tokenizer.encode("ab", &options).expect("encodes").ids, [7]);
    assert_eq!(tokenizer.decode(&[1, 7, 3, 4], true).expect("decodes"), "ab a");
    assert_eq!(tokenizer.decode(&[7, 2], false).expect("decodes"), "ab</s>");
}

#[test]
fn ids_beyond_any_vocabulary_are_refused_with_their_place() {
    let huge = 4_000_000_000u64;
    let mut added = tokenizer_json();
    added["added_tokens"][0]["id"] = json!(huge);
    let mut vocab = tokenizer_json();
    vocab["model"]["vocab"]["far"] = json!(huge);
    let file = tokenizer_json().to_string();
    let decoder = json!({ "added_tokens_decoder": { "4000000000": { "content": "<x>" } } });
    let list = json!({ "<x>": huge });
    let words = json!({ "a": 0, "b": huge });
    let class = json!({ "tokenizer_class": "GPT2Tokenizer" });
    type Files = Vec<(&'static str, String)>;
    let cases: [(Files, &str); 5] = [
        (vec![("tokenizer.json", added.to_string())], "`added_tokens`"),
        (vec![("tokenizer.json", vocab.to_string())], "`model.vocab`"),
        (
            vec![("tokenizer.json", file.clone()), ("tokenizer_config.json", decoder.to_string())],
            "tokenizer_config.json",
        ),
        (
            vec![("tokenizer.json", file), ("added_tokens.json", list.to_string())],
            "added_tokens.json",
        ),
        (
            vec![
                ("vocab.json", words.to_string()),
                ("merges.txt", String::new()),
                ("tokenizer_config.json", class.to_string()),
            ],
            "vocab.json",
        ),
    ];
    for (files, place) in cases {
        let files: Vec<(&str, &[u8])> =
            files.iter().map(|(name, content)| (*name, content.as_bytes())).collect();
        let temp = dir(&files);
        let error = load(temp.path(), true).expect_err("refused").to_string();
        assert!(error.contains("4000000000") && error.contains(place), "{error}");
    }
}

#[test]
fn files_whose_class_is_not_known_or_not_read_are_refused_by_name() {
    let model = sentence_piece();
    let class = |name: &str| json!({ "tokenizer_class": name }).to_string();
    let (marian, bert) = (class("MarianTokenizer"), class("BertTokenizer"));
    type Files<'a> = &'a [(&'a str, &'a [u8])];
    let cases: [(Files<'_>, &str); 5] = [
        (&[("spiece.model", &model)], "nothing says which tokenizer class"),
        (&[("vocab.txt", b"a\n")], "nothing says which tokenizer class"),
        (&[("vocab.json", b"{}"), ("merges.txt", b"")], "nothing says which tokenizer class"),
        (&[("vocab.json", b"{}"), ("tokenizer_config.json", marian.as_bytes())], "MarianTokenizer"),
        (
            &[("vocab.json", b"{}"), ("tokenizer_config.json", bert.as_bytes())],
            "read from vocab.txt",
        ),
    ];
    for (files, part) in cases {
        let error = load(dir(files).path(), true).expect_err("refused").to_string();
        assert!(error.contains(part) && error.contains("tokenizer.json"), "{error}");
    }
}
