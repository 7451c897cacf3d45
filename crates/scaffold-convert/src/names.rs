//! Tensor names: those of `transformers` to those of llama.cpp.

use scaffold_error::err;

use crate::Error;
use crate::family::Family;

/// Where a tensor goes.
#[derive(Debug, PartialEq)]
pub(crate) struct Place {
    /// The name in GGUF, suffix included.
    pub(crate) name: String,
    /// Its place in a stack of tensors that GGUF keeps as one: experts, norms per head.
    pub(crate) index: Option<usize>,
}

const TOP: [(&str, &str); 10] = [
    ("model.embed_tokens", "token_embd"),
    ("model.norm", "output_norm"),
    ("model.final_layernorm", "output_norm"),
    ("lm_head", "output"),
    ("gpt_neox.embed_in", "token_embd"),
    ("gpt_neox.final_layer_norm", "output_norm"),
    ("embed_out", "output"),
    ("transformer.wte", "token_embd"),
    ("transformer.wpe", "position_embd"),
    ("transformer.ln_f", "output_norm"),
];

const LAYERS: [&str; 3] = ["model.layers.", "gpt_neox.layers.", "transformer.h."];

/// Parts of a layer, the number of an expert or head taken out.
const PARTS: [(&str, &str); 41] = [
    ("input_layernorm", "attn_norm"),
    ("ln_1", "attn_norm"),
    ("ln_2", "ffn_norm"),
    ("pre_feedforward_layernorm", "ffn_norm"),
    ("post_feedforward_layernorm", "post_ffw_norm"),
    ("self_attn.q_proj", "attn_q"),
    ("self_attn.k_proj", "attn_k"),
    ("self_attn.v_proj", "attn_v"),
    ("self_attn.qkv_proj", "attn_qkv"),
    ("self_attn.o_proj", "attn_output"),
    ("self_attn.dense", "attn_output"),
    ("self_attn.q_norm", "attn_q_norm"),
    ("self_attn.k_norm", "attn_k_norm"),
    ("self_attn.q_layernorm.norms", "attn_q_norm"),
    ("self_attn.k_layernorm.norms", "attn_k_norm"),
    ("attention.query_key_value", "attn_qkv"),
    ("attention.dense", "attn_output"),
    ("attn.c_attn", "attn_qkv"),
    ("attn.c_proj", "attn_output"),
    ("mlp.gate_proj", "ffn_gate"),
    ("mlp.up_proj", "ffn_up"),
    ("mlp.down_proj", "ffn_down"),
    ("mlp.gate_up_proj", "ffn_up"),
    ("mlp.fc1", "ffn_up"),
    ("mlp.fc2", "ffn_down"),
    ("mlp.c_fc", "ffn_up"),
    ("mlp.c_proj", "ffn_down"),
    ("mlp.dense_h_to_4h", "ffn_up"),
    ("mlp.dense_4h_to_h", "ffn_down"),
    ("mlp.gate", "ffn_gate_inp"),
    ("mlp.experts.gate_proj", "ffn_gate_exps"),
    ("mlp.experts.up_proj", "ffn_up_exps"),
    ("mlp.experts.down_proj", "ffn_down_exps"),
    ("mlp.shared_expert.gate_proj", "ffn_gate_shexp"),
    ("mlp.shared_expert.up_proj", "ffn_up_shexp"),
    ("mlp.shared_expert.down_proj", "ffn_down_shexp"),
    ("mlp.shared_expert_gate", "ffn_gate_inp_shexp"),
    ("block_sparse_moe.gate", "ffn_gate_inp"),
    ("block_sparse_moe.experts.w1", "ffn_gate_exps"),
    ("block_sparse_moe.experts.w2", "ffn_down_exps"),
    ("block_sparse_moe.experts.w3", "ffn_up_exps"),
];

/// Finds a tensor's place.
///
/// # Errors
/// The name is not one that any of the families has.
pub(crate) fn place(family: &Family, name: &str) -> Result<Place, Error> {
    find_place(family, name).ok_or_else(|| {
        err!(
            Unsupported,
            "the tensor {name:?} of a {} model has no place in a GGUF file",
            family.model_type
        )
        .of_tensor(name)
    })
}

fn find_place(family: &Family, name: &str) -> Option<Place> {
    let (stem, suffix) = name.rsplit_once('.')?;
    if let Some(top) = find(&TOP, stem) {
        return Some(Place { name: format!("{top}.{suffix}"), index: None });
    }
    let in_layer = LAYERS
        .iter()
        .find_map(|prefix| stem.strip_prefix(prefix))
        .and_then(|rest| rest.split_once('.'));
    let (layer, part) = in_layer?;
    let (part, index) = take_number(part);
    let part = match part.as_str() {
        "post_attention_layernorm" => family.post_attention,
        part => find(&PARTS, part)?,
    };
    Some(Place { name: format!("blk.{layer}.{part}.{suffix}"), index })
}

fn find(table: &[(&str, &'static str)], key: &str) -> Option<&'static str> {
    table.iter().find(|(known, _)| *known == key).map(|(_, value)| *value)
}

/// `mlp.experts.3.up_proj` is number 3 of `mlp.experts.up_proj`.
fn take_number(part: &str) -> (String, Option<usize>) {
    let index = part.split('.').find_map(|piece| piece.parse().ok());
    let rest: Vec<&str> = part.split('.').filter(|piece| piece.parse::<usize>().is_err()).collect();
    (rest.join("."), index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_all_kinds_find_their_place() {
        let place_of = |family, name| {
            let place = place(Family::of(family).unwrap(), name).unwrap();
            (place.name, place.index)
        };
        assert_eq!(place_of("llama", "lm_head.weight"), ("output.weight".into(), None));
        assert_eq!(
            place_of("gpt2", "transformer.h.1.attn.c_proj.bias"),
            ("blk.1.attn_output.bias".into(), None)
        );
        assert_eq!(
            place_of("qwen3_moe", "model.layers.0.mlp.experts.7.up_proj.weight"),
            ("blk.0.ffn_up_exps.weight".into(), Some(7))
        );
        let post = "model.layers.0.post_attention_layernorm.weight";
        assert_eq!(place_of("llama", post).0, "blk.0.ffn_norm.weight");
        assert_eq!(place_of("olmo2", post).0, "blk.0.post_attention_norm.weight");
        let unknown = place(Family::of("llama").unwrap(), "vision.tower.weight");
        assert!(unknown.unwrap_err().to_string().contains("\"vision.tower.weight\" of a llama"));
    }
}
