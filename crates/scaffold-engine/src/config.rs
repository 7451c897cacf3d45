//! How the engine is set up.

use crate::request::Request;
use crate::sample::parameter::out_of_range;
use crate::schedule::SCORE_ROWS;
use scaffold_error::{Error, err};
use scaffold_model::KvType;

/// Settings of one engine. The default suits a few requests at once on a machine with memory to
/// spare.
#[derive(Debug, Clone, PartialEq)]
pub struct EngineConfig {
    /// Tokens that a prompt and its answer may have together. `None`: what the model was made for,
    /// or less where the memory limit does not hold that much; [`MemoryPlan`](crate::MemoryPlan)
    /// says which.
    pub context: Option<usize>,
    /// Sequences that are computed together at most.
    pub max_sequences: usize,
    /// Requests that may wait: all that were submitted and are not begun. One more is refused, or
    /// waits outside ([`Engine::submit_when_free`](crate::Engine::submit_when_free)).
    pub max_waiting: usize,
    /// Rows (prompt tokens and new tokens) in one step at most. Longer prompts are computed in
    /// several steps, between which running answers go on.
    pub step_tokens: usize,
    /// Positions in one KV block.
    pub block_tokens: usize,
    /// Tokens that the KV cache holds for all sequences together. `None`: one full context, or 1024
    /// per sequence where that is more and fits.
    pub kv_tokens: Option<usize>,
    /// How keys and values are stored.
    pub kv_type: KvType,
    /// Bytes that weights, KV cache and buffers may take together. `None`: no limit.
    pub memory_limit: Option<usize>,
    /// What sets that limit, in words for a refusal; may be empty.
    pub memory_limited_by: String,
    /// Tokens that end an answer: the union of what the model's configuration, its generation
    /// configuration and its tokenizer name.
    pub eos: Vec<u32>,
    /// Events that wait for a slow reader before text is gathered into fewer, longer pieces.
    pub event_capacity: usize,
    /// Bytes that wait for a slow reader before its request is put back into the queue, until it
    /// has read half of them.
    pub unread_bytes: usize,
    /// Requests of one owner that may wait. `None`: as many as of all together.
    pub owner_waiting: Option<usize>,
    /// Sequences of one owner that are computed at once. `None`: as many as of all together.
    pub owner_running: Option<usize>,
    /// How much longer a step with running answers may take because prompts are read beside them,
    /// as a part of its time without. The time between the tokens of an answer grows by so much,
    /// and prompts are read the slower the less this is. Infinite: prompts have all rows of a step.
    pub prefill_slowdown: f32,
    /// What a request may ask for.
    pub limits: Limits,
}

/// What a request may ask for: more is refused before anything is computed, with the limit's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Stop strings.
    pub stop_strings: usize,
    /// Bytes of a stop string.
    pub stop_string_bytes: usize,
    /// Stop tokens.
    pub stop_ids: usize,
    /// The most probable tokens that are told beside a chosen one.
    pub logprobs: usize,
    /// Biased tokens.
    pub logit_bias: usize,
    /// Answers to one prompt.
    pub answers: usize,
    /// Bytes of a prompt's text: for whoever turns it into tokens.
    pub text_bytes: usize,
}

impl Default for Limits {
    /// More than anybody needs who means well.
    fn default() -> Self {
        Self {
            stop_strings: 64,
            stop_string_bytes: 4096,
            stop_ids: 1024,
            logprobs: 100,
            logit_bias: 4096,
            answers: 128,
            text_bytes: 32 << 20,
        }
    }
}

impl Limits {
    /// Checks the length of a prompt's text, before it is turned into tokens.
    ///
    /// # Errors
    /// It is too long.
    pub fn check_text(&self, bytes: usize) -> Result<(), Error> {
        at_most("text", "bytes", bytes, self.text_bytes)
    }

    /// Checks what a request asks for.
    pub(crate) fn check(&self, request: &Request) -> Result<(), Error> {
        let Request { sampling, stop, logprobs, scores, .. } = request;
        let longest = stop.strings.iter().map(String::len).max().unwrap_or(0);
        let scored = scores.as_ref().map_or(0, |scores| scores.top);
        for (key, what, value, limit) in [
            ("stop", "stop strings", stop.strings.len(), self.stop_strings),
            ("stop", "bytes in a stop string", longest, self.stop_string_bytes),
            ("stop_ids", "stop tokens", stop.ids.len(), self.stop_ids),
            ("logprobs", "tokens beside a chosen one", logprobs.unwrap_or(0), self.logprobs),
            ("prompt_logprobs", "tokens beside one of the prompt", scored, self.logprobs),
            ("logit_bias", "biased tokens", sampling.logit_bias.len(), self.logit_bias),
        ] {
            at_most(key, what, value, limit)?;
        }
        Ok(())
    }
}

/// Refuses more than `limit`.
pub(crate) fn at_most(
    key: &'static str,
    what: &str,
    value: usize,
    limit: usize,
) -> Result<(), Error> {
    if value <= limit {
        return Ok(());
    }
    Err(err!(Usage, "{key}: {value} {what} are asked for, and at most {limit} may be").of_key(key))
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            context: None,
            max_sequences: 8,
            max_waiting: 1024,
            step_tokens: 256,
            block_tokens: 32,
            kv_tokens: None,
            kv_type: KvType::F16,
            memory_limit: None,
            memory_limited_by: String::new(),
            eos: Vec::new(),
            event_capacity: 256,
            unread_bytes: 1 << 20,
            owner_waiting: None,
            owner_running: None,
            prefill_slowdown: 0.8,
            limits: Limits::default(),
        }
    }
}

impl EngineConfig {
    /// Rows of a step that get logits at most.
    pub fn logit_rows(&self) -> usize {
        self.max_sequences.saturating_add(SCORE_ROWS)
    }

    /// Checks the settings for a model that can compute so many positions.
    pub(crate) fn check(&self, positions: usize) -> Result<(), Error> {
        let least = |setting: &'static str, value: usize, least: usize| {
            if value >= least {
                return Ok(());
            }
            Err(out_of_range(setting, value, &format!("{least} or more")))
        };
        least("max_sequences", self.max_sequences, 1)?;
        least("max_waiting", self.max_waiting, 1)?;
        least("block_tokens", self.block_tokens, 1)?;
        least("event_capacity", self.event_capacity, 1)?;
        least("unread_bytes", self.unread_bytes, 1)?;
        least("owner_waiting", self.owner_waiting.unwrap_or(1), 1)?;
        least("owner_running", self.owner_running.unwrap_or(1), 1)?;
        if self.prefill_slowdown.is_nan() || self.prefill_slowdown <= 0.0 {
            return Err(out_of_range(
                "prefill_slowdown",
                self.prefill_slowdown,
                "a number above 0",
            ));
        }
        // Every running sequence must find room for its next token in each step.
        least("step_tokens", self.step_tokens, self.max_sequences)?;
        match self.context {
            Some(value) if value > positions => {
                let accepted =
                    format!("2 to {positions}: this model has learned each of its positions");
                Err(out_of_range("context", value, &accepted))
            }
            context => least("context", context.unwrap_or(usize::MAX), 2),
        }
    }
}
