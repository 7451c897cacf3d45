//! The memory plan: what a model takes of it, made and checked before anything is allocated, and
//! said in one way.
//!
//! Mapped files are not in it: their pages are clean, so that the system takes them back where
//! memory is short. What is counted is what it cannot take back.

mod plan;
mod text;

use crate::config::EngineConfig;
use scaffold_model::KvType;

pub use plan::{DoesNotFit, MemoryPlan, Suggestion};
pub use text::bytes_text;

/// An automatic context below this would be a surprise, not a help: then the plan is refused
/// instead.
const LEAST_AUTOMATIC_CONTEXT: usize = 512;

/// A shortened context, like one that is suggested, is a multiple of this, so that a few MiB that
/// come and go do not change it from one look to the next.
const CONTEXT_STEP: usize = 256;

/// Tokens per sequence that the automatic KV cache aims at.
const TOKENS_PER_SEQUENCE: usize = 1024;

/// What a model needs, in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Footprint {
    /// The packed weights.
    pub weights: usize,
    /// What packing takes beside the weights, at most. It is given back before cache and buffers
    /// are used.
    pub packing: usize,
    /// The buffers of one step.
    pub scratch: usize,
    /// What is beside the model: its tokenizer, and what the program takes in small pieces.
    pub rest: usize,
    /// Positions that the model was made for.
    pub context: usize,
    /// One KV block, for each way to store it that the model supports. Empty for a model without a
    /// cache, or whose cache is not known.
    pub block: Vec<(KvType, usize)>,
}

/// Plans the memory of a model for these settings: the one answer to what a model needs.
///
/// # Errors
/// [`DoesNotFit`] when the limit does not hold what was asked for, with all numbers and with what
/// would fit.
pub fn plan_memory(model: &Footprint, config: &EngineConfig) -> Result<MemoryPlan, DoesNotFit> {
    if model.block.is_empty() {
        return plan_without_cache(model, config);
    }
    let block_tokens = config.block_tokens;
    let bytes = block_bytes(model, config.kv_type);
    let fitting = blocks_in_room(model, config, bytes);

    let wanted = config.context.unwrap_or(model.context);
    let needed =
        wanted.div_ceil(block_tokens).max(config.kv_tokens.unwrap_or(0).div_ceil(block_tokens));
    let automatic = config.context.is_none() && config.kv_tokens.is_none();
    let context = if needed <= fitting {
        wanted
    } else if automatic && fitting.saturating_mul(block_tokens) >= LEAST_AUTOMATIC_CONTEXT {
        in_steps(fitting.saturating_mul(block_tokens))
    } else {
        return Err(does_not_fit(model, config, wanted, needed));
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
    let plan = planned(model, config, context, blocks);
    match plan.limit {
        // Packing alone may take more than cache and buffers.
        Some(limit) if plan.total() > limit => Err(refused(plan, Suggestion::SmallerModel)),
        _ => Ok(plan),
    }
}

/// Encoders have no cache; nor has a model of which nothing but its size is known.
fn plan_without_cache(model: &Footprint, config: &EngineConfig) -> Result<MemoryPlan, DoesNotFit> {
    let plan = planned(model, config, model.context, 0);
    match plan.limit {
        Some(limit) if plan.total() > limit => Err(refused(plan, Suggestion::SmallerModel)),
        _ => Ok(plan),
    }
}

fn planned(model: &Footprint, config: &EngineConfig, context: usize, blocks: usize) -> MemoryPlan {
    let block = match blocks {
        0 => 0,
        _ => block_bytes(model, config.kv_type),
    };
    MemoryPlan {
        context,
        model_context: model.context,
        blocks,
        block_tokens: config.block_tokens,
        kv_type: config.kv_type,
        kv_bytes: blocks.saturating_mul(block),
        weight_bytes: model.weights,
        packing_bytes: model.packing,
        scratch_bytes: model.scratch,
        rest_bytes: model.rest,
        limit: config.memory_limit,
        limited_by: config.memory_limited_by.clone(),
    }
}

fn block_bytes(model: &Footprint, kv: KvType) -> usize {
    let block = model.block.iter().find(|(ty, _)| *ty == kv);
    block.map_or(usize::MAX, |&(_, bytes)| bytes)
}

/// Blocks of so many bytes that the limit leaves room for.
fn blocks_in_room(model: &Footprint, config: &EngineConfig, bytes: usize) -> usize {
    config.memory_limit.map_or(usize::MAX, |limit| {
        let room = limit
            .saturating_sub(model.weights)
            .saturating_sub(model.rest)
            .saturating_sub(model.scratch);
        room / bytes.max(1)
    })
}

/// The whole steps in so many tokens, or all of them where that is less than a step.
fn in_steps(tokens: usize) -> usize {
    match tokens / CONTEXT_STEP {
        0 => tokens,
        steps => steps * CONTEXT_STEP,
    }
}

/// The refusal of `wanted` tokens in `needed` blocks, or, where the context is automatic, of the
/// least of it.
fn does_not_fit(
    model: &Footprint,
    config: &EngineConfig,
    wanted: usize,
    needed: usize,
) -> DoesNotFit {
    let block_tokens = config.block_tokens;
    let automatic = config.context.is_none() && config.kv_tokens.is_none();
    let (context, blocks) = if automatic {
        let context = wanted.min(LEAST_AUTOMATIC_CONTEXT);
        (context, context.div_ceil(block_tokens))
    } else {
        (wanted, needed)
    };
    let tokens = |bytes: usize| {
        let fitting = blocks_in_room(model, config, bytes).saturating_mul(block_tokens);
        in_steps(fitting.min(wanted))
    };
    let bytes = block_bytes(model, config.kv_type);
    let smallest = model.block.iter().min_by_key(|(_, bytes)| *bytes);
    let suggestion = match smallest {
        _ if tokens(bytes) >= LEAST_AUTOMATIC_CONTEXT => {
            Suggestion::Context { tokens: tokens(bytes), kv: config.kv_type }
        }
        Some(&(kv, bytes)) if tokens(bytes) >= block_tokens => {
            Suggestion::Context { tokens: tokens(bytes), kv }
        }
        _ => Suggestion::SmallerModel,
    };
    refused(planned(model, config, context, blocks), suggestion)
}

fn refused(plan: MemoryPlan, suggestion: Suggestion) -> DoesNotFit {
    DoesNotFit { plan: Box::new(plan), suggestion }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    fn model() -> Footprint {
        Footprint {
            weights: 100 * MIB,
            packing: 0,
            scratch: 10 * MIB,
            rest: 0,
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
        // In steps, so that it stays what it is when a little more or less is free.
        assert_eq!((plan.context, plan.blocks), (1536, 50));
        assert!(plan.is_shortened() && plan.total() <= 210 * MIB);
    }

    #[test]
    fn an_explicit_context_is_never_shortened() {
        let error = plan_memory(&model(), &config(Some(4096), Some(210))).unwrap_err();
        assert_eq!(error.suggestion, Suggestion::Context { tokens: 1536, kv: KvType::F16 });
        let text = error.to_string();
        for part in [
            "4096 tokens",
            "366 MiB",
            "100 MiB weights",
            "256 MiB KV cache",
            "210 MiB may be used",
            "1536 tokens with a cache in f16",
        ] {
            assert!(text.contains(part), "{part} is missing in: {text}");
        }
    }

    #[test]
    fn a_smaller_cache_is_suggested_before_a_smaller_model() {
        let error = plan_memory(&model(), &config(None, Some(110 + 20))).unwrap_err();
        assert_eq!(error.suggestion, Suggestion::Context { tokens: 512, kv: KvType::Q8 });
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

    #[test]
    fn packing_counts_where_it_takes_more_than_cache_and_buffers() {
        let model = Footprint { packing: 400 * MIB, rest: 5 * MIB, ..model() };
        let plan = plan_memory(&model, &config(Some(64), Some(505))).unwrap();
        assert_eq!(plan.total(), 505 * MIB);
        assert!(plan.to_string().contains("400 MiB to pack"), "{plan}");
        let error = plan_memory(&model, &config(None, Some(504))).unwrap_err();
        assert_eq!(error.suggestion, Suggestion::SmallerModel);
        let text = error.to_string();
        assert!(text.contains("5.00 MiB tokenizer and program"), "{text}");
    }

    #[test]
    fn a_model_without_a_cache_takes_no_context() {
        let model = Footprint { block: Vec::new(), ..model() };
        let plan = plan_memory(&model, &config(None, Some(110))).unwrap();
        assert_eq!((plan.total(), plan.context), (110 * MIB, 4096));
        assert!(!plan.is_shortened() && !plan.to_string().contains("cache"));
        assert!(plan_memory(&model, &config(None, Some(109))).is_err());
    }
}
