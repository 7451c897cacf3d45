//! How the engine is set up.

use crate::sample::parameter::out_of_range;
use scaffold_error::Error;
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
        }
    }
}

impl EngineConfig {
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
