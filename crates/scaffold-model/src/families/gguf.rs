//! The metadata of a GGUF file in the terms of `config.json`, so that one reader serves both.

use scaffold_error::{Error, err};
use scaffold_formats::{Metadata, MetadataArray, Value as MetadataValue, ValueType};
use serde_json::{Map, Value, json};

use super::keys::shown;

/// `<architecture>.<left>` in GGUF is `<right>` in `config.json`.
const KEYS: &[(&str, &str)] = &[
    ("vocab_size", "vocab_size"),
    ("context_length", "max_position_embeddings"),
    ("embedding_length", "hidden_size"),
    ("block_count", "num_hidden_layers"),
    ("feed_forward_length", "intermediate_size"),
    ("expert_feed_forward_length", "moe_intermediate_size"),
    ("expert_shared_feed_forward_length", "shared_expert_intermediate_size"),
    ("expert_count", "num_local_experts"),
    ("expert_used_count", "num_experts_per_tok"),
    ("expert_weights_norm", "norm_topk_prob"),
    ("use_parallel_residual", "use_parallel_residual"),
    ("attention.head_count", "num_attention_heads"),
    ("attention.head_count_kv", "num_key_value_heads"),
    ("attention.key_length", "head_dim"),
    ("attention.layer_norm_epsilon", "layer_norm_eps"),
    ("attention.layer_norm_rms_epsilon", "rms_norm_eps"),
    ("attention.sliding_window", "sliding_window"),
    ("attention.clamp_kqv", "clip_qkv"),
    ("attention.scale", "attention_multiplier"),
    ("attn_logit_softcapping", "attn_logit_softcapping"),
    ("final_logit_softcapping", "final_logit_softcapping"),
    ("logit_scale", "logit_scale"),
    ("residual_scale", "residual_multiplier"),
    ("embedding_scale", "embedding_multiplier"),
    ("rope.dimension_count", "rotary_dims"),
    ("rope.freq_base", "rope_theta"),
    ("rope.freq_base_swa", "rope_local_base_freq"),
    // Ollama's own converter.
    ("rope.global.freq_base", "rope_theta"),
    ("rope.local.freq_base", "rope_local_base_freq"),
    ("hidden_act", "hidden_act"),
    ("attention.causal", "is_causal"),
    ("expert_gating_func", "expert_gating_func"),
    ("expert_group_count", "n_group"),
    ("expert_group_used_count", "topk_group"),
];

/// The same, inside `rope_scaling`.
const ROPE_KEYS: &[(&str, &str)] = &[
    ("rope.scaling.type", "rope_type"),
    ("rope.scaling.factor", "factor"),
    // Its name in old files.
    ("rope.scale_linear", "factor"),
    ("rope.scaling.original_context_length", "original_max_position_embeddings"),
    ("rope.scaling.attn_factor", "attention_factor"),
    ("rope.scaling.yarn_attn_factor", "attention_factor"),
    ("rope.scaling.yarn_beta_fast", "beta_fast"),
    ("rope.scaling.yarn_beta_slow", "beta_slow"),
    ("rope.scaling.finetuned", "finetuned"),
];

/// Understood below, or of no consequence for the numbers.
const OTHER_KEYS: &[&str] = &[
    "attention.value_length",
    "attention.sliding_window_pattern",
    "pooling_type",
    "classifier.output_labels",
    "tensor_data_layout",
];

/// Architectures whose rope rotates adjacent values: the converter has permuted queries and keys to
/// fit, or (Cohere) the model was trained so.
const ADJACENT: &[&str] = &["llama", "granite", "smollm3", "command-r", "cohere2"];

/// Reads the metadata under the names of `config.json`.
pub(super) fn as_config(
    metadata: &Metadata,
    architecture: &str,
) -> Result<Map<String, Value>, Error> {
    let mut map = Map::new();
    let mut rope = Map::new();
    let prefix = format!("{architecture}.");
    for key in metadata.keys() {
        let Some(name) = key.strip_prefix(&prefix) else {
            continue;
        };
        let Some(found) = metadata.get(key)? else {
            continue;
        };
        let is_read = KEYS.iter().chain(ROPE_KEYS).any(|(gguf, _)| *gguf == name);
        let value = match found {
            MetadataValue::Array(list) if is_read => one_for_all(&list, key, architecture)?,
            MetadataValue::Array(_) => continue,
            found => json_value(&found),
        };
        let Some(value) = value else {
            continue;
        };
        if let Some((_, common)) = KEYS.iter().find(|(gguf, _)| *gguf == name) {
            map.insert((*common).to_owned(), value);
        } else if let Some((_, common)) = ROPE_KEYS.iter().find(|(gguf, _)| *gguf == name) {
            rope.insert((*common).to_owned(), value);
        } else if !OTHER_KEYS.contains(&name) {
            // Under its own name, so that it is refused as not understood.
            map.insert(key.to_owned(), value);
        }
    }
    if !map.contains_key("vocab_size")
        && let Some(tokens) = metadata.get_array("tokenizer.ggml.tokens")?
    {
        map.insert("vocab_size".to_owned(), json!(tokens.len()));
    }
    if let Some(types) = metadata.get_u64("tokenizer.ggml.token_type_count")? {
        map.insert("type_vocab_size".to_owned(), json!(types));
    }
    // Granite's converter says so of models without rope, and nobody else says no.
    if rope.get("finetuned") == Some(&Value::Bool(false)) {
        map.insert("finetuned".to_owned(), Value::Bool(false));
    }
    // Phi-3's converter writes the factor on cosines and sines but no type: its factors are
    // tensors.
    if !rope.contains_key("rope_type") {
        let factor = rope.get("factor").and_then(Value::as_f64);
        if rope.contains_key("attention_factor") {
            rope.insert("rope_type".to_owned(), json!("longrope"));
        } else if factor.is_some_and(|factor| factor != 0.0) {
            // llama.cpp takes the scaling to be linear unless the file says otherwise, and 0 for no
            // scaling.
            rope.insert("rope_type".to_owned(), json!("linear"));
        } else {
            rope.remove("factor");
        }
    }
    if let Some(original) = rope.get("original_max_position_embeddings").cloned()
        && !rope.contains_key("rope_type")
    {
        map.insert("original_max_position_embeddings".to_owned(), original);
    } else if !rope.is_empty() {
        map.insert("rope_scaling".to_owned(), Value::Object(rope));
    }
    if ADJACENT.contains(&architecture) {
        map.insert("rope_pairs".to_owned(), json!("adjacent"));
    }
    layer_types(metadata, &prefix, &mut map)?;
    Ok(map)
}

/// `attention.sliding_window_pattern` is one flag a layer, or the period of the layers without a
/// window.
fn layer_types(
    metadata: &Metadata,
    prefix: &str,
    map: &mut Map<String, Value>,
) -> Result<(), Error> {
    let key = format!("{prefix}attention.sliding_window_pattern");
    match metadata.get(&key)? {
        Some(MetadataValue::Array(flags)) => {
            let kind = |slides: bool| {
                if slides { "sliding_attention" } else { "full_attention" }
            };
            let types: Vec<_> =
                flags.bools()?.into_iter().map(|slides| json!(kind(slides))).collect();
            map.insert("layer_types".to_owned(), Value::Array(types));
        }
        Some(MetadataValue::Unsigned(period)) => {
            map.insert("sliding_window_pattern".to_owned(), json!(period));
        }
        _ => {}
    }
    Ok(())
}

/// The value of an array that has one for each layer: llama.cpp reads a number or such an array.
/// Layers that differ are not computed.
fn one_for_all(
    list: &MetadataArray<'_>,
    key: &str,
    architecture: &str,
) -> Result<Option<Value>, Error> {
    let values: Vec<Value> = match list.element() {
        ValueType::Bool => list.bools()?.into_iter().map(Value::from).collect(),
        ValueType::F32 | ValueType::F64 => list.f32s()?.into_iter().map(Value::from).collect(),
        ValueType::Str => list.strings()?.into_iter().map(Value::from).collect(),
        _ => list.i64s()?.into_iter().map(Value::from).collect(),
    };
    match values.first() {
        Some(first) if values.iter().all(|value| value == first) => Ok(Some(first.clone())),
        Some(_) => {
            let values = shown(&Value::Array(values));
            Err(err!(
                Unsupported,
                "`{key}` in the GGUF metadata is {values}, one value a layer; {architecture} models are computed with the \
                 same value in all layers, so this one is refused rather than computed wrongly. Look for a model whose \
                 layers are alike"
            )
            .of_key(key))
        }
        None => Ok(None),
    }
}

fn json_value(value: &MetadataValue<'_>) -> Option<Value> {
    Some(match value {
        MetadataValue::Unsigned(n) => json!(n),
        MetadataValue::Signed(n) => json!(n),
        MetadataValue::Float(x) => json!(x),
        MetadataValue::Bool(b) => json!(b),
        MetadataValue::Str(s) => json!(s),
        _ => return None,
    })
}
