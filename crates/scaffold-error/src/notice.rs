use std::fmt;

use crate::remedy::Remedy;

/// Something that the user should know though nothing failed: a fallback, a choice that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What it is about.
    pub topic: Topic,
    /// What was done, and why.
    pub text: String,
    /// What to do for it to be otherwise.
    pub remedies: Vec<Remedy>,
}

/// What a notice is about: what a program chooses by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Topic {
    /// Settings that were found and not used, or not as they are written.
    Settings,
    /// Where the model's files come from.
    Source,
    /// What the model's files say.
    Files,
    /// How text becomes tokens.
    Tokenizer,
    /// How a chat is written for the model.
    ChatFormat,
    /// How tokens are chosen.
    Sampling,
    /// What computes.
    Device,
    /// With how many threads.
    Threads,
    /// What memory leaves room for.
    Context,
    /// What is kept of the weights between starts.
    PackedWeights,
}

impl Notice {
    /// A notice in words.
    pub fn new(topic: Topic, text: impl Into<String>) -> Self {
        Self { topic, text: text.into(), remedies: Vec::new() }
    }

    /// What to do for it to be otherwise, after what is there already.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<Remedy>) -> Self {
        self.remedies.push(remedy.into());
        self
    }

    /// The text, with each remedy in the words of a door.
    pub fn worded(&self, door: impl Fn(&Remedy) -> String) -> String {
        crate::remedy::listed(self.text.clone(), &self.remedies, false, door)
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.worded(Remedy::to_string))
    }
}
