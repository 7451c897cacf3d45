//! Configurations and calls that are wrong: an error that names what, never a panic.

mod common;

use common::{BLOCK_TOKENS, BLOCKS, decoder, load, scattered, session, sized};
use scaffold_formats::ConfigJson;
use scaffold_model::{KvType, ModelSpec, Precision, SessionSize, Span, Want, fuzzing};
use scaffold_testing::corpus::survives;
use scaffold_testing::golden::tiny;
use serde_json::{Value, json};

#[test]
fn the_corpus_of_the_fuzz_target() {
    survives("model_spec", fuzzing::model_spec, 4000);
}

/// Every key of some goldens' configurations replaced by what it should not be: refused, or loaded
/// over the golden's weights (which then refuse it where it changes a shape) and computed.
#[test]
fn configurations_with_one_wrong_value() {
    let wrong = [
        json!(null),
        json!(0),
        json!(-1),
        json!(1),
        json!(3),
        json!(1e300),
        json!(u64::MAX),
        json!("x"),
        json!([]),
        json!({}),
        json!(true),
    ];
    let names = [
        "llama3_rope",
        "gemma3_text",
        "qwen2_moe",
        "phi3_longrope",
        "stablelm_parallel",
        "gpt2",
        "cohere2",
        "granite",
    ];
    for golden in names.map(tiny) {
        let weights = golden.weights();
        let original = golden.config();
        for key in original.map().keys().filter(|key| *key != "model_type") {
            for value in &wrong {
                let mut map = original.map().clone();
                map.insert(key.clone(), value.clone());
                let text = Value::Object(map).to_string();
                fuzzing::model_spec(text.as_bytes());
                let config = ConfigJson::parse("config.json", text.as_bytes()).expect("JSON");
                let Ok(spec) = ModelSpec::from_config(&config) else {
                    continue;
                };
                let Ok(decoder) = load(&weights, spec, Precision::Native) else {
                    continue;
                };
                let blocks = [0];
                let span = Span {
                    tokens: &[1, 2, 3],
                    start: 0,
                    blocks: &blocks,
                    want: Want::Last,
                    planned: 3,
                };
                let small = SessionSize {
                    blocks: 1,
                    block_tokens: BLOCK_TOKENS,
                    kv_type: KvType::F32,
                    rows: 3,
                };
                let row = sized(&decoder, small).forward(&[span]).expect("a step").len();
                assert_eq!(row, decoder.spec().vocab, "{}: {key} = {value}", golden.name);
            }
        }
    }
}

#[test]
fn wrong_calls_are_refused_before_anything_is_written() {
    let decoder = decoder(&tiny("gpt2"));
    let mut session = session(&decoder, KvType::F32, 8);
    let blocks = scattered(BLOCKS);
    let good = Span { tokens: &[1, 2], start: 0, blocks: &blocks, want: Want::Last, planned: 0 };
    let many = [7; 9];
    for (span, named) in [
        (Span { tokens: &[1, 512], ..good }, "512"),
        (Span { tokens: &many, ..good }, "11 rows"),
        (Span { blocks: &blocks[..1], start: 15, ..good }, "position 16"),
        (Span { start: 256, ..good }, "learned positions (256)"),
        (Span { start: usize::MAX, ..good }, "blocks"),
        (Span { blocks: &[4000], ..good }, "block 4000"),
    ] {
        let error = session.forward(&[good, span]).expect_err(named).to_string();
        assert!(error.contains(named), "{error}");
    }
    let nothing = Span { tokens: &[], ..good };
    assert!(session.forward(&[nothing]).expect("an empty step").is_empty());
    assert!(session.forward(&[]).expect("no spans").is_empty());
}

#[test]
fn weights_that_do_not_belong_to_the_configuration_are_refused() {
    let spec = |name: &str| ModelSpec::from_config(&tiny(name).config()).expect("a specification");
    for (weights, config, named) in [
        // Biases that this configuration has no place for, missing ones, other shapes, another
        // family, an encoder.
        ("qwen2", "llama3_rope", "_proj.bias"),
        ("llama3_rope", "qwen2", "q_proj.bias"),
        ("qwen3", "llama", "q_proj.weight"),
        ("gpt2", "llama", "embed_tokens.weight"),
        ("bert", "bert", "is an encoder, not a decoder"),
    ] {
        let error = load(&tiny(weights).weights(), spec(config), Precision::Native)
            .expect_err(named)
            .to_string();
        assert!(error.contains(named), "{weights} as {config}: {error}");
    }
}
