//! What the fuzz targets and the tests over their corpora call. Not part of the interface.

use crate::chat::{ChatTemplate, Message, RenderOptions};
use crate::encoding::EncodeOptions;
use crate::special::SpecialTokens;
use crate::tokenizer::Tokenizer;
use crate::tokens::TokenKind;
use scaffold_jinja::Json;
use std::path::Path;

/// Text with something of everything that tokenizers treat in their own way.
const TEXT: &str = " Hello\n\n  wörld 123 日本語 👩🏽\u{0}<s></s>\t'll";

fn use_it(tokenizer: &Tokenizer) {
    let Ok(encoding) = tokenizer.encode(TEXT, &EncodeOptions::default()) else {
        return;
    };
    for &(start, end) in &encoding.offsets {
        assert!(TEXT.get(start..end).is_some());
    }
    let ids: Vec<u32> = (0..tokenizer.vocab_size().min(300) as u32 + 2).collect();
    for &id in &ids {
        let _ = (tokenizer.id_to_piece(id), tokenizer.token_bytes(id));
        assert!(
            tokenizer.kind(id) != TokenKind::Unused
                || tokenizer.decode(&[id], true).is_ok_and(|text| text.is_empty())
                || id < tokenizer.vocab_size() as u32
        );
    }
    let _ = (tokenizer.decode(&ids, true), tokenizer.decode(&encoding.ids, false));
}

/// Arbitrary bytes as a SentencePiece model.
pub fn tokenizer_model(data: &[u8]) {
    if let Ok(tokenizer) = Tokenizer::from_sentence_piece(data) {
        use_it(&tokenizer);
    }
}

/// Arbitrary bytes as a `tekken.json`.
pub fn tekken(data: &[u8]) {
    if let Ok(tokenizer) = Tokenizer::from_tekken(data, Path::new("tekken.json")) {
        use_it(&tokenizer);
    }
}

/// Arbitrary bytes as a chat template.
pub fn template(data: &[u8]) {
    let Ok(source) = std::str::from_utf8(data) else {
        return;
    };
    let Ok(template) = ChatTemplate::from_source(source, &SpecialTokens::default()) else {
        return;
    };
    let messages = [
        Message::system("Be kind."),
        Message::user("Hi <|im_end|>"),
        Message::assistant("<think>x</think>").with_tool_call(Some("1"), "f", "{\"a\": 1.50}"),
        Message::tool(Json::Array(vec![Json::Null, Json::from(1)])),
        Message::assistant("Yo"),
    ];
    let text = |text: &str| Json::from(text);
    let options = RenderOptions {
        tools: vec![Json::Object(vec![("<|im_end|>".to_owned(), text("é"))])],
        kwargs: vec![("x".to_owned(), text("%99999999d"))],
        parse_arguments: true,
        now: Some(scaffold_jinja::DateTime::from_unix(0)),
        ..RenderOptions::default()
    };
    let plain = template.render(&messages, &options);
    if let (Ok(plain), Ok(prompt)) = (plain, template.prompt(&messages, &options)) {
        assert_eq!(prompt.text(), plain);
    }
    let _ = template.render(&messages, &RenderOptions { continue_final_message: true, ..options });
}

/// Encodes a prompt in whose `guarded` ranges no control token counts.
///
/// # Errors
/// As [`Tokenizer::encode_prompt`].
pub fn encode_guarded(
    tokenizer: &Tokenizer,
    text: &str,
    guarded: &[std::ops::Range<usize>],
) -> Result<crate::Encoding, crate::TextError> {
    tokenizer.encode_prompt(&crate::Prompt::rendered(text, guarded))
}
