//! What a model says, told apart: text for the reader, thoughts before it, and calls of tools.
//!
//! Models write thoughts and calls each in a way of their own. There is no table of ways here: a
//! model's own template shows how it writes the calls and thoughts of earlier turns, and that is what
//! it was trained to write. So the template renders a few chats with known calls, and the
//! [syntax](AnswerSyntax) is what stands around them. A [parser](AnswerParser) then reads answers as
//! they come.
//!
//! Nothing that a model writes is lost: what begins like a call and is none is text, with the reason.

mod derive;
mod form;
mod harmony;
mod literal;
mod parser;
mod probe;
mod scan;
#[cfg(test)]
mod tests;
mod values;

pub use parser::{AnswerParser, Part};

use crate::chat::ChatTemplate;
use form::CallSyntax;

/// A call of a tool that a model has made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The tool.
    pub name: String,
    /// Its arguments, a JSON object: as the model wrote it where it writes JSON.
    pub arguments: String,
}

/// How a model writes thoughts and calls.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AnswerSyntax {
    thoughts: Option<Marks>,
    calls: Option<CallSyntax>,
    /// The model writes messages to several channels, and these are thoughts, calls and text.
    harmony: bool,
}

/// What stands around something.
#[derive(Clone, Debug, PartialEq)]
struct Marks {
    open: String,
    close: String,
}

impl AnswerSyntax {
    /// The syntax of a model with this template.
    pub fn of(template: &ChatTemplate) -> Self {
        if harmony::is_spoken(template) {
            return Self { harmony: true, ..Self::default() };
        }
        let thoughts = derive::thoughts(template);
        let calls = derive::calls(template, thoughts.as_ref());
        Self { thoughts, calls, harmony: false }
    }

    /// Whether the model's template knows thoughts.
    pub fn has_thoughts(&self) -> bool {
        self.harmony || self.thoughts.is_some()
    }

    /// Whether the model's template writes calls of tools.
    pub fn has_calls(&self) -> bool {
        self.harmony || self.calls.is_some()
    }

    /// Whether an answer to this prompt begins with thoughts, because the prompt has opened them.
    pub fn is_opened_by(&self, prompt: &str) -> bool {
        let opened = |marks: &Marks| {
            let prompt = prompt.trim_end();
            let last = prompt.rfind(&marks.open)?;
            Some(!prompt[last + marks.open.len()..].contains(&marks.close))
        };
        // Only at the end: an earlier turn is over.
        let near = |marks: &Marks| prompt.trim_end().ends_with(marks.open.trim_end());
        self.thoughts.as_ref().is_some_and(|marks| near(marks) && opened(marks) == Some(true))
    }

    /// The texts that mark thoughts and calls: where a vocabulary has control tokens of such names,
    /// they have to be in the text that the parser gets.
    pub fn marks(&self) -> Vec<&str> {
        if self.harmony {
            return harmony::MARKS.to_vec();
        }
        let thoughts = self.thoughts.iter().flat_map(|marks| [&*marks.open, &*marks.close]);
        thoughts.chain(self.calls.iter().flat_map(CallSyntax::texts)).collect()
    }
}
