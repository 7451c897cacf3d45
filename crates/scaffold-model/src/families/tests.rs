use serde_json::{Map, Value, json};

use crate::{Error, ModelSpec, RopeScaling, UnknownKeys};

fn config(extra: &Value) -> Map<String, Value> {
    let mut map = json!({
        "model_type": "llama", "vocab_size": 512, "hidden_size": 64, "intermediate_size": 128,
        "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
        "max_position_embeddings": 256, "rms_norm_eps": 1e-5
    });
    let map = map.as_object_mut().expect("an object");
    map.extend(extra.as_object().expect("an object").clone());
    map.clone()
}

fn spec(extra: &Value) -> Result<ModelSpec, Error> {
    ModelSpec::from_map(config(extra), UnknownKeys::Refuse)
}

fn refusal(extra: &Value) -> String {
    spec(extra).expect_err("it is refused").to_string()
}

#[test]
fn both_styles_of_rope_settings_mean_the_same() {
    let old = spec(&json!({
        "rope_theta": 500000.0, "torch_dtype": "bfloat16",
        "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                         "original_max_position_embeddings": 128}
    }));
    let new = spec(&json!({
        "dtype": "bfloat16",
        "rope_parameters": {"rope_theta": 500000.0, "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
                            "high_freq_factor": 4.0, "original_max_position_embeddings": 128}
    }));
    let (old, new) = (old.expect("old style"), new.expect("new style"));
    assert_eq!(old.ropes, new.ropes);
    assert!(matches!(old.ropes[0].scaling, RopeScaling::Llama3 { original: 128, .. }));
}

#[test]
fn a_window_that_is_left_out_is_not_one_that_is_null() {
    let window = |extra| spec(&extra).expect("a window").layers[0].window;
    assert_eq!(window(json!({"model_type": "mistral"})), Some(4096));
    assert_eq!(window(json!({"model_type": "mistral", "sliding_window": null})), None);
    assert_eq!(
        window(json!({"model_type": "mixtral", "num_local_experts": 2, "num_experts_per_tok": 1})),
        None
    );
}

#[test]
fn scaled_ropes_reach_further() {
    let context = |scaling| spec(&json!({ "rope_scaling": scaling })).expect("a rope").context;
    assert_eq!(context(json!({"type": "linear", "factor": 4.0})), 1024);
    assert_eq!(
        context(json!({"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 256})),
        1024
    );
    // It says already how far it reaches.
    assert_eq!(
        context(json!({"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64})),
        256
    );
    assert_eq!(context(json!(null)), 256);
}

#[test]
fn a_key_that_nothing_reads_changes_nothing_and_is_told() {
    // Written by the software that the classes are known of, or by nobody who says more.
    let told = |extra| spec(&extra).expect("nothing reads it").passed_over;
    assert_eq!(told(json!({"residual_gate": 0.5})), ["residual_gate"]);
    assert_eq!(
        told(json!({"residual_gate": 0.5, "transformers_version": "4.40.0"})),
        ["residual_gate"]
    );
    assert_eq!(
        told(json!({"rope_scaling": {"type": "linear", "factor": 2.0, "wobble": 1.0}})),
        ["rope_scaling.wobble"]
    );
    // Nothing is switched on by these, and the others are known not to matter.
    let nothing: [&str; 0] = [];
    assert_eq!(
        told(json!({"residual_gate": null, "use_residual_gate": false, "gates": []})),
        nothing
    );
    assert_eq!(
        told(json!({"torch_dtype": "float16", "pretraining_tp": 2, "use_cache": true})),
        nothing
    );
}

#[test]
fn a_key_that_other_code_may_read_is_refused_by_name() {
    let own_code = json!({"AutoModelForCausalLM": "modeling.Gated"});
    for extra in [
        json!({"residual_gate": 0.5, "auto_map": own_code}),
        json!({"residual_gate": 0.5, "transformers_version": "99.1.0"}),
        json!({"rope_scaling": {"type": "linear", "factor": 2.0, "residual_gate": 0.5},
               "transformers_version": "99.1.0"}),
    ] {
        let message = refusal(&extra);
        assert!(message.contains("residual_gate` = 0.5"), "{message}");
        assert!(message.contains("SCAFFOLD_UNKNOWN_KEYS"), "{message}");
        let spec = ModelSpec::from_map(config(&extra), UnknownKeys::PassOver).expect("on demand");
        assert_eq!(spec.passed_over.len(), 1, "{extra}");
    }
    // Its own code, but nothing that is not known.
    spec(&json!({"auto_map": own_code, "mlp_bias": false})).expect("nothing unknown");
}

#[test]
fn an_unknown_kind_of_rope_is_refused_by_name() {
    let message = refusal(&json!({"rope_scaling": {"type": "spiral", "factor": 2.0}}));
    assert!(message.contains("\"spiral\"") && message.contains("yarn"), "{message}");
}

#[test]
fn quantized_checkpoints_are_refused() {
    let message = refusal(&json!({"quantization_config": {"quant_method": "gptq", "bits": 4}}));
    assert!(message.contains("quantization_config"), "{message}");
    assert!(message.contains("GGUF") && !message.contains("SCAFFOLD_UNKNOWN_KEYS"), "{message}");
}

#[test]
fn an_unknown_architecture_names_the_supported_ones() {
    let message = refusal(&json!({"model_type": "mamba"}));
    for name in ["`mamba`", "llama", "gemma2", "bert"] {
        assert!(message.contains(name), "{message}");
    }
}

#[test]
fn impossible_sizes_are_refused() {
    for extra in [
        json!({"num_key_value_heads": 3}),
        json!({"hidden_size": 0}),
        json!({"hidden_size": -1}),
        json!({"num_hidden_layers": 1_000_000_000u64}),
        json!({"head_dim": 7}),
        json!({"rope_theta": 0.5}),
        json!({"model_type": "qwen2", "layer_types": ["full_attention"]}),
        json!({"model_type": "mixtral", "num_local_experts": 2, "num_experts_per_tok": 3}),
    ] {
        refusal(&extra);
    }
}

#[test]
fn gemma3_alternates_windows_and_ropes() {
    let spec = spec(&json!({
        "model_type": "gemma3_text", "num_hidden_layers": 7, "sliding_window": 8, "sliding_window_pattern": 6,
        "rope_theta": 1_000_000.0, "rope_local_base_freq": 10_000.0, "query_pre_attn_scalar": 16,
        "rope_scaling": {"rope_type": "linear", "factor": 8.0}
    }))
    .expect("gemma3");
    let windows: Vec<_> = spec.layers.iter().map(|l| l.window.is_some()).collect();
    assert_eq!(windows, [true, true, true, true, true, false, true]);
    assert_eq!(spec.ropes[0].scaling, RopeScaling::Linear { factor: 8.0 });
    assert_eq!((spec.ropes[1].base, &spec.ropes[1].scaling), (10_000.0, &RopeScaling::None));
}

/// Keys as they stand in published configurations, beside the ones that every configuration has.
#[test]
fn published_configurations_are_understood() {
    for extra in [
        // SmolLM2.
        json!({"is_llama_config": true, "rope_interleaved": false, "rope_theta": 100_000, "pretraining_tp": 1,
               "transformers.js_config": {"kv_cache_dtype": {"q4f16": "float16"}}, "attention_bias": false,
               "mlp_bias": false, "rope_scaling": null, "torch_dtype": "bfloat16", "use_cache": true}),
        // Llama 3.2.
        json!({"eos_token_id": [128_001, 128_008], "head_dim": 16, "tie_word_embeddings": true,
               "rope_scaling": {"factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
                                "original_max_position_embeddings": 8192, "rope_type": "llama3"}}),
        // Mixtral.
        json!({"model_type": "mixtral", "num_experts_per_tok": 2, "num_local_experts": 8, "sliding_window": null,
               "output_router_logits": false, "router_aux_loss_coef": 0.02}),
        // Qwen 2.5, made longer by hand as its model card says.
        json!({"model_type": "qwen2", "max_window_layers": 70, "sliding_window": 131_072, "use_sliding_window": false,
               "rope_scaling": {"factor": 4.0, "original_max_position_embeddings": 32768, "type": "yarn"}}),
        // Qwen 1.5 MoE and Qwen 3 MoE.
        json!({"model_type": "qwen2_moe", "decoder_sparse_step": 1, "moe_intermediate_size": 32, "num_experts": 60,
               "num_experts_per_tok": 4, "norm_topk_prob": false, "shared_expert_intermediate_size": 64,
               "max_window_layers": 21, "sliding_window": 32768, "use_sliding_window": false}),
        json!({"model_type": "qwen3_moe", "decoder_sparse_step": 1, "mlp_only_layers": [], "num_experts": 128,
               "moe_intermediate_size": 32, "num_experts_per_tok": 8, "norm_topk_prob": true, "head_dim": 16}),
        // Gemma 1 and 2.
        json!({"model_type": "gemma", "hidden_act": "gelu", "hidden_activation": null, "head_dim": 16}),
        json!({"model_type": "gemma2", "hidden_act": "gelu_pytorch_tanh", "hidden_activation": "gelu_pytorch_tanh",
               "attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0, "query_pre_attn_scalar": 16,
               "cache_implementation": "hybrid", "sliding_window": 4096}),
        // Phi 4 mini.
        json!({"model_type": "phi3", "full_attn_mod": 1, "interpolate_factor": 1, "lm_head_bias": false,
               "auto_map": {"AutoConfig": "configuration_phi3.Phi3Config"}, "partial_rotary_factor": 0.75,
               "original_max_position_embeddings": 64, "sliding_window": 262_144,
               "rope_scaling": {"type": "longrope", "long_factor": [1, 2, 3, 4, 5, 6], "short_factor": [1, 1, 1, 1, 1, 1]}}),
        // SmolLM3.
        json!({"model_type": "smollm3", "max_window_layers": 28, "no_rope_layer_interval": 4, "no_rope_layers": [1, 0],
               "layer_types": ["full_attention", "full_attention"], "pretraining_tp": 2, "sliding_window": null}),
        // Command R.
        json!({"model_type": "cohere", "layer_norm_eps": 1e-5, "rms_norm_eps": null, "logit_scale": 0.0625,
               "model_max_length": 131_072, "use_qk_norm": false, "attention_bias": false}),
        // Command R7B.
        json!({"model_type": "cohere2", "layer_switch": 4, "order_of_interleaved_layers": "local_attn_first",
               "position_embedding_type": "rope_gptj", "rotary_pct": 1.0, "sliding_window": 4096, "logit_scale": 0.25,
               "sliding_window_pattern": 4, "use_embedding_sharing": true, "use_gated_activation": true,
               "use_parallel_block": true, "use_parallel_embedding": true, "cache_implementation": "hybrid",
               "rms_norm_eps": null, "layer_norm_eps": 1e-5}),
        // Pythia.
        json!({"model_type": "gpt_neox", "rotary_emb_base": 10000, "rotary_pct": 0.25, "use_parallel_residual": true,
               "num_key_value_heads": null, "layer_norm_eps": 1e-5, "rms_norm_eps": null}),
        // BGE-M3, a reranker of sentence-transformers, ModernBERT.
        json!({"model_type": "xlm-roberta", "output_past": true, "position_embedding_type": "absolute",
               "num_key_value_heads": null, "pad_token_id": 1, "type_vocab_size": 1, "hidden_act": "gelu"}),
        json!({"model_type": "bert", "sbert_ce_default_activation_function": "torch.nn.modules.linear.Identity",
               "sentence_transformers": {"version": "4.1.0"}, "gradient_checkpointing": false, "hidden_act": "gelu",
               "num_key_value_heads": null}),
        json!({"model_type": "modernbert", "norm_eps": 1e-5, "layer_norm_eps": 1e-5, "rms_norm_eps": null,
               "global_attn_every_n_layers": 3, "local_attention": 128, "global_rope_theta": 160_000.0,
               "local_rope_theta": 10000.0, "deterministic_flash_attn": false, "reference_compile": null,
               "repad_logits_with_grad": false, "sparse_pred_ignore_index": -100, "sparse_prediction": false,
               "classifier_activation": "gelu", "classifier_pooling": "mean", "decoder_bias": true,
               "hidden_activation": "gelu", "initializer_cutoff_factor": 2.0, "num_key_value_heads": null,
               "position_embedding_type": "absolute", "embedding_dropout": 0.0, "norm_bias": false}),
    ] {
        spec(&extra).unwrap_or_else(|e| panic!("{extra}: {e}"));
    }
}
