//! The memory plan: what weights, KV cache and buffers take, made and checked before anything is
//! allocated.

use thiserror::Error;

use crate::config::EngineConfig;
use scaffold_model::KvType;

/// An automatic context below this would be a surprise, not a help: then the plan is refused
/// instead.
const LEAST_AUTOMATIC_CONTEXT: usize = 512;

/// Tokens per sequence that the automatic KV cache aims at.
const TOKENS_PER_SEQUENCE: usize = 1024;

/// What a model needs, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Footprint {
    /// The packed weights.
    pub weights: usize,
    /// The buffers of one step.
    pub scratch: usize,
    /// Positions that the model was made for.
    pub context: usize,
    /// One KV block, for each way to store it that the model supports.
    pub block: Vec<(KvType, usize)>,
}

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
    /// Bytes of the buffers.
    pub scratch_bytes: usize,
    /// The limit for all of it.
    pub limit: Option<usize>,
}

impl MemoryPlan {
    /// Weights, KV cache and buffers together, in bytes.
    pub fn total(&self) -> usize {
        self.weight_bytes.saturating_add(self.kv_bytes).saturating_add(self.scratch_bytes)
    }

    /// Whether the memory limit made the automatic context shorter than the model's.
    pub fn is_shortened(&self) -> bool {
        self.context < self.model_context
    }
}

/// A plan that exceeds its limit.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "a context of {context} tokens needs {} ({} weights, {} KV cache, {} buffers), but {} may be used{}: {suggestion}",
    mib(weights + kv + scratch), mib(*weights), mib(*kv), mib(*scratch), mib(*limit),
    if by.is_empty() { String::new() } else { format!(" ({by})") }
)]
pub struct DoesNotFit {
    /// The context that was asked for, or the least automatic one.
    pub context: usize,
    /// Bytes of weights.
    pub weights: usize,
    /// Bytes of the KV cache.
    pub kv: usize,
    /// Bytes of buffers.
    pub scratch: usize,
    /// Bytes that may be used.
    pub limit: usize,
    /// What sets that limit, in words; may be empty.
    pub by: String,
    /// What would fit.
    pub suggestion: Suggestion,
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

impl std::fmt::Display for Suggestion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Context { tokens, kv } => {
                write!(f, "a context of {tokens} tokens with a {kv:?} cache would fit")
            }
            Self::SmallerModel => {
                f.write_str("take a smaller model or a stronger quantization, or allow more memory")
            }
        }
    }
}

fn mib(bytes: usize) -> String {
    format!("{:.0} MiB", bytes as f64 / (1024.0 * 1024.0))
}

/// Plans the memory of a model for these settings.
///
/// # Errors
/// [`DoesNotFit`] when the limit does not hold what was asked for, with all numbers and with what
/// would fit.
pub fn plan_memory(model: &Footprint, config: &EngineConfig) -> Result<MemoryPlan, DoesNotFit> {
    let block_tokens = config.block_tokens;
    let block_bytes = |kv: KvType| {
        model.block.iter().find(|(t, _)| *t == kv).map_or(usize::MAX, |&(_, bytes)| bytes)
    };
    let bytes = block_bytes(config.kv_type);
    let room = config
        .memory_limit
        .map(|limit| limit.saturating_sub(model.weights).saturating_sub(model.scratch));
    let blocks_in_room = |bytes: usize| room.map_or(usize::MAX, |room| room / bytes.max(1));
    let fitting = blocks_in_room(bytes);

    let wanted = config.context.unwrap_or(model.context);
    let needed =
        wanted.div_ceil(block_tokens).max(config.kv_tokens.unwrap_or(0).div_ceil(block_tokens));
    let automatic = config.context.is_none() && config.kv_tokens.is_none();
    let context = if needed <= fitting {
        wanted
    } else if automatic && fitting.saturating_mul(block_tokens) >= LEAST_AUTOMATIC_CONTEXT {
        fitting * block_tokens
    } else {
        let context = if automatic { wanted.min(LEAST_AUTOMATIC_CONTEXT) } else { wanted };
        let blocks = if automatic { context.div_ceil(block_tokens) } else { needed };
        let smallest = model.block.iter().min_by_key(|(_, bytes)| *bytes);
        let tokens = |bytes: usize| blocks_in_room(bytes).saturating_mul(block_tokens).min(wanted);
        let suggestion = match smallest {
            _ if tokens(bytes) >= LEAST_AUTOMATIC_CONTEXT => {
                Suggestion::Context { tokens: tokens(bytes), kv: config.kv_type }
            }
            Some(&(kv, bytes)) if tokens(bytes) >= block_tokens => {
                Suggestion::Context { tokens: tokens(bytes), kv }
            }
            _ => Suggestion::SmallerModel,
        };
        return Err(DoesNotFit {
            context,
            weights: model.weights,
            kv: blocks.saturating_mul(bytes),
            scratch: model.scratch,
            limit: config.memory_limit.unwrap_or(usize::MAX),
            by: config.memory_limited_by.clone(),
            suggestion,
        });
    };
    let least = context.div_ceil(block_tokens);
    let blocks = match config.kv_tokens {
        Some(tokens) => tokens.div_ceil(block_tokens).max(least),
        // No sequence has more than the context.
        None => (config.max_sequences * TOKENS_PER_SEQUENCE.min(context))
            .div_ceil(block_tokens)
            .min(fitting)
            .max(least),
    };
    Ok(MemoryPlan {
        context,
        model_context: model.context,
        blocks,
        block_tokens,
        kv_type: config.kv_type,
        kv_bytes: blocks.saturating_mul(bytes),
        weight_bytes: model.weights,
        scratch_bytes: model.scratch,
        limit: config.memory_limit,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    fn model() -> Footprint {
        Footprint {
            weights: 100 * MIB,
            scratch: 10 * MIB,
            context: 4096,
            block: vec![(KvType::F32, 4 * MIB), (KvType::F16, 2 * MIB), (KvType::Q8, MIB)],
        }
    }

    fn config(context: Option<usize>, limit: Option<usize>) -> EngineConfig {
        EngineConfig {
            context,
            memory_limit: limit.map(|mib| mib * MIB),
            ..EngineConfig::default()
        }
    }

    #[test]
    fn without_a_limit_the_model_gets_its_own_context() {
        let plan = plan_memory(&model(), &config(None, None)).unwrap();
        assert_eq!((plan.context, plan.blocks), (4096, 8 * 1024 / 32));
        assert_eq!(plan.total(), (110 + 512) * MIB);
    }

    #[test]
    fn an_automatic_context_shrinks_to_what_fits() {
        let plan = plan_memory(&model(), &config(None, Some(110 + 100))).unwrap();
        assert_eq!((plan.context, plan.blocks), (50 * 32, 50));
        assert!(plan.is_shortened() && plan.total() <= 210 * MIB);
    }

    #[test]
    fn an_explicit_context_is_never_shortened() {
        let error = plan_memory(&model(), &config(Some(4096), Some(210))).unwrap_err();
        assert_eq!(error.suggestion, Suggestion::Context { tokens: 1600, kv: KvType::F16 });
        let text = error.to_string();
        for part in [
            "4096 tokens",
            "366 MiB",
            "100 MiB weights",
            "256 MiB KV cache",
            "210 MiB may be used",
            "1600",
        ] {
            assert!(text.contains(part), "{part} is missing in: {text}");
        }
    }

    #[test]
    fn a_smaller_cache_is_suggested_before_a_smaller_model() {
        let error = plan_memory(&model(), &config(None, Some(110 + 20))).unwrap_err();
        assert_eq!(error.suggestion, Suggestion::Context { tokens: 640, kv: KvType::Q8 });
        let error = plan_memory(&model(), &config(None, Some(90))).unwrap_err();
        assert_eq!(error.suggestion, Suggestion::SmallerModel);
    }

    #[test]
    fn a_short_context_is_planned_as_short() {
        let plan = |sequences| {
            let config = EngineConfig { max_sequences: sequences, ..config(Some(100), None) };
            plan_memory(&model(), &config).unwrap().blocks
        };
        assert_eq!((plan(1), plan(8)), (4, 25));
    }

    #[test]
    fn a_context_longer_than_the_models_is_a_choice() {
        let plan = plan_memory(&model(), &config(Some(8192), None)).unwrap();
        assert_eq!((plan.context, plan.blocks), (8192, 256));
        assert!(!plan.is_shortened());
    }
}
