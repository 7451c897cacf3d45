//! What a door asks of the engine.

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
    /// Whether special tokens appear in the answer's text. Their ids are always reported.
    pub special_text: bool,
}

impl Request {
    /// A greedy request that ends at an end-of-sequence token or when the context is full.
    pub fn new(prompt: Vec<u32>) -> Self {
        Self {
            prompt,
            sampling: Sampling::default(),
            stop: Stop::default(),
            logprobs: None,
            special_text: false,
        }
    }
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
