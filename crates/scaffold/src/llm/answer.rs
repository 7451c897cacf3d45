//! What an answer is.

use std::fmt;
use std::time::Duration;

use scaffold_engine::{FinishReason, KvType, Timings, TokenLogprob, Usage};
use scaffold_text::Tokenizer;
use serde::Serialize;

/// What a model says to a prompt, why it ended, and what it took. As text it is what the model
/// says.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Answer {
    /// What the model says, without control tokens.
    pub text: String,
    /// Its tokens, the one that ended it included.
    pub ids: Vec<u32>,
    /// When each of them was chosen, from when the request left the queue.
    #[serde(skip)]
    pub times: Vec<Duration>,
    /// One entry per token, where they were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub logprobs: Vec<Logprob>,
    /// One entry for each token of the prompt but the first, where they were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub prompt_logprobs: Vec<Logprob>,
    /// Why it ended. One that has not ended yet is cancelled if nobody waits for the rest.
    pub finish: FinishReason,
    /// Tokens read and written.
    pub usage: Usage,
    /// The seed that repeats it.
    pub seed: u64,
    /// Time spent.
    #[serde(skip)]
    pub timings: Timings,
    /// The format that keys and values are kept in since some did not fit the one that was planned;
    /// `None` as long as all did.
    #[serde(skip)]
    pub widened: Option<KvType>,
    /// It was to keep to a grammar, and ended where that asks for more: at a limit of tokens, at a stop
    /// text, or because it was cancelled.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub incomplete: bool,
}

impl Answer {
    /// Nothing yet.
    pub(crate) fn begin() -> Self {
        Self {
            text: String::new(),
            ids: Vec::new(),
            times: Vec::new(),
            logprobs: Vec::new(),
            prompt_logprobs: Vec::new(),
            finish: FinishReason::Cancelled,
            usage: Usage::default(),
            seed: 0,
            timings: Timings::default(),
            widened: None,
            incomplete: false,
        }
    }

    /// The mean of the log-probabilities of its tokens; `None` where they were not asked for.
    pub fn mean_logprob(&self) -> Option<f64> {
        let sum: f64 = self.logprobs.iter().map(|one| f64::from(one.chosen.logprob)).sum();
        (!self.logprobs.is_empty()).then(|| sum / self.logprobs.len() as f64)
    }

    /// Whether it reached a limit of tokens rather than an end of its own.
    pub fn is_cut(&self) -> bool {
        matches!(self.finish, FinishReason::Length | FinishReason::ContextFull)
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// How probable the model found a token and others in its place: natural logarithms of the model's
/// own distribution, before penalties, temperature and the rest of the sampler.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Logprob {
    /// The chosen token.
    #[serde(flatten)]
    pub chosen: Candidate,
    /// The most probable tokens at this position, best first, as many as were asked for.
    pub top: Vec<Candidate>,
}

/// A token and its log-probability.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Candidate {
    /// The token.
    pub id: u32,
    /// Its text; where that is half a character, U+FFFD stands for it.
    pub token: String,
    /// The bytes of its text.
    pub bytes: Vec<u8>,
    /// Its log-probability.
    pub logprob: f32,
}

impl Logprob {
    pub(crate) fn of(found: &TokenLogprob, tokenizer: &Tokenizer) -> Self {
        let candidate = |(id, logprob)| {
            let bytes = tokenizer.token_bytes(id).unwrap_or_default();
            let token = String::from_utf8_lossy(&bytes).into_owned();
            Candidate { id, token, bytes, logprob }
        };
        Self {
            chosen: candidate((found.id, found.logprob)),
            top: found.top.iter().copied().map(candidate).collect(),
        }
    }
}
