//! What a door asks of the engine.

use std::sync::Arc;
use std::time::Duration;

use crate::constraint::Constraint;
use crate::sample::Sampling;

/// One prompt to be continued.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Token ids, special tokens included, as the model is to read them.
    pub prompt: Vec<u32>,
    /// How tokens are chosen.
    pub sampling: Sampling,
    /// When the answer ends.
    pub stop: Stop,
    /// `Some(n)`: report the log-probability of each chosen token and of the `n` most probable
    /// ones.
    pub logprobs: Option<usize>,
    /// How likely tokens of the prompt are, where that is asked for.
    pub scores: Option<Scores>,
    /// What the answer has to keep to. Log-probabilities are those of the model without it.
    pub constraint: Option<Constraint>,
    /// Which control tokens appear in the answer's text. Their ids are always reported.
    pub controls: ControlText,
    /// Where the request stands among others.
    pub standing: Standing,
}

/// Which tokens of a prompt are scored: told with their log-probabilities, each given all before
/// it. With [`Stop::max_new_tokens`] of 0 nothing else is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scores {
    /// The first that is, by its place in the prompt. Nothing stands before the first token of a
    /// prompt, so this is at least 1.
    pub from: usize,
    /// How many of the most probable tokens are told beside each.
    pub top: usize,
}

/// Where a request stands among others: who goes first, who waits how long, and who shares with
/// whom. It never changes an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// Whether somebody waits for the answer.
    pub priority: Priority,
    /// Whose it is. Owners take turns, and each has [limits](crate::EngineConfig::owner_waiting) of
    /// its own; requests without an owner have none.
    pub owner: Option<Arc<str>>,
    /// How long it may wait until it is begun; after that it fails. `None`: as long as it takes.
    pub max_wait: Option<Duration>,
    /// Requests share what was computed of equal prompts only where their salts are equal, so that
    /// nobody learns from the time that an answer takes what others have asked.
    pub salt: Option<Arc<str>>,
    /// Joins an equal request that is at work, where the answer is determined: it is greedy, or has a
    /// seed. Both get it from its start, with the usage and the times of the one that came first.
    pub join: bool,
}

/// Whether somebody waits for an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// A person, or a program that talks to one: goes first, and its tokens come evenly, also
    /// while long prompts are read.
    #[default]
    Interactive,
    /// Work to be done some time, as much of it as possible: it makes room for the others, but is
    /// done in the end.
    Batch,
}

impl Request {
    /// A greedy request that ends at an end-of-sequence token or when the context is full.
    pub fn new(prompt: Vec<u32>) -> Self {
        Self {
            prompt,
            sampling: Sampling::default(),
            stop: Stop::default(),
            logprobs: None,
            scores: None,
            constraint: None,
            controls: ControlText::None,
            standing: Standing::default(),
        }
    }
}

/// Which control tokens appear in an answer's text, by their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ControlText {
    /// None: the text is what people read.
    #[default]
    None,
    /// All.
    All,
    /// These.
    These(Arc<[u32]>),
}

/// When an answer ends, besides at the model's end-of-sequence tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stop {
    /// The answer ends before the first of these in its text, also when it spans several tokens.
    pub strings: Vec<String>,
    /// Tokens that end the answer like an end-of-sequence token.
    pub ids: Vec<u32>,
    /// Tokens that are generated at most. `None`: as many as the context holds.
    pub max_new_tokens: Option<usize>,
    /// Treats end-of-sequence tokens as any other.
    pub ignore_eos: bool,
}
