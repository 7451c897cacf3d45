//! How a model writes what is not text.

use std::sync::Arc;

use scaffold_engine::ControlText;
use scaffold_text::{AnswerSyntax, Tokenizer};

/// How a model writes what is not text, and the control tokens that it does so with.
#[derive(Debug)]
pub(super) struct Spoken {
    pub(super) syntax: AnswerSyntax,
    pub(super) controls: ControlText,
}

impl Spoken {
    pub(super) fn new(syntax: AnswerSyntax, tokenizer: &Tokenizer) -> Self {
        let controls: Arc<[u32]> = tokenizer.controls_in(&syntax.marks()).into();
        let controls =
            if controls.is_empty() { ControlText::None } else { ControlText::These(controls) };
        Self { syntax, controls }
    }
}
