//! The parts of an answer.

use serde::Serialize;

/// A call of a tool that a model has made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Call {
    /// The tool.
    pub name: String,
    /// Its arguments, a JSON object: as the model wrote it where it writes JSON.
    pub arguments: String,
}

/// A part of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Text for the reader.
    Text(String),
    /// What the model thinks before it answers.
    Thought(String),
    /// A call of a tool.
    Call(Call),
    /// A mark that begins calls where none follows: text for the reader, as what comes after it.
    Broken {
        /// The mark.
        text: String,
        /// Why it is no call.
        why: String,
    },
}
