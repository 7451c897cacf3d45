//! What the fuzz targets and the tests over their corpora call. Not part of the interface.

use crate::chat::{ChatTemplate, Message, Prompt, RenderOptions};
use crate::config::TokenizerConfig;
use crate::encoding::{EncodeOptions, Encoding};
use crate::guard;
use crate::special::SpecialTokens;
use crate::tokenizer::{StreamDecoder, Tokenizer};
use crate::tokens::TokenKind;
use scaffold_error::Error;
use scaffold_jinja::{Json, Limits};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;

/// Text with something of everything that tokenizers treat in their own way.
const TEXT: &str = " Hello\n\n  wörld 123 日本語 👩🏽\u{0}<s></s>\t'll";

/// Encodes, decodes and streams with a tokenizer, whatever it is. Errors are fine; panics of this
/// crate are none behind a guard either.
pub fn use_it(tokenizer: Result<Tokenizer, Error>) {
    if let Ok(tokenizer) = tokenizer {
        encode(&tokenizer);
        decode(&Arc::new(tokenizer));
    }
    assert_eq!(guard::own_panic(), None);
}

fn encode(tokenizer: &Tokenizer) {
    for options in [EncodeOptions::default(), EncodeOptions::PLAIN] {
        let Ok(encoding) = tokenizer.encode(TEXT, &options) else {
            continue;
        };
        assert_eq!(encoding.ids.len(), encoding.offsets.len());
        for &(start, end) in &encoding.offsets {
            assert!(TEXT.get(start..end).is_some());
        }
        let _ = tokenizer.decode(&encoding.ids, false);
    }
    let _ = (
        tokenizer.encode("", &EncodeOptions::default()),
        tokenizer.encode_chat(TEXT),
        tokenizer.encode_pair(TEXT, "b", &EncodeOptions::default()),
    );
}

fn decode(tokenizer: &Arc<Tokenizer>) {
    let size = tokenizer.vocab_size();
    let ids: Vec<u32> = (0..size.min(300) as u32 + 2).collect();
    for &id in &ids {
        let _ = (tokenizer.id_to_piece(id), tokenizer.token_bytes(id));
        let text = tokenizer.decode(&[id], true);
        let unused = tokenizer.kind(id) == TokenKind::Unused && id >= size as u32;
        // A foreign decoder may fail at nothing, too.
        let nothing = text.map_or(tokenizer.is_foreign(), |text| text.is_empty());
        assert!(!unused || nothing);
    }
    stream(StreamDecoder::new(tokenizer.clone()), &ids);
    let streamed = stream(StreamDecoder::with_special(tokenizer.clone()), &ids);
    let whole = tokenizer.decode(&ids, false);
    // What a foreign decoder gives for a part need not be a part of what it gives for all.
    if let (Some(streamed), Ok(whole), false) = (streamed, whole, tokenizer.is_foreign()) {
        assert_eq!(streamed, whole);
    }
}

fn stream(mut decoder: StreamDecoder, ids: &[u32]) -> Option<String> {
    let mut out = String::new();
    for &id in ids {
        out.push_str(&decoder.push(id).ok()?.unwrap_or_default());
    }
    out.push_str(&decoder.finish().ok()?.unwrap_or_default());
    Some(out)
}

/// Arbitrary bytes as a SentencePiece model.
pub fn tokenizer_model(data: &[u8]) {
    use_it(Tokenizer::from_sentence_piece(data));
}

/// Arbitrary bytes as a `tekken.json`.
pub fn tekken(data: &[u8]) {
    use_it(Tokenizer::from_tekken(data, Path::new("tekken.json")));
}

/// Arbitrary bytes as a tiktoken file, of the families that the file's name tells apart.
pub fn tiktoken(data: &[u8]) {
    for name in ["qwen.tiktoken", "gpt2.tiktoken", "tokenizer.model"] {
        use_it(Tokenizer::from_tiktoken(data, name));
    }
}

/// Arbitrary bytes as a `tokenizer.json`.
pub fn tokenizer_json(data: &[u8]) {
    use_it(Tokenizer::from_json(data, &TokenizerConfig::default()));
}

/// Arbitrary bytes as a tokenizer whose class counts: a JSON object of the configuration files by
/// their names, then the merges, then `tokenizer.json` or the vocabulary's original file, with a
/// line `--` between them.
pub fn tokenizer_class(data: &[u8]) {
    let (files, rest) = cut(data);
    let (merges, vocabulary) = cut(rest);
    let Ok(Value::Object(files)) = serde_json::from_slice(files) else {
        return;
    };
    let config = TokenizerConfig::from_objects(Path::new(""), |path| {
        let object = files.get(&*path.to_string_lossy());
        Ok(object.and_then(Value::as_object).cloned())
    });
    if let Ok(config) = config {
        use_it(Tokenizer::from_json(vocabulary, &config));
        if let Some(tokenizer) = Tokenizer::from_class(vocabulary, merges, &config) {
            use_it(tokenizer);
        }
    }
}

/// What stands between the parts of an input that is made of several files.
const BETWEEN: &[u8] = b"\n--\n";

/// The first part of an input, and the rest.
fn cut(data: &[u8]) -> (&[u8], &[u8]) {
    let at = data.windows(BETWEEN.len()).position(|part| part == BETWEEN);
    match at {
        Some(at) => (&data[..at], &data[at + BETWEEN.len()..]),
        None => (data, &[]),
    }
}

/// Low enough that nothing takes long, high enough for loops and long texts.
const LIMITS: Limits = Limits { steps: 200_000, bytes: 16 << 20 };

/// Arbitrary bytes as a chat template.
pub fn template(data: &[u8]) {
    let Ok(source) = std::str::from_utf8(data) else {
        return;
    };
    let template = ChatTemplate::from_source(source, &SpecialTokens::default());
    let Some(mut template) = survived(template) else {
        return;
    };
    template.limits = LIMITS;
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
    let plain = survived(template.render(&messages, &options));
    let prompt = survived(template.prompt(&messages, &options));
    if let (Some(plain), Some(prompt)) = (plain, prompt) {
        assert_eq!(prompt.text(), plain);
    }
    survived(
        template.render(&messages, &RenderOptions { continue_final_message: true, ..options }),
    );
}

/// What a template gave. Templates run on a thread of their own, whose panic comes back as an
/// error.
fn survived<T>(result: Result<T, Error>) -> Option<T> {
    let panicked = |error: &Error| error.to_string().contains(scaffold_jinja::PANICKED);
    assert!(!result.as_ref().is_err_and(panicked), "a panic, see above");
    result.ok()
}

/// A tokenizer in which each byte is a token, and three control tokens stand before them.
///
/// # Panics
/// Never: it is the same whenever it is made.
pub fn bytes() -> Tokenizer {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let base64 = |byte: u8| {
        let letter = |at: u8| char::from(LETTERS[usize::from(at)]);
        format!("{}{}==", letter(byte >> 2), letter((byte & 3) << 4))
    };
    let words = (0..=255u8).map(
        |byte| serde_json::json!({ "rank": byte, "token_bytes": base64(byte), "token_str": null }),
    );
    let control = ["<unk>", "<s>", "</s>"].iter().enumerate();
    let control = control.map(
        |(rank, name)| serde_json::json!({ "rank": rank, "token_str": name, "is_control": true }),
    );
    let file = serde_json::json!({
        "config": { "pattern": "[\\s\\S]", "default_vocab_size": 259, "default_num_special_tokens": 3, "version": "v3" },
        "special_tokens": control.collect::<Vec<_>>(),
        "vocab": words.collect::<Vec<_>>(),
    });
    Tokenizer::from_tekken(file.to_string().as_bytes(), Path::new("tekken.json"))
        .expect("a tokenizer of bytes")
}

/// Encodes a prompt in whose `guarded` ranges no control token counts.
///
/// # Errors
/// As [`Tokenizer::encode_prompt`].
pub fn encode_guarded(
    tokenizer: &Tokenizer,
    text: &str,
    guarded: &[std::ops::Range<usize>],
) -> Result<Encoding, Error> {
    tokenizer.encode_prompt(&Prompt::rendered(text, guarded))
}

#[cfg(test)]
mod tests {
    use super::*;
    use scaffold_testing::corpus::seeds;

    /// What is to be changed has to be right at first, or nothing after the first check is ever
    /// reached.
    #[test]
    fn valid_seeds_are_valid() {
        let valid = |target: &str| {
            let seeds = seeds(target).into_iter();
            seeds.filter(|(name, _)| name.contains("/valid"))
        };
        let mut found = 0;
        for (name, data) in valid("tokenizer_json") {
            if name.contains("-cut-") || name.contains("-flip-") {
                continue;
            }
            let tokenizer = Tokenizer::from_json(&data, &TokenizerConfig::default());
            let tokenizer = tokenizer.unwrap_or_else(|error| panic!("{name}: {error}"));
            let encoding = tokenizer.encode(TEXT, &EncodeOptions::default());
            assert!(encoding.is_ok_and(|e| !e.ids.is_empty()), "{name}");
            found += 1;
        }
        assert_eq!(found, 4);
        let tiktoken = &seeds("tiktoken").last().expect("a seed").1.clone();
        Tokenizer::from_tiktoken(tiktoken, "x.tiktoken").expect("valid");
    }

    #[test]
    fn most_seeds_of_classes_are_tokenizers() {
        let mut made = Vec::new();
        for (name, data) in seeds("tokenizer_class") {
            let (files, rest) = cut(&data);
            let (merges, vocabulary) = cut(rest);
            let Ok(files) = serde_json::from_slice::<Value>(files) else {
                continue;
            };
            let config = TokenizerConfig::from_objects(Path::new(""), |path| {
                let object = files.get(&*path.to_string_lossy());
                Ok(object.and_then(Value::as_object).cloned())
            });
            let Ok(config) = config else { continue };
            let json = Tokenizer::from_json(vocabulary, &config);
            let class = Tokenizer::from_class(vocabulary, merges, &config);
            if json.is_ok() || class.is_some_and(|made| made.is_ok()) {
                made.push(name);
            }
        }
        assert!(made.len() >= 18, "{made:?}");
    }
}
