use super::*;
use crate::added::Everywhere;
use crate::encoding::Encoding;

fn ids(parts: &Parts, text: &str) -> Vec<u32> {
    let mut out = Encoding::default();
    let Engine::ByteLevel(engine) = &parts.engine else { panic!("a byte-level engine") };
    engine
        .encode(
            text,
            0..text.len(),
            &parts.tokens,
            &parts.added,
            &Everywhere { special: false },
            &mut out,
        )
        .expect("encodes");
    out.ids
}

/// All bytes, then "ab", "abc" and "bc", after two control tokens.
fn tekken(vocab_size: usize) -> String {
    use base64::Engine as _;
    let encode = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
    let mut vocab: Vec<serde_json::Value> =
        (0..=255u8).map(|b| serde_json::json!({"rank": b, "token_bytes": encode(&[b])})).collect();
    for (rank, token) in [(256, "ab"), (257, "abc"), (258, "bc")] {
        vocab.push(serde_json::json!({"rank": rank, "token_bytes": encode(token.as_bytes())}));
    }
    serde_json::json!({
        "config": {"pattern": r"\p{L}+|\P{L}+", "default_vocab_size": vocab_size, "default_num_special_tokens": 3, "version": "v3"},
        "special_tokens": [{"rank": 1, "token_str": "<s>"}],
        "vocab": vocab,
    })
    .to_string()
}

#[test]
fn tekken_ranks_are_merges_after_the_control_tokens() {
    let (parts, version) =
        read_tekken(tekken(262).as_bytes(), Path::new("tekken.json")).expect("valid");
    assert_eq!(version.as_deref(), Some("v3"));
    assert_eq!(ids(&parts, "abc"), [260]);
    assert_eq!(ids(&parts, "abcbc"), [260, 261]);
    assert_eq!(parts.tokens.named("<s>"), Some(1));
    assert_eq!(parts.tokens.named("<SPECIAL_2>"), Some(2));
}

#[test]
fn a_tekken_file_with_fewer_tokens_than_announced_is_refused() {
    let error = read_tekken(tekken(500).as_bytes(), Path::new("tekken.json"))
        .expect_err("refused")
        .to_string();
    assert!(error.contains("500") && error.contains("259"), "{error}");
    let cut = tekken(262);
    let error = read_tekken(&cut.as_bytes()[..200], Path::new("tekken.json"))
        .expect_err("refused")
        .to_string();
    assert!(error.contains("ends in the middle"), "{error}");
}

#[test]
fn tiktoken_files_are_lines_of_tokens_and_ranks() {
    let lines = "YQ== 0\nYg== 1\nYWI= 2\n";
    let parts = read_tiktoken(lines.as_bytes(), Path::new("x.tiktoken"), &[]).expect("valid");
    assert_eq!(ids(&parts, "ab"), [2]);
    assert_eq!(ids(&parts, "ba"), [1, 0]);
    for (text, word) in
        [("YQ==\n", "line 1"), ("Y 0\n", "base64"), ("YQ== x\n", "not a number"), ("", "no tokens")]
    {
        let error = read_tiktoken(text.as_bytes(), Path::new("x.tiktoken"), &[])
            .expect_err(word)
            .to_string();
        assert!(error.contains(word), "{error}");
    }
}
