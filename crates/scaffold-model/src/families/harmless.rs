//! Keys of a `config.json` that change nothing in what a model computes when it is run, and are
//! known not to.

use serde_json::Value;

/// Notes of published models of one family, by its name: `transformers` reads none of them for it.
const NOTES: &[(&str, &[&str])] = &[
    (
        "bert",
        &[
            "directionality",
            "emb_size",
            "pooler_fc_size",
            "pooler_num_attention_heads",
            "pooler_num_fc_layers",
            "pooler_size_per_head",
            "pooler_type",
        ],
    ),
    (
        "cohere2",
        &[
            "layer_switch",
            "order_of_interleaved_layers",
            "rotary_pct",
            "use_embedding_sharing",
            "use_gated_activation",
            "use_parallel_block",
            "use_parallel_embedding",
        ],
    ),
    ("gemma2", &["hidden_act"]),
    ("gemma3", &["hidden_act"]),
    ("gpt2", &["n_ctx", "n_special", "predict_special_tokens", "num_key_value_heads"]),
    ("gpt_neox", &["partial_rotary_factor", "rope_theta"]),
    (
        "modernbert",
        &[
            "repad_logits_with_grad",
            "sparse_prediction",
            "sparse_pred_ignore_index",
            "sliding_window",
        ],
    ),
    ("qwen2", &["qkv_bias"]),
    ("qwen3_moe", &["max_window_layers"]),
    ("smollm3", &["max_window_layers"]),
    (
        "starcoder2",
        &[
            "activation_function",
            "attention_softmax_in_fp32",
            "layer_norm_epsilon",
            "scale_attention_softmax_in_fp32",
            "scale_attn_weights",
            "use_sliding_window",
        ],
    ),
    ("xlm-roberta", &["export_model_type"]),
];

/// Notes that change nothing as long as they say this.
const SETTLED: &[(&str, &str)] = &[
    ("full_attn_mod", "1"),
    ("interpolate_factor", "1"),
    ("mlp_type", "\"default\""),
    ("norm_type", "\"layer_norm\""),
    ("position_embedding_type", "\"absolute\""),
    ("position_embedding_type", "\"rope_gptj\""),
];

/// Names as they are.
const KEYS: &[&str] = &[
    "architectures",
    "attn_implementation",
    "auto_map",
    "chunk_size_feed_forward",
    "classifier_dropout",
    "cls_token_id",
    "dtype",
    "eos_token_id",
    "finetuning_task",
    "id2label",
    "initializer_factor",
    "initializer_range",
    "is_composition",
    "is_encoder_decoder",
    // SmolLM2 and the tokenizer-side lengths of early Llamas.
    "is_llama_config",
    "max_sequence_length",
    "keys_to_ignore_at_inference",
    "label2id",
    "kv_cache_dtype",
    "language",
    "license",
    "max_length",
    "model_max_length",
    "model_name",
    "model_type",
    "name_or_path",
    "no_repeat_ngram_size",
    "num_labels",
    "num_return_sequences",
    "prefix",
    "pretraining_tp",
    "problem_type",
    "sep_token_id",
    "sentence_transformers",
    "task_specific_params",
    "temperature",
    "tokenizer_class",
    "top_k",
    "top_p",
    "torch_dtype",
    "torchscript",
    "transformers_version",
    "typical_p",
    "use_cache",
    "use_bfloat16",
    "vocab_size_pre_padding",
    // Training.
    "gradient_checkpointing",
    "output_attentions",
    "output_hidden_states",
    "output_past",
    "output_router_logits",
    "output_scores",
    "return_dict",
    "router_aux_loss_coef",
    "router_jitter_noise",
    "router_z_loss_coef",
    "z_loss_weight",
    "z_loss_multiplier",
    // Generation settings of old configs.
    "bad_words_ids",
    "cache_implementation",
    "begin_suppress_tokens",
    "decoder_start_token_id",
    "diversity_penalty",
    "do_sample",
    "early_stopping",
    "encoder_no_repeat_ngram_size",
    "exponential_decay_length_penalty",
    "forced_bos_token_id",
    "forced_eos_token_id",
    "length_penalty",
    "min_length",
    "num_beam_groups",
    "num_beams",
    "remove_invalid_values",
    "repetition_penalty",
    "suppress_tokens",
    "tf_legacy_loss",
    "tie_encoder_decoder",
    "tie_weights_",
    "pruned_heads",
];

/// Beginnings.
const PREFIXES: &[&str] =
    &["_", "unsloth_", "summary_", "neftune_", "sbert_", "transformers.js", "use_flash_"];

/// Endings.
const SUFFIXES: &[&str] =
    &["_dropout", "dropout_prob", "_pdrop", "_token", "_token_id", "_token_ids", "dropout"];

/// Whether a key that the family did not read may be passed over without a word.
///
/// `null`, `false`, and empty lists and objects switch nothing on.
pub(super) fn is_harmless(family: &str, key: &str, value: &Value) -> bool {
    let off = match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    };
    let noted = NOTES.iter().filter(|(of, _)| *of == family);
    off || KEYS.contains(&key)
        || PREFIXES.iter().any(|p| key.starts_with(p))
        || SUFFIXES.iter().any(|s| key.ends_with(s))
        || noted.flat_map(|(_, keys)| *keys).any(|k| *k == key)
        || SETTLED.contains(&(key, value.to_string().as_str()))
}
