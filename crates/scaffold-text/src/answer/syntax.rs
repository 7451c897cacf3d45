//! How a model writes what is not text for the reader.

use super::derive::{self, Marks};
use super::form::CallSyntax;
use super::writing::CallWriting;
use super::{general, harmony};
use crate::chat::ChatTemplate;

/// How a model writes thoughts and calls.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AnswerSyntax {
    pub(super) thoughts: Option<Marks>,
    pub(super) calls: Option<CallSyntax>,
    /// The model writes messages to several channels, and these are thoughts, calls and text.
    pub(super) harmony: bool,
    /// Calls are written in the general way, which the model's template does not know.
    pub(super) general: bool,
}

impl AnswerSyntax {
    /// The syntax of a model with this template.
    pub fn of(template: &ChatTemplate) -> Self {
        if harmony::is_spoken(template) {
            return Self { harmony: true, ..Self::default() };
        }
        let thoughts = derive::thoughts(template);
        let calls = derive::calls(template, thoughts.as_ref());
        Self { thoughts, calls, ..Self::default() }
    }

    /// Whether the model's template knows thoughts.
    pub fn has_thoughts(&self) -> bool {
        self.harmony || self.thoughts.is_some()
    }

    /// What opens and closes thoughts, where they are marked in a text.
    pub fn thoughts(&self) -> Option<(&str, &str)> {
        self.thoughts.as_ref().map(|marks| (&*marks.open, &*marks.close))
    }

    /// Whether the model's template writes calls of tools.
    pub fn has_calls(&self) -> bool {
        self.harmony || self.calls.is_some()
    }

    /// The same, and where the model's template writes no calls, they are written in the general way:
    /// that of [`tools_in_words`](crate::tools_in_words).
    #[must_use]
    pub fn or_general(mut self) -> Self {
        if !self.has_calls() {
            self.calls = Some(general::syntax());
            self.general = true;
        }
        self
    }

    /// Whether calls are written in the general way.
    pub fn is_general(&self) -> bool {
        self.general
    }

    /// How calls are written, where the model's template writes them.
    pub fn calls(&self) -> Option<CallWriting> {
        if self.harmony {
            return Some(CallWriting::harmony());
        }
        self.calls.as_ref().map(CallWriting::of)
    }

    /// The text by which calls are told from other text; `None` where they are whole answers, or stand in
    /// a channel of their own.
    pub fn call_mark(&self) -> Option<&str> {
        self.calls.as_ref()?.trigger.as_deref()
    }

    /// Whether the model writes its answers in channels: thoughts, text and calls in one each.
    pub fn has_channels(&self) -> bool {
        self.harmony
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
