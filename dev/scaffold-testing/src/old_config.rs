//! Configurations in the style that most models on the Hub still have.

use std::path::Path;

use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::golden::TinyGolden;

impl TinyGolden {
    /// The same model in a directory of its own, with a `config.json` as `transformers` 4 wrote it:
    /// `torch_dtype` for `dtype`, `rope_theta`, `rope_scaling` and the like for `rope_parameters`.
    pub fn old_style(&self) -> TempDir {
        let dir =
            tempfile::tempdir().unwrap_or_else(|error| panic!("cannot make a directory: {error}"));
        for file in ["model.safetensors", "generation_config.json"] {
            copy_if_there(&self.dir.join(file), &dir.path().join(file));
        }
        let config = old_style(self.config().map());
        std::fs::write(dir.path().join("config.json"), format!("{:#}", Value::Object(config)))
            .unwrap_or_else(|error| panic!("cannot write a configuration: {error}"));
        dir
    }
}

fn copy_if_there(from: &Path, to: &Path) {
    if from.exists() {
        std::fs::copy(from, to)
            .unwrap_or_else(|error| panic!("cannot copy {}: {error}", from.display()));
    }
}

/// Rewrites a configuration in the style of `transformers` 5 into that of version 4.
pub fn old_style(new: &Map<String, Value>) -> Map<String, Value> {
    let mut old = Map::new();
    for (key, value) in new {
        match (key.as_str(), value) {
            ("dtype", dtype) => _ = old.insert("torch_dtype".to_owned(), dtype.clone()),
            ("rope_parameters", Value::Object(rope)) => old.extend(old_rope(new, rope)),
            // Both were derived from other keys when the configuration was read.
            ("layer_types", Value::Array(types)) => old.extend(old_layer_types(new, types)),
            // Version 5 keeps it only to read the old key.
            ("_sliding_window_pattern", _) => {}
            _ => _ = old.insert(key.clone(), value.clone()),
        }
    }
    old
}

fn old_rope(config: &Map<String, Value>, rope: &Map<String, Value>) -> Map<String, Value> {
    let mut old = Map::new();
    if let (Some(full), Some(sliding)) = (rope.get("full_attention"), rope.get("sliding_attention"))
    {
        let modern = config["model_type"] == "modernbert";
        let [full_key, sliding_key] = if modern {
            ["global_rope_theta", "local_rope_theta"]
        } else {
            ["rope_theta", "rope_local_base_freq"]
        };
        old.insert(full_key.to_owned(), full["rope_theta"].clone());
        old.insert(sliding_key.to_owned(), sliding["rope_theta"].clone());
        if !modern {
            old.insert("rope_scaling".to_owned(), scaling(full.as_object()));
        }
        return old;
    }
    let neox = config["model_type"] == "gpt_neox";
    let [theta, partial] = if neox {
        ["rotary_emb_base", "rotary_pct"]
    } else {
        ["rope_theta", "partial_rotary_factor"]
    };
    old.insert(theta.to_owned(), rope["rope_theta"].clone());
    if let Some(factor) = rope.get("partial_rotary_factor") {
        old.insert(partial.to_owned(), factor.clone());
    }
    old.insert("rope_scaling".to_owned(), scaling(Some(rope)));
    old
}

/// `rope_scaling`: nothing for the plain rope, else its type and own keys.
fn scaling(rope: Option<&Map<String, Value>>) -> Value {
    let Some(rope) = rope.filter(|rope| rope["rope_type"] != "default") else {
        return Value::Null;
    };
    let mut scaling = rope.clone();
    scaling.retain(|key, _| !["rope_theta", "partial_rotary_factor"].contains(&key.as_str()));
    Value::Object(scaling)
}

fn old_layer_types(config: &Map<String, Value>, types: &[Value]) -> Map<String, Value> {
    let mut old = Map::new();
    let period = types.iter().position(|kind| kind == "full_attention");
    match config["model_type"].as_str() {
        // Layers 0, 3, 6… are global.
        Some("modernbert") => {
            let next = types.iter().skip(1).position(|kind| kind == "full_attention");
            old.insert(
                "global_attn_every_n_layers".to_owned(),
                json!(next.map_or(types.len(), |next| next + 1)),
            );
        }
        Some("gemma3_text") => {
            old.insert(
                "sliding_window_pattern".to_owned(),
                json!(period.map_or(types.len(), |period| period + 1)),
            );
        }
        // `max_window_layers` and fixed patterns say it already.
        _ => {}
    }
    old
}

#[cfg(test)]
mod tests {
    use scaffold_formats::ConfigJson;

    use crate::golden::tiny;

    fn old(name: &str) -> ConfigJson {
        let dir = tiny(name).old_style();
        ConfigJson::open(dir.path()).unwrap()
    }

    #[test]
    fn keys_are_renamed_and_nothing_else_changes() {
        let new = tiny("llama3_rope").config();
        let old = old("llama3_rope");
        let root = old.root();
        assert_eq!(root.get_str("torch_dtype").unwrap(), Some("float32"));
        assert_eq!(root.get_f32("rope_theta").unwrap(), Some(500_000.0));
        let scaling = root.get_object("rope_scaling").unwrap().unwrap();
        assert_eq!(scaling.get_f32("high_freq_factor").unwrap(), Some(4.0));
        assert!(scaling.get("rope_theta").is_none() && root.get("rope_parameters").is_none());
        assert_eq!(root.get("hidden_size"), new.root().get("hidden_size"));
    }

    #[test]
    fn families_have_their_own_old_keys() {
        assert!(old("llama").root().get("rope_scaling").is_none());
        assert_eq!(old("gpt_neox").root().get_f32("rotary_pct").unwrap(), Some(0.25));
        assert_eq!(old("stablelm").root().get_f32("partial_rotary_factor").unwrap(), Some(0.25));
        assert_eq!(
            old("gemma3_linear_rope").root().get_f32("rope_local_base_freq").unwrap(),
            Some(10_000.0)
        );
        assert_eq!(
            old("gemma3_linear_rope").root().get_usize("sliding_window_pattern").unwrap(),
            Some(3)
        );
        let modern = old("modernbert");
        assert_eq!(modern.root().get_usize("global_attn_every_n_layers").unwrap(), Some(3));
        assert_eq!(modern.root().get_f32("global_rope_theta").unwrap(), Some(160_000.0));
    }
}
