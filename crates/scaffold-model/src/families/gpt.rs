//! Families with plain (not gated) feed-forward blocks and layer norms, one part after the other.

use scaffold_error::Error;
use serde_json::Value;

use super::Family;
use super::common::{plain_decoder, rotary_decoder};
use super::keys::Keys;
use super::tables::LLAMA;
use crate::names::{Names, Slot};
use crate::spec::{LearnedPositions, ModelSpec, NormKind, NormSpec};

type Result<T> = std::result::Result<T, Error>;

pub(super) const FAMILIES: &[Family] = &[
    Family {
        name: "gpt2",
        model_types: &["gpt2"],
        gguf: &["gpt2"],
        aliases: &[
            ("n_embd", "hidden_size"),
            ("n_layer", "num_hidden_layers"),
            ("n_head", "num_attention_heads"),
            ("n_positions", "max_position_embeddings"),
            ("n_inner", "intermediate_size"),
            ("activation_function", "hidden_act"),
        ],
        names: Names {
            tables: &[&[
                (Slot::Embed, "wte"),
                (Slot::Positions, "wpe"),
                (Slot::AttnNorm, "h.{l}.ln_1"),
                (Slot::Qkv, "h.{l}.attn.c_attn"),
                (Slot::AttnOut, "h.{l}.attn.c_proj"),
                (Slot::MlpNorm, "h.{l}.ln_2"),
                (Slot::Up, "h.{l}.mlp.c_fc"),
                (Slot::Down, "h.{l}.mlp.c_proj"),
                (Slot::FinalNorm, "ln_f"),
                (Slot::Head, "lm_head"),
            ]],
            // The original checkpoints have no prefix.
            prefixes: &["", "transformer."],
            transposed: true,
            unused: &[".attn.bias", ".attn.masked_bias"],
            ..Names::EMPTY
        },
        spec: gpt2,
    },
    Family {
        name: "starcoder2",
        model_types: &["starcoder2"],
        gguf: &["starcoder2"],
        aliases: &[],
        names: Names::plain(&[
            &[(Slot::Up, "layers.{l}.mlp.c_fc"), (Slot::Down, "layers.{l}.mlp.c_proj")],
            LLAMA,
        ]),
        spec: starcoder2,
    },
];

/// Layer norms and biases everywhere, no gate.
fn plain_blocks(k: &Keys, spec: &mut ModelSpec, activation: &str) -> Result<()> {
    spec.norm = NormSpec { kind: NormKind::Layer, bias: true, ..spec.norm };
    spec.mlp.gated = false;
    spec.mlp.activation = k.activation(activation)?;
    Ok(())
}

/// Learned positions instead of rope.
fn gpt2(k: &Keys) -> Result<ModelSpec> {
    let mut spec = plain_decoder(k)?;
    plain_blocks(k, &mut spec, "gelu_new")?;
    if !k.bool_or("scale_attn_weights", true)? {
        spec.attention.scale = 1.0;
    }
    k.only("scale_attn_by_inverse_layer_idx", &Value::Bool(false))?;
    k.ignore(&["reorder_and_upcast_attn"]);
    spec.attention.qkv_bias = k.fixed_bias(true);
    spec.attention.out_bias = k.fixed_bias(true);
    spec.mlp.bias = k.fixed_bias(true);
    spec.embedding.positions =
        Some(LearnedPositions { rows: spec.context, offset: 0, padding: None });
    Ok(spec)
}

/// Every layer slides, where there is a window.
fn starcoder2(k: &Keys) -> Result<ModelSpec> {
    let mut spec = rotary_decoder(k)?;
    plain_blocks(k, &mut spec, "gelu_pytorch_tanh")?;
    let bias = k.presence("use_bias", true)?;
    spec.attention.qkv_bias = bias;
    spec.attention.out_bias = bias;
    spec.mlp.bias = bias;
    let window = k.sliding_window()?;
    k.windows(&mut spec, window, |_| true)?;
    Ok(spec)
}
