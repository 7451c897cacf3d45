//! `tokenize`, `detokenize` and `render` on a directory that holds only tokenizer files.

use std::fs;

use crate::project::{Project, Ran};

/// A tokenizer of single letters, with a control token, and a chat template.
fn project() -> Project {
    let project = Project::new();
    let dir = project.path().join("tokenizer");
    fs::create_dir(&dir).unwrap();
    let tokenizer = serde_json::json!({
        "version": "1.0",
        "added_tokens": [{"id": 0, "content": "<|end|>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}],
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": true},
        "decoder": {"type": "ByteLevel"},
        "model": {"type": "BPE", "vocab": {"a": 1, "b": 2, "Ã": 3, "©": 4, "<": 5, "|": 6, ">": 7, "e": 8, "n": 9, "d": 10, "ab": 11}, "merges": ["a b"]}
    });
    fs::write(dir.join("tokenizer.json"), tokenizer.to_string()).unwrap();
    fs::write(
        dir.join("chat_template.jinja"),
        "{% for m in messages %}{{ m.content }}<|end|>{% endfor %}",
    )
    .unwrap();
    fs::write(project.path().join("chat.json"), r#"[{"role": "user", "content": "ab<|end|>"}]"#)
        .unwrap();
    project
}

fn answered(ran: &Ran, expected: &str) {
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), expected), "{}", ran.stderr);
}

#[test]
fn text_becomes_tokens_and_text_again() {
    let project = project();
    let ran = project.run(&["tokenize", "./tokenizer", "abé", "--json"]);
    answered(
        &ran,
        "{\"ids\":[11,3,4],\"pieces\":[\"ab\",\"Ã\",\"©\"],\"offsets\":[[0,2],[2,3],[2,3]]}\n",
    );
    let ran = project.run(&["tokenize", "./tokenizer", "b<|end|>", "--json", "--parse-special"]);
    answered(&ran, "{\"ids\":[2,0],\"pieces\":[\"b\",\"<|end|>\"],\"offsets\":[[0,1],[1,8]]}\n");
    answered(&project.run(&["detokenize", "./tokenizer", "11,3,4,0"]), "abé<|end|>\n");
    answered(&project.run(&["detokenize", "./tokenizer", "11", "0", "--skip-special"]), "ab\n");
}

#[test]
fn a_control_token_in_a_message_is_text() {
    let project = project();
    let ran = project.run(&["render", "./tokenizer", "--messages", "chat.json", "--json"]);
    answered(&ran, "{\"prompt\":\"ab<|end|><|end|>\",\"ids\":[11,5,6,8,9,10,6,7,0]}\n");
    let ran = project.run(&[
        "render",
        "./tokenizer",
        "--messages",
        "chat.json",
        "--json",
        "--special-in-messages",
    ]);
    answered(&ran, "{\"prompt\":\"ab<|end|><|end|>\",\"ids\":[11,0,0]}\n");
}

#[test]
fn messages_that_are_none_are_a_usage_error() {
    let project = project();
    fs::write(project.path().join("chat.json"), r#"[{"role": 7}]"#).unwrap();
    let ran = project.run(&["render", "./tokenizer", "--messages", "chat.json"]);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(ran.stderr.contains("message 0") && ran.stderr.contains("role"), "{}", ran.stderr);
}
