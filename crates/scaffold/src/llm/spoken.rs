//! How a model writes what is not text.

use std::sync::Arc;

use scaffold_engine::ControlText;
use scaffold_text::{AnswerSyntax, Tokenizer};

use super::thoughts::ThoughtMarks;

/// How a model writes what is not text, and the control tokens that it does so with.
#[derive(Debug)]
pub(super) struct Spoken {
    pub(super) syntax: AnswerSyntax,
    pub(super) controls: ControlText,
    /// How it marks thoughts, where it has any.
    pub(super) thoughts: Option<Arc<ThoughtMarks>>,
}

impl Spoken {
    pub(super) fn new(syntax: AnswerSyntax, tokenizer: &Tokenizer) -> Self {
        let controls: Arc<[u32]> = tokenizer.controls_in(&syntax.marks()).into();
        let controls =
            if controls.is_empty() { ControlText::None } else { ControlText::These(controls) };
        let thoughts = syntax.thoughts();
        let thoughts =
            thoughts.map(|(open, close)| Arc::new(ThoughtMarks::new(open, close, tokenizer)));
        Self { syntax, controls, thoughts }
    }
}
