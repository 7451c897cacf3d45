//! Families with mixtures of experts.

use scaffold_error::Error;
use serde_json::Value;

use super::Family;
use super::common::{experts, rotary_decoder};
use super::keys::Keys;
use super::llama;
use super::tables::{EXPERTS, LLAMA};
use crate::names::{Names, Slot};
use crate::spec::{ModelSpec, Presence, QkNorm, QkNormOver};

type Result<T> = std::result::Result<T, Error>;

const EXPERT_NAMES: Names = Names::plain(&[EXPERTS, LLAMA]);

/// GGUF files and some configurations say `num_local_experts` where these families say
/// `num_experts`.
const EXPERT_ALIASES: &[(&str, &str)] = &[("num_experts", "num_local_experts")];

pub(super) const FAMILIES: &[Family] = &[
    Family {
        name: "mixtral",
        model_types: &["mixtral"],
        gguf: &[],
        aliases: &[],
        names: Names::plain(&[
            &[
                (Slot::Router, "layers.{l}.block_sparse_moe.gate"),
                (Slot::ExpertGate, "layers.{l}.block_sparse_moe.experts.{e}.w1"),
                (Slot::ExpertDown, "layers.{l}.block_sparse_moe.experts.{e}.w2"),
                (Slot::ExpertUp, "layers.{l}.block_sparse_moe.experts.{e}.w3"),
            ],
            LLAMA,
        ]),
        spec: mixtral,
    },
    Family {
        name: "qwen2_moe",
        model_types: &["qwen2_moe"],
        gguf: &["qwen2moe"],
        aliases: EXPERT_ALIASES,
        names: EXPERT_NAMES,
        spec: qwen2_moe,
    },
    Family {
        name: "qwen3_moe",
        model_types: &["qwen3_moe"],
        gguf: &["qwen3moe"],
        aliases: EXPERT_ALIASES,
        names: EXPERT_NAMES,
        spec: qwen3_moe,
    },
    Family {
        name: "olmoe",
        model_types: &["olmoe"],
        gguf: &["olmoe"],
        aliases: EXPERT_ALIASES,
        names: EXPERT_NAMES,
        spec: olmoe,
    },
];

fn mixtral(k: &Keys) -> Result<ModelSpec> {
    let mut spec = llama::sliding(k, k.sliding_window()?)?;
    experts(k, &mut spec, "num_local_experts", true)?;
    Ok(spec)
}

/// Layers named in `mlp_only_layers`, and those between the sparse ones, have one dense block.
fn sparse_layers(k: &Keys, spec: &mut ModelSpec) -> Result<()> {
    let step = k.opt_usize("decoder_sparse_step")?.unwrap_or(1).max(1);
    let dense = k.opt_list("mlp_only_layers")?.cloned().unwrap_or_default();
    for (l, layer) in spec.layers.iter_mut().enumerate() {
        layer.moe = (l + 1) % step == 0 && !dense.contains(&Value::from(l));
    }
    Ok(())
}

/// An expert that every token takes, scaled by a gate of its own.
fn qwen2_moe(k: &Keys) -> Result<ModelSpec> {
    let mut spec = llama::biased(k)?;
    let sliding = k.opt_usize("max_window_layers")?.unwrap_or(28);
    let window = llama::switched_window(k)?;
    k.windows(&mut spec, window, |l| l % 2 == 0 && l < sliding)?;
    spec.attention.qkv_bias = k.presence("qkv_bias", true)?;
    experts(k, &mut spec, "num_local_experts", false)?;
    sparse_layers(k, &mut spec)?;
    if let (Some(moe), Some(inner)) =
        (&mut spec.moe, k.opt_usize("shared_expert_intermediate_size")?)
    {
        moe.shared_inner = Some(inner).filter(|n| *n > 0);
    }
    Ok(spec)
}

fn qwen3_moe(k: &Keys) -> Result<ModelSpec> {
    let mut spec = llama::normed(k)?;
    // All layers slide, or none.
    k.ignore(&["max_window_layers"]);
    let window = llama::switched_window(k)?;
    k.windows(&mut spec, window, |_| true)?;
    // GGUF files do not say; every model of this family normalises.
    experts(k, &mut spec, "num_local_experts", k.gguf)?;
    sparse_layers(k, &mut spec)?;
    Ok(spec)
}

/// Norms over whole rows of queries and keys, which may be clipped.
fn olmoe(k: &Keys) -> Result<ModelSpec> {
    let mut spec = rotary_decoder(k)?;
    spec.attention.qkv_bias = k.presence("attention_bias", false)?;
    spec.attention.out_bias = spec.attention.qkv_bias;
    spec.attention.qk_norm =
        Some(QkNorm { norm: spec.norm, over: QkNormOver::Row, presence: Presence::Yes });
    // Only the attention of one kind of GPU kernel hears of it.
    k.ignore(&["sliding_window"]);
    spec.attention.clip = k.opt_f64("clip_qkv")?.filter(|c| *c > 0.0).map(|c| c as f32);
    experts(k, &mut spec, "num_local_experts", false)?;
    Ok(spec)
}
