//! Llama and the families that changed little in it.

use scaffold_error::Error;
use serde_json::Value;

use super::Family;
use super::common::{experts, plain_decoder, rotary_decoder, rotated};
use super::keys::Keys;
use super::tables::LLAMA;
use crate::names::{Names, Slot};
use crate::spec::{Kind, ModelSpec, Presence, QkNorm, QkNormOver};

type Result<T> = std::result::Result<T, Error>;

pub(super) const LLAMA_NAMES: Names = Names::plain(&[LLAMA]);

pub(super) const FAMILIES: &[Family] = &[
    Family {
        name: "llama",
        model_types: &["llama"],
        gguf: &["llama"],
        aliases: &[],
        names: LLAMA_NAMES,
        spec: llama,
    },
    Family {
        name: "mistral",
        model_types: &["mistral"],
        gguf: &[],
        aliases: &[],
        names: LLAMA_NAMES,
        spec: mistral,
    },
    Family {
        name: "qwen2",
        model_types: &["qwen2"],
        gguf: &["qwen2"],
        aliases: &[],
        names: LLAMA_NAMES,
        spec: qwen2,
    },
    Family {
        name: "qwen3",
        model_types: &["qwen3"],
        gguf: &["qwen3"],
        aliases: &[],
        names: LLAMA_NAMES,
        spec: qwen3,
    },
    Family {
        name: "smollm3",
        model_types: &["smollm3"],
        gguf: &["smollm3"],
        aliases: &[],
        names: LLAMA_NAMES,
        spec: smollm3,
    },
    Family {
        name: "granite",
        model_types: &["granite"],
        gguf: &["granite"],
        aliases: &[("logits_scaling", "logit_scale")],
        names: LLAMA_NAMES,
        spec: granite,
    },
    Family {
        name: "olmo2",
        model_types: &["olmo2"],
        gguf: &["olmo2"],
        aliases: &[],
        names: Names::plain(&[
            &[
                (Slot::AttnOutNorm, "layers.{l}.post_attention_layernorm"),
                (Slot::MlpOutNorm, "layers.{l}.post_feedforward_layernorm"),
            ],
            LLAMA,
        ]),
        spec: olmo2,
    },
];

/// Llama 1 to 3.x, TinyLlama, SmolLM2; in GGUF files also Mistral and, with experts, Mixtral.
fn llama(k: &Keys) -> Result<ModelSpec> {
    let mut spec = rotary_decoder(k)?;
    spec.attention.qkv_bias = k.presence("attention_bias", false)?;
    spec.attention.out_bias = spec.attention.qkv_bias;
    spec.mlp.bias = k.presence("mlp_bias", false)?;
    if k.gguf {
        let window = k.sliding_window()?;
        k.windows(&mut spec, window, |_| true)?;
        if k.opt_usize("num_local_experts")?.is_some_and(|n| n > 0) {
            experts(k, &mut spec, "num_local_experts", true)?;
        }
        k.ignore(&["num_experts_per_tok"]);
    }
    Ok(spec)
}

/// Every layer slides, where there is a window.
pub(super) fn sliding(k: &Keys, window: Option<usize>) -> Result<ModelSpec> {
    let mut spec = rotary_decoder(k)?;
    k.windows(&mut spec, window, |_| true)?;
    Ok(spec)
}

fn mistral(k: &Keys) -> Result<ModelSpec> {
    sliding(k, k.sliding_window()?)
}

/// Layers from `max_window_layers` on may slide.
fn qwen2(k: &Keys) -> Result<ModelSpec> {
    let mut spec = biased(k)?;
    qwen_windows(k, &mut spec)?;
    Ok(spec)
}

fn qwen3(k: &Keys) -> Result<ModelSpec> {
    let mut spec = normed(k)?;
    qwen_windows(k, &mut spec)?;
    Ok(spec)
}

/// Biases on queries, keys and values.
pub(super) fn biased(k: &Keys) -> Result<ModelSpec> {
    let mut spec = rotary_decoder(k)?;
    spec.attention.qkv_bias = k.fixed_bias(true);
    Ok(spec)
}

/// A norm on each query and key head.
pub(super) fn normed(k: &Keys) -> Result<ModelSpec> {
    let mut spec = rotary_decoder(k)?;
    spec.attention.qkv_bias = k.presence("attention_bias", false)?;
    spec.attention.out_bias = spec.attention.qkv_bias;
    spec.attention.qk_norm =
        Some(QkNorm { norm: spec.norm, over: QkNormOver::Head, presence: Presence::Yes });
    Ok(spec)
}

fn qwen_windows(k: &Keys, spec: &mut ModelSpec) -> Result<()> {
    let full = k.opt_usize("max_window_layers")?.unwrap_or(28);
    let window = switched_window(k)?;
    k.windows(spec, window, |l| l >= full)
}

/// The window, where it is switched on. A GGUF file that uses its window says which layers do.
pub(super) fn switched_window(k: &Keys) -> Result<Option<usize>> {
    let window = k.sliding_window()?;
    let used = k.bool_or("use_sliding_window", k.gguf && k.get("layer_types").is_some())?;
    Ok(window.filter(|_| used))
}

/// Every fourth layer goes without rope.
fn smollm3(k: &Keys) -> Result<ModelSpec> {
    let mut spec = rotary_decoder(k)?;
    spec.attention.qkv_bias = k.presence("attention_bias", false)?;
    spec.attention.out_bias = spec.attention.qkv_bias;
    spec.mlp.bias = k.presence("mlp_bias", false)?;
    let window = k.sliding_window()?;
    let used = k.bool_or("use_sliding_window", false)?;
    k.ignore(&["max_window_layers"]);
    let key = "no_rope_layers";
    let interval = k.opt_usize("no_rope_layer_interval")?.unwrap_or(4).max(1);
    // A list of ones (rope) and zeros (none), one a layer.
    let rotated: Vec<bool> = match k.opt_list(key)? {
        Some(list) => list.iter().map(|v| v.as_u64() != Some(0)).collect(),
        None => (0..spec.layers.len()).map(|l| (l + 1) % interval != 0).collect(),
    };
    if rotated.len() != spec.layers.len() {
        let found = k.get(key).cloned().unwrap_or(Value::Null);
        return Err(k.bad(key, &found, format!("{} entries, one a layer", spec.layers.len())));
    }
    k.windows(&mut spec, window.filter(|_| used), |l| !rotated[l])?;
    for (layer, rotated) in spec.layers.iter_mut().zip(rotated) {
        layer.rope = rotated.then_some(0);
    }
    Ok(spec)
}

/// Four factors: on the embedding, the scores, what each part adds, and (as a divisor) the logits.
fn granite(k: &Keys) -> Result<ModelSpec> {
    k.only("finetuned", &Value::Bool(true))?;
    let mut spec = rotary_decoder(k)?;
    spec.attention.qkv_bias = k.presence("attention_bias", false)?;
    spec.attention.out_bias = spec.attention.qkv_bias;
    spec.mlp.bias = k.presence("mlp_bias", false)?;
    spec.embedding.scale = k.opt_f64("embedding_multiplier")?.map(|x| x as f32);
    spec.residual.scale = k.opt_f64("residual_multiplier")?.unwrap_or(1.0) as f32;
    let divisor = k.opt_f64("logit_scale")?.unwrap_or(1.0);
    if divisor == 0.0 {
        return Err(k.bad("logits_scaling", &Value::from(divisor), "a divisor other than 0"));
    }
    if let Kind::Decoder(head) = &mut spec.kind {
        head.scale = (1.0 / divisor) as f32;
    }
    Ok(spec)
}

/// Norms after the parts instead of before them, and over whole rows of queries and keys.
fn olmo2(k: &Keys) -> Result<ModelSpec> {
    let mut spec = plain_decoder(k)?;
    rotated(k, &mut spec, 1.0, 500_000.0)?;
    spec.attention.qkv_bias = k.presence("attention_bias", false)?;
    spec.attention.out_bias = spec.attention.qkv_bias;
    spec.attention.qk_norm =
        Some(QkNorm { norm: spec.norm, over: QkNormOver::Row, presence: Presence::Yes });
    spec.residual.norm_in = false;
    spec.residual.norm_out = true;
    Ok(spec)
}
