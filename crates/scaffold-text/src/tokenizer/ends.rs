//! The tokens that end an answer.

use super::Tokenizer;
use crate::tokens::TokenKind;

/// Control tokens that end a turn in the formats in use, whatever a model's files say about them.
const END_OF_TURN: [&str; 12] = [
    "<|im_end|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<end_of_turn>",
    "<turn|>",
    "<|end|>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<|END_OF_TURN_TOKEN|>",
    "<｜end▁of▁sentence｜>",
    "<|return|>",
    "<|call|>",
];

/// The ids that end an answer. A name counts only where it is a control token of the vocabulary.
pub(super) fn end_tokens(tokenizer: &Tokenizer) -> Vec<u32> {
    let mut ids: Vec<u32> = tokenizer
        .special
        .eos
        .as_ref()
        .and_then(|name| tokenizer.token_to_id(name))
        .into_iter()
        .collect();
    for name in END_OF_TURN {
        if let Some(id) = tokenizer.token_to_id(name)
            && tokenizer.kind(id) == TokenKind::Control
            && !ids.contains(&id)
        {
            ids.push(id);
        }
    }
    ids
}
