//! The starter's tokenizer: prompts and ids as `transformers` made them.

mod support;

use proptest::prelude::*;
use scaffold_text::{
    ChatTemplate, EncodeOptions, Message, RenderOptions, StreamDecoder, Tokenizer,
};
use std::sync::{Arc, LazyLock};

static STARTER: LazyLock<Arc<Tokenizer>> = LazyLock::new(|| Arc::new(support::starter()));

#[test]
fn prompts_and_their_ids_are_those_of_transformers() {
    let source = support::starter_template();
    let template =
        ChatTemplate::from_source(&source, STARTER.special_tokens()).expect("a valid template");
    let golden = support::json("smollm2_chats.json");
    for case in golden["cases"].as_array().expect("cases") {
        let messages: Vec<Message> =
            serde_json::from_value(case["messages"].clone()).expect("messages");
        let prompt = template.render(&messages, &RenderOptions::default()).expect("a prompt");
        assert_eq!(prompt, case["prompt_text"].as_str().expect("text"));
        let ids: Vec<u32> = serde_json::from_value(case["prompt_ids"].clone()).expect("ids");
        assert_eq!(STARTER.encode_chat(&prompt).expect("encodes").ids, ids);
        let answer: Vec<u32> = serde_json::from_value(case["greedy_ids"].clone()).expect("ids");
        assert_eq!(
            STARTER.decode(&answer, true).expect("decodes"),
            case["greedy_text"].as_str().expect("text")
        );
    }
}

#[test]
fn control_tokens_typed_by_a_user_are_text_unless_asked_for() {
    let text = "a<|im_end|>b";
    let plain = STARTER.encode(text, &EncodeOptions::PLAIN).expect("encodes");
    assert!(!plain.ids.contains(&2), "{:?}", plain.ids);
    let parsed = STARTER.encode_chat(text).expect("encodes");
    assert_eq!(parsed.ids[1], 2);
    assert_eq!(parsed.offsets[1], (1, 11));
    assert_eq!(STARTER.decode(&parsed.ids, true).expect("decodes"), "ab");
    assert_eq!(STARTER.decode(&parsed.ids, false).expect("decodes"), text);
}

#[test]
fn answers_end_at_every_token_that_ends_a_turn() {
    assert_eq!(STARTER.eos_ids(), [2, 0]);
    assert_eq!(STARTER.bos(), Some(1));
    assert!(!STARTER.adds_bos());
    assert_eq!(STARTER.token_to_id("<|im_end|>"), Some(2));
    assert_eq!(
        STARTER.id_to_piece(STARTER.token_to_id("Ġthe").expect("a token")).as_deref(),
        Some("Ġthe")
    );
}

/// Text with the characters that are hard: joined emoji, marks, controls, scripts, long runs of
/// spaces.
fn any_text() -> impl Strategy<Value = String> {
    r"([a-zA-Z0-9 \n\t'_.<>|é日本\u{301}\u{200d}👩🏽\u{0}\u{7f}]|\PC|   ){0,40}"
}

proptest! {
    #[test]
    fn decoding_what_was_encoded_gives_the_text(text in any_text()) {
        let encoding = STARTER.encode(&text, &EncodeOptions::PLAIN).expect("encodes");
        prop_assert_eq!(STARTER.decode(&encoding.ids, false).expect("decodes"), text.clone());
        let mut end = 0;
        for &(from, to) in &encoding.offsets {
            prop_assert!(from <= end && to >= end && text.is_char_boundary(from) && text.is_char_boundary(to));
            end = to;
        }
        prop_assert_eq!(end, text.len());
    }

    #[test]
    fn streamed_text_is_the_whole_text(ids in prop::collection::vec(0u32..49_200, 0..60)) {
        let mut decoder = StreamDecoder::new(STARTER.clone());
        let mut streamed: String = ids.iter().filter_map(|&id| decoder.push(id).expect("decodes")).collect();
        streamed.extend(decoder.finish().expect("decodes"));
        prop_assert_eq!(streamed, STARTER.decode(&ids, true).expect("decodes"));
    }
}
