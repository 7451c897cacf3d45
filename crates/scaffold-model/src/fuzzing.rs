//! What the fuzz target and the test over its corpus call. Not part of the interface.

use scaffold_formats::{ConfigJson, Gguf};

use crate::rope::RopeScaling;
use crate::spec::ModelSpec;

/// Reads arbitrary bytes as a configuration, or as the head of a GGUF file, of a model.
pub fn model_spec(data: &[u8]) {
    let spec = match ConfigJson::parse("fuzz.json", data) {
        Ok(config) => ModelSpec::from_config(&config),
        Err(_) => match Gguf::from_bytes("fuzz.gguf", data.to_vec()) {
            Ok(file) => ModelSpec::from_gguf(file.metadata()),
            Err(_) => return,
        },
    };
    let Ok(spec) = spec else { return };
    assert!(spec.attention.heads.is_multiple_of(spec.attention.kv_heads));
    for layer in &spec.layers {
        assert!(layer.rope.is_none_or(|rope| rope < spec.ropes.len()));
        assert_ne!(layer.window, Some(0));
    }
    for rope in &spec.ropes {
        assert!(rope.dims <= spec.attention.head_dim);
        // A GGUF file's lists come with its tensors.
        if matches!(&rope.scaling, RopeScaling::LongRope { short, .. } if short.is_empty()) {
            continue;
        }
        for length in [0, 1, spec.context, usize::MAX] {
            assert!(rope.frequencies(length).iter().all(|f| !f.is_nan()), "{rope:?}");
        }
    }
}
