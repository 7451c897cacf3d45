//! Families whose layers may run attention and feed-forward part side by side, and Phi-3, which
//! came of one.

use scaffold_error::Error;
use serde_json::Value;

use super::Family;
use super::common::{plain_decoder, rotary_decoder, rotated};
use super::keys::Keys;
use super::llama;
use super::tables::LLAMA;
use crate::names::{Names, QkvRows, Slot};
use crate::rope::RopeStyle;
use crate::spec::{Kind, ModelSpec, NormKind, NormSpec, Parallel, Presence, QkNorm, QkNormOver};

type Result<T> = std::result::Result<T, Error>;

pub(super) const FAMILIES: &[Family] = &[
    Family {
        name: "phi",
        model_types: &["phi"],
        gguf: &["phi2"],
        aliases: &[],
        names: Names::plain(&[
            &[
                (Slot::AttnOut, "layers.{l}.self_attn.dense"),
                (Slot::QueryNorm, "layers.{l}.self_attn.q_layernorm"),
                (Slot::KeyNorm, "layers.{l}.self_attn.k_layernorm"),
                (Slot::Up, "layers.{l}.mlp.fc1"),
                (Slot::Down, "layers.{l}.mlp.fc2"),
                (Slot::FinalNorm, "final_layernorm"),
            ],
            LLAMA,
        ]),
        spec: phi,
    },
    Family {
        name: "phi3",
        model_types: &["phi3"],
        gguf: &["phi3"],
        aliases: &[],
        names: Names::plain(&[
            &[
                (Slot::Qkv, "layers.{l}.self_attn.qkv_proj"),
                (Slot::GateUp, "layers.{l}.mlp.gate_up_proj"),
            ],
            LLAMA,
        ]),
        spec: phi3,
    },
    Family {
        name: "gpt_neox",
        model_types: &["gpt_neox"],
        gguf: &["gptneox"],
        aliases: &[("rotary_emb_base", "rope_theta"), ("rotary_pct", "partial_rotary_factor")],
        names: Names {
            tables: &[&[
                (Slot::Embed, "embed_in"),
                (Slot::AttnNorm, "layers.{l}.input_layernorm"),
                (Slot::Qkv, "layers.{l}.attention.query_key_value"),
                (Slot::AttnOut, "layers.{l}.attention.dense"),
                (Slot::MlpNorm, "layers.{l}.post_attention_layernorm"),
                (Slot::Up, "layers.{l}.mlp.dense_h_to_4h"),
                (Slot::Down, "layers.{l}.mlp.dense_4h_to_h"),
                (Slot::FinalNorm, "final_layer_norm"),
                (Slot::Head, "embed_out"),
            ]],
            qkv_rows: QkvRows::PerHead,
            prefixes: &["", "gpt_neox."],
            unused: &["rotary_emb.", ".attention.masked_bias", ".attention.bias"],
            ..Names::EMPTY
        },
        spec: gpt_neox,
    },
    Family {
        name: "stablelm",
        model_types: &["stablelm"],
        gguf: &["stablelm"],
        aliases: &[],
        names: Names::plain(&[
            &[
                (Slot::QueryNorm, "layers.{l}.self_attn.q_layernorm.norms.{e}"),
                (Slot::KeyNorm, "layers.{l}.self_attn.k_layernorm.norms.{e}"),
            ],
            LLAMA,
        ]),
        spec: stablelm,
    },
    Family {
        name: "cohere",
        model_types: &["cohere"],
        gguf: &["command-r"],
        aliases: &[],
        names: llama::LLAMA_NAMES,
        spec: cohere,
    },
    Family {
        name: "cohere2",
        model_types: &["cohere2"],
        gguf: &["cohere2"],
        aliases: &[],
        names: llama::LLAMA_NAMES,
        spec: cohere2,
    },
];

/// A layer norm in place of the RMS norm.
fn layer_norm(spec: &mut ModelSpec, bias: bool) {
    spec.norm = NormSpec { kind: NormKind::Layer, bias, ..spec.norm };
}

/// Side by side after one norm, biases everywhere, part of each head rotated.
fn phi(k: &Keys) -> Result<ModelSpec> {
    let mut spec = plain_decoder(k)?;
    layer_norm(&mut spec, true);
    spec.residual.parallel = Parallel::SharedNorm;
    spec.attention.qkv_bias = k.fixed_bias(true);
    spec.attention.out_bias = k.fixed_bias(true);
    spec.mlp.bias = k.fixed_bias(true);
    spec.mlp.gated = false;
    spec.mlp.activation = k.activation("gelu_new")?;
    if k.bool_or("qk_layernorm", false)? {
        spec.attention.qk_norm =
            Some(QkNorm { norm: spec.norm, over: QkNormOver::Head, presence: Presence::Yes });
    }
    rotated(k, &mut spec, 0.5, 10_000.0)?;
    if let Kind::Decoder(head) = &mut spec.kind {
        head.bias = k.fixed_bias(true);
    }
    Ok(spec)
}

/// A Llama with fused matrices; every layer slides, where there is a window.
fn phi3(k: &Keys) -> Result<ModelSpec> {
    llama::sliding(k, k.sliding_window()?)
}

fn gpt_neox(k: &Keys) -> Result<ModelSpec> {
    let mut spec = plain_decoder(k)?;
    layer_norm(&mut spec, true);
    let parallel = k.bool_or("use_parallel_residual", true)?;
    spec.residual.parallel = if parallel { Parallel::OwnNorms } else { Parallel::No };
    spec.attention.qkv_bias = k.presence("attention_bias", true)?;
    spec.attention.out_bias = spec.attention.qkv_bias;
    spec.mlp.bias = k.fixed_bias(true);
    spec.mlp.gated = false;
    spec.mlp.activation = k.activation("gelu")?;
    rotated(k, &mut spec, 0.25, 10_000.0)?;
    Ok(spec)
}

fn stablelm(k: &Keys) -> Result<ModelSpec> {
    let mut spec = plain_decoder(k)?;
    layer_norm(&mut spec, true);
    if k.bool_or("use_parallel_residual", false)? {
        spec.residual.parallel = Parallel::SharedNorm;
    }
    spec.attention.qkv_bias = k.presence("use_qkv_bias", false)?;
    let norm = NormSpec { bias: false, ..spec.norm };
    spec.attention.qk_norm = Some(QkNorm {
        norm,
        over: QkNormOver::EachHead,
        presence: k.presence("qk_layernorm", false)?,
    });
    rotated(k, &mut spec, 0.25, 10_000.0)?;
    Ok(spec)
}

/// Side by side after one norm without bias; adjacent values rotated; scaled logits of a tied
/// head.
fn cohere(k: &Keys) -> Result<ModelSpec> {
    let mut spec = rotary_decoder(k)?;
    layer_norm(&mut spec, false);
    spec.residual.parallel = Parallel::SharedNorm;
    spec.attention.qkv_bias = k.presence("attention_bias", false)?;
    spec.attention.out_bias = spec.attention.qkv_bias;
    spec.ropes[0].style = RopeStyle::Interleaved;
    spec.attention.qk_norm = Some(QkNorm {
        norm: spec.norm,
        over: QkNormOver::EachHead,
        presence: k.presence("use_qk_norm", false)?,
    });
    if let Kind::Decoder(head) = &mut spec.kind {
        if k.is_null("logit_scale") {
            return Err(k.bad("logit_scale", &Value::Null, "a number"));
        }
        head.scale = k.opt_f64("logit_scale")?.unwrap_or(0.0625) as f32;
    }
    // Command R says how far it was trained beside the length of its table.
    spec.context = k.noted("model_max_length").unwrap_or(0).max(spec.context);
    Ok(spec)
}

/// A Cohere of which every fourth layer sees everything and is not rotated, while the others slide.
fn cohere2(k: &Keys) -> Result<ModelSpec> {
    let mut spec = cohere(k)?;
    let window = k.sliding_window()?;
    let period = k.opt_usize("sliding_window_pattern")?.unwrap_or(4).max(1);
    k.windows(&mut spec, window, |l| (l + 1) % period != 0)?;
    for layer in &mut spec.layers {
        layer.rope = layer.window.map(|_| 0);
    }
    Ok(spec)
}
