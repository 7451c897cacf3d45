//! A tokenizer for the tiny models, which come without one.

use serde_json::{Map, Value, json};

const SPECIAL: [&str; 5] = ["<pad>", "<s>", "</s>", "<|im_start|>", "<|im_end|>"];
const VOCAB: usize = 512;
/// The one merge: of two bytes that stand in no text, because a vocabulary of merges has some.
const MERGED: [&str; 2] = ["þ", "ÿ"];

/// The characters that byte-level vocabularies write bytes with (GPT-2's table).
fn byte_letters() -> Vec<char> {
    let printable = |byte: &u32| matches!(byte, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
    let mut spare = 256..;
    (0..256u32)
        .map(|byte| if printable(&byte) { byte } else { spare.next().unwrap() })
        .filter_map(char::from_u32)
        .collect()
}

/// A `tokenizer.json` in which each byte is a token, after `<pad>`, `<s>`, `</s>`, `<|im_start|>`
/// and `<|im_end|>` (0 to 4). It has the tiny models' 512 entries; those after the bytes are never
/// written.
pub fn byte_level() -> Value {
    let letters = byte_letters().into_iter().map(String::from);
    let fill = (SPECIAL.len() + 257..VOCAB).map(|id| format!("<unused{id}>"));
    let merged = [MERGED.concat()];
    let words =
        SPECIAL.iter().map(|&name| name.to_owned()).chain(letters).chain(merged).chain(fill);
    let vocab: Map<String, Value> = words.enumerate().map(|(id, word)| (word, id.into())).collect();
    let added: Vec<Value> = SPECIAL
        .iter()
        .enumerate()
        .map(|(id, name)| {
            json!({"id": id, "content": name, "special": true, "single_word": false, "lstrip": false, "rstrip": false,
                   "normalized": false})
        })
        .collect();
    let bytes = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true});
    json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": added, "normalizer": null,
        "pre_tokenizer": bytes, "post_processor": bytes, "decoder": bytes,
        "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
                  "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "vocab": vocab, "merges": [MERGED.join(" ")]},
    })
}
