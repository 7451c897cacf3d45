//! What the engine reports about a request.
//!
//! ```text
//! Started → Scored* → Text* → Finished
//!    └─────────┴────────┴─────→ Failed
//! ```
//!
//! `Started` comes when the request leaves the queue for the first time; `Failed` can also come
//! without it. Exactly one of `Finished` and `Failed` ends the stream.

use std::time::Duration;

use scaffold_error::Error;
use scaffold_model::KvType;
use serde::Serialize;

use crate::sample::TokenLogprob;

/// One report about a request.
#[derive(Debug, Clone)]
pub enum Event {
    /// The request left the queue.
    Started(Started),
    /// How likely the next tokens of the prompt are, where that was asked for.
    Scored(Vec<TokenLogprob>),
    /// A piece of the answer.
    Text(Text),
    /// The answer is complete.
    Finished(Finished),
    /// The answer cannot be completed.
    Failed(Error),
}

impl Event {
    /// Whether nothing comes after it.
    pub(crate) fn is_last(&self) -> bool {
        matches!(self, Self::Finished(_) | Self::Failed(_))
    }

    /// About what it takes in memory.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::Scored(scores) => scores.iter().map(TokenLogprob::bytes).sum(),
                Self::Text(text) => text.bytes(),
                Self::Started(_) | Self::Finished(_) | Self::Failed(_) => 0,
            }
    }
}

/// What is known before the first token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// Tokens of the prompt.
    pub prompt_tokens: usize,
    /// Tokens of the prompt whose keys and values were still in the cache.
    pub cached_tokens: usize,
    /// Tokens that will be generated at most: what was asked for, or what the context leaves.
    pub max_new_tokens: usize,
    /// The seed of this answer: repeating the request with it repeats the answer.
    pub seed: u64,
}

/// A piece of the answer. Text that may still become a stop string, or half a character, is held
/// back, so a piece can have tokens whose text comes later, and a last piece can have ids without
/// text.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Text {
    /// New text, never half a character.
    pub text: String,
    /// The tokens generated since the last piece, the end-of-sequence token included.
    pub ids: Vec<u32>,
    /// When each of them was chosen, from when the request left the queue.
    pub times: Vec<Duration>,
    /// One entry per id where log-probabilities were asked for, else empty.
    pub logprobs: Vec<TokenLogprob>,
}

impl Text {
    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty() && self.ids.is_empty()
    }

    /// What its content takes in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.text.len()
            + size_of_val(&*self.ids)
            + size_of_val(&*self.times)
            + self.logprobs.iter().map(TokenLogprob::bytes).sum::<usize>()
    }

    /// Appends what comes after this piece.
    pub(crate) fn append(&mut self, next: Text) {
        self.text.push_str(&next.text);
        self.ids.extend(next.ids);
        self.times.extend(next.times);
        self.logprobs.extend(next.logprobs);
    }
}

/// The end of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Why it ended.
    pub reason: FinishReason,
    /// Tokens read and written.
    pub usage: Usage,
    /// Time spent.
    pub timings: Timings,
    /// The format that keys and values are kept in since some did not fit the one that was planned;
    /// `None` as long as all did.
    pub widened: Option<KvType>,
    /// The answer ended where its [constraint](crate::Request::constraint) asks for more: at a limit of
    /// tokens, a stop string or because it was cancelled.
    pub incomplete: bool,
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum FinishReason {
    /// An end-of-sequence token of the model.
    Eos {
        /// The token.
        id: u32,
    },
    /// One of the request's stop tokens.
    StopId {
        /// The token.
        id: u32,
    },
    /// One of the request's stop strings.
    StopString {
        /// Its index in [`Stop::strings`](crate::Stop::strings).
        index: usize,
    },
    /// The constraint allows nothing more.
    Complete,
    /// The requested number of new tokens.
    Length,
    /// Prompt and answer fill the context.
    ContextFull,
    /// It was cancelled: what has come until then is all of it.
    Cancelled,
}

impl FinishReason {
    /// `stop` or `length`, the words of the OpenAI and Ollama interfaces, or `cancelled`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Eos { .. } | Self::StopId { .. } | Self::StopString { .. } | Self::Complete => {
                "stop"
            }
            Self::Length | Self::ContextFull => "length",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Tokens of one request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// Tokens of the prompt.
    pub prompt_tokens: usize,
    /// Those of them that were found in the cache and not computed again.
    pub cached_tokens: usize,
    /// Generated tokens, the end-of-sequence token included.
    pub completion_tokens: usize,
}

/// Time spent on one request. The three add up to the time from submission to the last token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timings {
    /// From submission until the request left the queue.
    pub queue: Duration,
    /// From there until the first new token.
    pub prefill: Duration,
    /// From the first new token to the last.
    pub decode: Duration,
    /// How often the sequence was put back because others needed its blocks.
    pub preemptions: usize,
}

impl Timings {
    /// New tokens per second after the first one, `None` before there are two.
    pub fn decode_tok_s(&self, usage: &Usage) -> Option<f64> {
        let seconds = self.decode.as_secs_f64();
        (usage.completion_tokens > 1 && seconds > 0.0)
            .then(|| (usage.completion_tokens - 1) as f64 / seconds)
    }

    /// Prompt tokens computed per second.
    pub fn prefill_tok_s(&self, usage: &Usage) -> Option<f64> {
        let seconds = self.prefill.as_secs_f64();
        let computed = usage.prompt_tokens - usage.cached_tokens;
        (computed > 0 && seconds > 0.0).then(|| computed as f64 / seconds)
    }
}
