//! Keys of a `config.json` that change nothing in what a model computes when it is run.

use serde_json::Value;

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
const PREFIXES: &[&str] = &[
    "_",
    "unsloth_",
    "summary_",
    "neftune_",
    "sbert_",
    "transformers.js",
    "use_flash_",
];

/// Endings.
const SUFFIXES: &[&str] = &[
    "_dropout",
    "dropout_prob",
    "_pdrop",
    "_token",
    "_token_id",
    "_token_ids",
    "dropout",
];

/// Whether a key that the family did not read may be passed over.
///
/// `null`, `false`, and empty lists and objects switch nothing on.
pub(super) fn is_harmless(key: &str, value: &Value) -> bool {
    let off = match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    };
    off || KEYS.contains(&key)
        || PREFIXES.iter().any(|p| key.starts_with(p))
        || SUFFIXES.iter().any(|s| key.ends_with(s))
}
