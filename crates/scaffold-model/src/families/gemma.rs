//! Gemma 1 to 3 (text): norms that store `w - 1`, a scaled embedding, tied head.

use scaffold_error::Error;

use super::Family;
use super::common::{plain_decoder, rotary_decoder};
use super::keys::Keys;
use super::llama::LLAMA_NAMES;
use super::tables::LLAMA;
use crate::names::{Names, Slot};
use crate::spec::{Activation, Kind, ModelSpec, Presence, QkNorm, QkNormOver};

type Result<T> = std::result::Result<T, Error>;

/// Norms on both sides of each part.
const SANDWICH_NAMES: Names = Names::plain(&[
    &[
        (Slot::AttnOutNorm, "layers.{l}.post_attention_layernorm"),
        (Slot::MlpNorm, "layers.{l}.pre_feedforward_layernorm"),
        (Slot::MlpOutNorm, "layers.{l}.post_feedforward_layernorm"),
    ],
    LLAMA,
]);

pub(super) const FAMILIES: &[Family] = &[
    Family {
        name: "gemma",
        model_types: &["gemma"],
        gguf: &["gemma"],
        aliases: &[],
        names: LLAMA_NAMES,
        spec: gemma,
    },
    Family {
        name: "gemma2",
        model_types: &["gemma2"],
        gguf: &["gemma2"],
        aliases: &[("hidden_activation", "hidden_act")],
        names: SANDWICH_NAMES,
        spec: gemma2,
    },
    Family {
        name: "gemma3",
        model_types: &["gemma3_text"],
        gguf: &["gemma3"],
        aliases: &[("hidden_activation", "hidden_act")],
        names: SANDWICH_NAMES,
        spec: gemma3,
    },
];

/// What the three have in common.
fn scaled(k: &Keys, mut spec: ModelSpec) -> Result<ModelSpec> {
    // GGUF files do not say.
    if k.gguf {
        spec.mlp.activation = Activation::GeluTanh;
    }
    // The converter to GGUF adds the one.
    spec.norm.offset = if k.gguf { 0.0 } else { 1.0 };
    spec.embedding.scale = Some((spec.hidden as f32).sqrt());
    spec.attention.qkv_bias = k.presence("attention_bias", false)?;
    spec.attention.out_bias = spec.attention.qkv_bias;
    k.only("use_bidirectional_attention", &serde_json::Value::Bool(false))?;
    if let Kind::Decoder(head) = &mut spec.kind {
        head.softcap =
            k.opt_f64("final_logit_softcapping")?.filter(|cap| *cap > 0.0).map(|cap| cap as f32);
    }
    Ok(spec)
}

fn gemma(k: &Keys) -> Result<ModelSpec> {
    let mut spec = rotary_decoder(k)?;
    // Early configurations say `gelu` and mean its approximation, which the models were trained
    // with.
    if spec.mlp.activation == Activation::Gelu {
        spec.mlp.activation = Activation::GeluTanh;
    }
    scaled(k, spec)
}

/// The scale of the scores. GGUF files seldom hold it: it comes from the head's width but in the
/// 27B models, which are known by their depth.
fn score_scale(k: &Keys, spec: &mut ModelSpec, deepest: usize) -> Result<()> {
    if k.get("attention_multiplier").is_some() {
        return Ok(());
    }
    let by_heads = k.gguf && spec.layers.len() == deepest;
    let default =
        if by_heads { spec.hidden / spec.attention.heads } else { spec.attention.head_dim };
    let scalar = k.opt_f64("query_pre_attn_scalar")?.unwrap_or(default as f64);
    if scalar <= 0.0 {
        return Err(k.bad("query_pre_attn_scalar", &scalar.into(), "above 0"));
    }
    spec.attention.scale = (1.0 / scalar.sqrt()) as f32;
    Ok(())
}

/// Norms on both sides of each part, caps on scores and logits, every other layer slides.
fn gemma2(k: &Keys) -> Result<ModelSpec> {
    let spec = rotary_decoder(k)?;
    let mut spec = scaled(k, spec)?;
    spec.residual.norm_out = true;
    spec.attention.softcap =
        k.opt_f64("attn_logit_softcapping")?.filter(|cap| *cap > 0.0).map(|cap| cap as f32);
    score_scale(k, &mut spec, 46)?;
    let window = k.sliding_window()?;
    k.ignore(&["rope_local_base_freq"]);
    k.windows(&mut spec, window, |l| l % 2 == 0)?;
    Ok(spec)
}

/// Norms on heads of queries and keys, five sliding layers to a full one, each kind with its own
/// rope.
fn gemma3(k: &Keys) -> Result<ModelSpec> {
    let spec = plain_decoder(k)?;
    let mut spec = scaled(k, spec)?;
    spec.residual.norm_out = true;
    // The class has the key, and nothing caps scores by it.
    k.ignore(&["attn_logit_softcapping"]);
    spec.attention.qk_norm =
        Some(QkNorm { norm: spec.norm, over: QkNormOver::Head, presence: Presence::Yes });
    score_scale(k, &mut spec, 62)?;
    let window = k.sliding_window()?;
    let period = k.opt_usize("sliding_window_pattern")?.unwrap_or(6).max(1);
    k.windows(&mut spec, window, |l| (l + 1) % period != 0)?;
    let local = k.opt_f64("rope_local_base_freq")?.unwrap_or(10_000.0);
    let dim = spec.attention.head_dim;
    spec.ropes = vec![
        k.rope_for(Some("full_attention"), dim, 1.0, 1_000_000.0)?,
        k.rope_for(Some("sliding_attention"), dim, 1.0, local)?,
    ];
    for layer in &mut spec.layers {
        layer.rope = Some(usize::from(layer.window.is_some()));
    }
    Ok(spec)
}
