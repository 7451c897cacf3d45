//! Tensor names that several families share, and those of GGUF files.

use crate::names::{Names, QkvRows, Slot, Table};

impl Names {
    /// No names yet.
    pub(crate) const EMPTY: Names = Names {
        tables: &[],
        prefixes: &[""],
        transposed: false,
        qkv_rows: QkvRows::Stacked,
        unused: &[],
    };

    /// Tables in the manner of Llama: the body's names under `model.`, or bare where only the body
    /// was saved.
    pub(super) const fn plain(tables: &'static [Table]) -> Names {
        Names { tables, prefixes: &["", "model."], unused: BUFFERS, ..Names::EMPTY }
    }
}

/// Buffers that old checkpoints carry along.
pub(super) const BUFFERS: &[&str] = &["rotary_emb.", ".attn.masked_bias"];

/// The names of Llama, which most families took over.
pub(super) const LLAMA: Table = &[
    (Slot::Embed, "embed_tokens"),
    (Slot::AttnNorm, "layers.{l}.input_layernorm"),
    (Slot::Query, "layers.{l}.self_attn.q_proj"),
    (Slot::Key, "layers.{l}.self_attn.k_proj"),
    (Slot::Value, "layers.{l}.self_attn.v_proj"),
    (Slot::QueryNorm, "layers.{l}.self_attn.q_norm"),
    (Slot::KeyNorm, "layers.{l}.self_attn.k_norm"),
    (Slot::AttnOut, "layers.{l}.self_attn.o_proj"),
    (Slot::MlpNorm, "layers.{l}.post_attention_layernorm"),
    (Slot::Gate, "layers.{l}.mlp.gate_proj"),
    (Slot::Up, "layers.{l}.mlp.up_proj"),
    (Slot::Down, "layers.{l}.mlp.down_proj"),
    (Slot::FinalNorm, "norm"),
    (Slot::Head, "lm_head"),
];

/// The experts of the Qwen MoE models and OLMoE.
pub(super) const EXPERTS: Table = &[
    (Slot::Router, "layers.{l}.mlp.gate"),
    (Slot::ExpertGate, "layers.{l}.mlp.experts.{e}.gate_proj"),
    (Slot::ExpertUp, "layers.{l}.mlp.experts.{e}.up_proj"),
    (Slot::ExpertDown, "layers.{l}.mlp.experts.{e}.down_proj"),
    (Slot::SharedGate, "layers.{l}.mlp.shared_expert.gate_proj"),
    (Slot::SharedUp, "layers.{l}.mlp.shared_expert.up_proj"),
    (Slot::SharedDown, "layers.{l}.mlp.shared_expert.down_proj"),
    (Slot::SharedRouter, "layers.{l}.mlp.shared_expert_gate"),
];

/// GGUF: one set of names for all architectures.
pub(super) const GGUF: Names = Names {
    tables: &[&[
        (Slot::Embed, "token_embd"),
        (Slot::Positions, "position_embd"),
        (Slot::TokenTypes, "token_types"),
        (Slot::EmbedNorm, "token_embd_norm"),
        (Slot::AttnNorm, "blk.{l}.attn_norm"),
        (Slot::Query, "blk.{l}.attn_q"),
        (Slot::Key, "blk.{l}.attn_k"),
        (Slot::Value, "blk.{l}.attn_v"),
        (Slot::Qkv, "blk.{l}.attn_qkv"),
        (Slot::QueryNorm, "blk.{l}.attn_q_norm"),
        (Slot::KeyNorm, "blk.{l}.attn_k_norm"),
        (Slot::AttnOut, "blk.{l}.attn_output"),
        (Slot::AttnOutNorm, "blk.{l}.post_attention_norm"),
        (Slot::AttnSumNorm, "blk.{l}.attn_output_norm"),
        (Slot::MlpNorm, "blk.{l}.ffn_norm"),
        (Slot::Gate, "blk.{l}.ffn_gate"),
        (Slot::Up, "blk.{l}.ffn_up"),
        // Where there is no gate tensor but a gate, `ffn_up` holds both; the loader sees it by the
        // shape.
        (Slot::GateUp, "blk.{l}.ffn_up"),
        (Slot::Down, "blk.{l}.ffn_down"),
        (Slot::MlpOutNorm, "blk.{l}.post_ffw_norm"),
        (Slot::MlpSumNorm, "blk.{l}.layer_output_norm"),
        (Slot::Router, "blk.{l}.ffn_gate_inp"),
        (Slot::ExpertGate, "blk.{l}.ffn_gate_exps"),
        (Slot::ExpertUp, "blk.{l}.ffn_up_exps"),
        (Slot::ExpertDown, "blk.{l}.ffn_down_exps"),
        // One tensor an expert, as in files from before April 2024.
        (Slot::ExpertGate, "blk.{l}.ffn_gate.{e}"),
        (Slot::ExpertUp, "blk.{l}.ffn_up.{e}"),
        (Slot::ExpertDown, "blk.{l}.ffn_down.{e}"),
        (Slot::SharedGate, "blk.{l}.ffn_gate_shexp"),
        (Slot::SharedUp, "blk.{l}.ffn_up_shexp"),
        (Slot::SharedDown, "blk.{l}.ffn_down_shexp"),
        (Slot::SharedRouter, "blk.{l}.ffn_gate_inp_shexp"),
        (Slot::FinalNorm, "output_norm"),
        (Slot::Head, "output"),
        (Slot::RopeFactors, "rope_freqs"),
        (Slot::RopeLongFactors, "rope_factors_long"),
        (Slot::RopeShortFactors, "rope_factors_short"),
        (Slot::ClassifierDense, "cls"),
        (Slot::ClassifierOut, "cls.output"),
    ]],
    ..Names::EMPTY
};
