//! Configuration keys as GGUF metadata.

use scaffold_error::err;
use scaffold_formats::write::{GgufWriter, MetadataValue};

use crate::Error;
use crate::config::Config;
use crate::family::Family;

type Result<T> = std::result::Result<T, Error>;

/// Sets keys under the architecture's prefix, where there is a value.
struct Keys<'a, 'w> {
    writer: &'a mut GgufWriter<'w>,
    arch: &'static str,
}

impl Keys<'_, '_> {
    fn set(&mut self, key: &str, value: Option<impl Into<MetadataValue>>) {
        if let Some(value) = value {
            self.writer.set(&format!("{}.{key}", self.arch), value);
        }
    }

    fn size(&mut self, key: &str, value: Option<usize>) {
        self.set(key, value.map(|value| value as u32));
    }
}

/// Everything but the vocabulary and what the weights' types are as a whole.
pub(crate) fn write(
    writer: &mut GgufWriter<'_>,
    family: &Family,
    config: &Config<'_>,
) -> Result<()> {
    writer.set("general.architecture", family.arch).set("general.type", "model");
    writer.set("general.quantization_version", 2_u32);
    let mut keys = Keys { writer, arch: family.arch };
    sizes(&mut keys, family, config)?;
    rope(&mut keys, family, config)?;
    experts(&mut keys, config)?;
    scales(&mut keys, family, config)?;
    windows(&mut keys, family, config)
}

fn sizes(keys: &mut Keys<'_, '_>, family: &Family, config: &Config<'_>) -> Result<()> {
    keys.size("block_count", Some(config.layers()?));
    keys.size("context_length", config.size(&["max_position_embeddings", "n_positions"])?);
    keys.size("embedding_length", Some(config.hidden()?));
    let inner = config.size(&["intermediate_size", "n_inner"])?;
    keys.size("feed_forward_length", Some(inner.unwrap_or(4 * config.hidden()?)));
    keys.size("attention.head_count", Some(config.heads()?));
    if family.kv_heads {
        keys.size("attention.head_count_kv", Some(config.kv_heads()?));
    }
    // Granite has heads of the usual size whatever the configuration says.
    let head_dim = config.size(&["head_dim"])?;
    keys.size("attention.key_length", head_dim);
    keys.size("attention.value_length", head_dim);
    if family.llama_keys {
        keys.size("vocab_size", config.size(&["vocab_size"])?);
    }
    keys.set("attention.layer_norm_rms_epsilon", config.float(&["rms_norm_eps"])?);
    keys.set(
        "attention.layer_norm_epsilon",
        config.float(&["layer_norm_eps", "layer_norm_epsilon", "norm_epsilon"])?,
    );
    keys.set("use_parallel_residual", config.root.get_bool("use_parallel_residual")?);
    Ok(())
}

fn rope(keys: &mut Keys<'_, '_>, family: &Family, config: &Config<'_>) -> Result<()> {
    if family.llama_keys || family.partial_rope {
        keys.size("rope.dimension_count", Some(config.rotated()?));
    }
    if family.rope_base {
        keys.set("rope.freq_base", config.rope_theta()?);
    }
    keys.set("rope.freq_base_swa", config.sliding_theta()?);
    if family.arch == "phi3" {
        keys.size("rope.scaling.original_context_length", Some(config.original_context()?));
    }
    if matches!(family.arch, "command-r" | "cohere2") {
        keys.set("rope.scaling.type", Some("none"));
    }
    match config.rope_type()? {
        kind @ ("linear" | "yarn") => {
            keys.set("rope.scaling.type", Some(kind));
            keys.set("rope.scaling.factor", config.rope_float("factor")?);
            if kind == "yarn" {
                let context = config.original_context()?;
                keys.size("rope.scaling.original_context_length", Some(context));
                keys.set("rope.scaling.yarn_attn_factor", config.rope_float("attention_factor")?);
                keys.set("rope.scaling.yarn_beta_fast", config.rope_float("beta_fast")?);
                keys.set("rope.scaling.yarn_beta_slow", config.rope_float("beta_slow")?);
            }
        }
        "longrope" => {
            let original = config.original_context()? as f32;
            let factor = (1.0 + config.stretch()?.ln() / original.ln()).sqrt();
            keys.set("rope.scaling.attn_factor", Some(factor));
        }
        // Factors per frequency stand in a tensor.
        "default" | "llama3" => {}
        other => {
            return Err(err!(
                Unsupported,
                "a rope of type {other:?} cannot be said in a GGUF file; those that can: default, linear, llama3, longrope, yarn"
            )
            .of_key("rope_type"));
        }
    }
    Ok(())
}

fn experts(keys: &mut Keys<'_, '_>, config: &Config<'_>) -> Result<()> {
    keys.size("expert_count", config.size(&["num_local_experts", "num_experts"])?);
    keys.size("expert_used_count", config.size(&["num_experts_per_tok"])?);
    keys.size("expert_feed_forward_length", config.size(&["moe_intermediate_size"])?);
    let shared = config.size(&["shared_expert_intermediate_size"])?;
    keys.size("expert_shared_feed_forward_length", shared);
    Ok(())
}

fn scales(keys: &mut Keys<'_, '_>, family: &Family, config: &Config<'_>) -> Result<()> {
    keys.set("attention.scale", config.float(&["attention_multiplier"])?);
    keys.set("embedding_scale", config.float(&["embedding_multiplier"])?);
    keys.set("residual_scale", config.float(&["residual_multiplier"])?);
    keys.set("logit_scale", config.float(&["logits_scaling", "logit_scale"])?);
    keys.set("attn_logit_softcapping", config.float(&["attn_logit_softcapping"])?);
    keys.set("final_logit_softcapping", config.float(&["final_logit_softcapping"])?);
    // Below: what the converter leaves out, in keys that the format has for it.
    let usual = config.head_dim()?;
    let scalar = config.size(&["query_pre_attn_scalar"])?.filter(|&scalar| scalar != usual);
    keys.set("attention.scale", scalar.map(|scalar| (scalar as f32).sqrt().recip()));
    keys.set("attention.clamp_kqv", config.float(&["clip_qkv"])?);
    let normed = config.root.get_bool("norm_topk_prob")?;
    keys.set("expert_weights_norm", normed.filter(|&normed| normed && family.arch == "olmoe"));
    Ok(())
}

fn windows(keys: &mut Keys<'_, '_>, family: &Family, config: &Config<'_>) -> Result<()> {
    let off = config.root.get_bool("use_sliding_window")? == Some(false);
    let window = config.size(&["sliding_window"])?.filter(|_| !off);
    // Phi 3 says zero where there is none.
    keys.size("attention.sliding_window", window.or((family.arch == "phi3").then_some(0)));
    // The converter writes none of what follows for these families: readers have a fixed pattern
    // for each.
    let kinds = config.root.get_strs("layer_types")?.filter(|_| window.is_some());
    let sliding: Vec<bool> =
        kinds.unwrap_or_default().iter().map(|kind| *kind == "sliding_attention").collect();
    if !sliding.is_empty() && family.arch != "gemma2" {
        keys.set("attention.sliding_window_pattern", Some(sliding.as_slice()));
    }
    Ok(())
}
