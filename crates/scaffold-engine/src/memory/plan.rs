//! A plan of memory, and the refusal of one.

use scaffold_error::err;
use scaffold_model::KvType;
use thiserror::Error;

/// What the engine will allocate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryPlan {
    /// Tokens that a prompt and its answer may have together.
    pub context: usize,
    /// The longest context that the model was made for.
    pub model_context: usize,
    /// KV blocks in the pool.
    pub blocks: usize,
    /// Positions in one block.
    pub block_tokens: usize,
    /// How keys and values are stored.
    pub kv_type: KvType,
    /// Bytes of the KV cache. The operating system hands them out as they are first used.
    pub kv_bytes: usize,
    /// Bytes of the packed weights.
    pub weight_bytes: usize,
    /// Bytes that packing takes beside the weights, before cache and buffers are used.
    pub packing_bytes: usize,
    /// Bytes of the buffers.
    pub scratch_bytes: usize,
    /// Bytes of the tokenizer and of what the program takes in small pieces.
    pub rest_bytes: usize,
    /// The limit for all of it.
    pub limit: Option<usize>,
    /// What sets that limit, in words; may be empty.
    pub limited_by: String,
}

impl MemoryPlan {
    /// The most memory that is taken at once, in bytes.
    pub fn total(&self) -> usize {
        let working = self.kv_bytes.saturating_add(self.scratch_bytes);
        self.weight_bytes
            .saturating_add(self.rest_bytes)
            .saturating_add(working.max(self.packing_bytes))
    }

    /// Whether the context is shorter than the model's.
    pub fn is_shortened(&self) -> bool {
        self.context < self.model_context
    }
}

/// A plan that exceeds its limit.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the model needs {plan}, but {}: {suggestion}", plan.limit_text())]
pub struct DoesNotFit {
    /// What would be needed, with the context that was asked for or the least automatic one.
    pub plan: Box<MemoryPlan>,
    /// What would fit.
    pub suggestion: Suggestion,
}

impl From<DoesNotFit> for scaffold_error::Error {
    fn from(cause: DoesNotFit) -> Self {
        err!(Unavailable, "{cause}").because(cause)
    }
}

/// What would fit instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Suggestion {
    /// A shorter context.
    Context {
        /// Its tokens.
        tokens: usize,
        /// How the cache is stored for it.
        kv: KvType,
    },
    /// Not even the weights leave room.
    SmallerModel,
}
