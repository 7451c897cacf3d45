use serde_json::{Map, Value, json};

use crate::{ModelError, ModelSpec, RopeScaling};

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

fn spec(extra: &Value) -> Result<ModelSpec, ModelError> {
    ModelSpec::from_map(config(extra), &[])
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
    assert!(matches!(
        old.ropes[0].scaling,
        RopeScaling::Llama3 { original: 128, .. }
    ));
}

#[test]
fn an_unknown_key_is_refused_by_name() {
    let message = refusal(&json!({"residual_gate": 0.5}));
    assert!(message.contains("`residual_gate` = 0.5"), "{message}");
    // Nothing is switched on by these.
    spec(&json!({"residual_gate": null, "use_residual_gate": false, "gates": []}))
        .expect("harmless");
    // Said to be a note.
    ModelSpec::from_map(config(&json!({"note": "mine"})), &["note".to_owned()])
        .expect("ignored by name");
}

#[test]
fn an_unknown_rope_setting_is_refused_by_name() {
    let message =
        refusal(&json!({"rope_scaling": {"type": "linear", "factor": 2.0, "wobble": 1.0}}));
    assert!(message.contains("`rope_scaling.wobble`"), "{message}");
    let message = refusal(&json!({"rope_scaling": {"type": "spiral", "factor": 2.0}}));
    assert!(
        message.contains("\"spiral\"") && message.contains("yarn"),
        "{message}"
    );
}

#[test]
fn quantized_checkpoints_are_refused() {
    let message = refusal(&json!({"quantization_config": {"quant_method": "gptq", "bits": 4}}));
    assert!(message.contains("quantization_config"), "{message}");
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
        json!({"layer_types": ["full_attention"]}),
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
    assert_eq!(
        (spec.ropes[1].base, &spec.ropes[1].scaling),
        (10_000.0, &RopeScaling::None)
    );
}
