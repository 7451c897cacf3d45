//! What the configuration classes of `transformers` do with a `config.json`: what they fill in,
//! what they read, and what they pass over. `classes.json` is written by
//! `tests/golden/configs/read_classes.py` from their source.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::{Map, Value};

/// The class of one `model_type`.
#[derive(Debug)]
pub(super) struct Class {
    /// The keys that it declares, with the value that an absent one has.
    pub(super) fields: Map<String, Value>,
    nullable: Vec<String>,
    reads: Vec<String>,
    unread: Vec<String>,
    renamed: Map<String, Value>,
    /// The base of its rope where the file does not say.
    pub(super) rope_theta: f64,
    /// The share of a head that its rope rotates where the file does not say.
    pub(super) rotated: f64,
    /// Whether its plain rope obeys a share at all.
    pub(super) partial: bool,
}

/// Read for every class: by the code that all models share, or by us where `transformers` asks the
/// caller.
const READ_FOR_ALL: &[&str] = &[
    "architectures",
    "id2label",
    "is_causal",
    "model_type",
    "num_labels",
    "per_layer_config",
    "quantization_config",
];

struct Classes {
    version: String,
    by_type: HashMap<String, Class>,
}

static CLASSES: LazyLock<Classes> = LazyLock::new(|| {
    // The file is part of the program; that it can be read is a test's matter.
    let text = include_str!("classes.json");
    let all: Value = serde_json::from_str(text).unwrap_or_default();
    let classes = all["classes"].as_object().into_iter().flatten();
    Classes {
        version: all["transformers"].as_str().unwrap_or_default().to_owned(),
        by_type: classes.map(|(name, class)| (name.clone(), Class::read(class))).collect(),
    }
});

/// The class of a `model_type`.
pub(super) fn class(model_type: &str) -> Option<&'static Class> {
    CLASSES.by_type.get(model_type)
}

/// Whether a configuration was written by a newer `transformers` than the one whose classes are
/// known here, so that its class may have learned to read further keys.
pub(super) fn is_newer(version: &str) -> bool {
    fn numbers(version: &str) -> Option<(u32, u32)> {
        let mut parts = version.split('.');
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    }
    matches!((numbers(version), numbers(&CLASSES.version)), (Some(a), Some(b)) if a > b)
}

impl Class {
    fn read(value: &Value) -> Self {
        let map = |key: &str| value[key].as_object().cloned().unwrap_or_default();
        let list = |key: &str| {
            let items = value[key].as_array().into_iter().flatten();
            items.filter_map(|v| Some(v.as_str()?.to_owned())).collect()
        };
        Self {
            fields: map("fields"),
            nullable: list("nullable"),
            reads: list("reads"),
            unread: list("unread"),
            renamed: map("renamed"),
            rope_theta: value["rope_theta"].as_f64().unwrap_or(10_000.0),
            rotated: value["rotated"].as_f64().unwrap_or(1.0),
            partial: value["partial"].as_bool().unwrap_or(false),
        }
    }

    /// Whether anything reads the key.
    pub(super) fn reads(&self, key: &str) -> bool {
        self.fields.contains_key(key)
            || self.reads.iter().any(|k| k == key)
            || READ_FOR_ALL.contains(&key)
    }

    /// Whether the class takes the key and nothing reads it.
    pub(super) fn leaves_unread(&self, key: &str) -> bool {
        self.unread.iter().any(|k| k == key)
    }

    /// Whether the class refuses the key with `null`.
    pub(super) fn refuses_null(&self, key: &str) -> bool {
        self.fields.contains_key(key) && !self.nullable.iter().any(|k| k == key)
    }

    /// The field that a key is another name for.
    pub(super) fn renamed(&self, key: &str) -> Option<&str> {
        self.renamed.get(key)?.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ModelSpec;

    #[test]
    fn every_supported_type_has_its_class() {
        for model_type in ModelSpec::supported() {
            let class = class(model_type).unwrap_or_else(|| panic!("{model_type}"));
            assert!(class.fields.contains_key("vocab_size"), "{model_type}");
        }
        let llama = class("llama").expect("llama");
        assert_eq!(llama.fields["rms_norm_eps"], 1e-6);
        assert!(llama.reads("rope_theta") && !llama.reads("sliding_window"));
        assert!(llama.leaves_unread("pretraining_tp") && llama.refuses_null("hidden_act"));
        assert_eq!(class("gpt2").expect("gpt2").renamed("hidden_size"), Some("n_embd"));
    }

    #[test]
    fn versions_are_compared_by_their_numbers() {
        assert!(is_newer("5.100.0") && is_newer("6.0.0.dev0"));
        assert!(!is_newer("5.24.1") && !is_newer("4.57.0") && !is_newer("") && !is_newer("main"));
    }
}
