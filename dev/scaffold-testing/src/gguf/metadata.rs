//! Configuration keys as GGUF metadata.

use scaffold_formats::write::{GgufWriter, MetadataValue};
use scaffold_formats::{BlockType, ConfigJson, ConfigObject, Error};

use super::family::Family;

/// Readers of a configuration that is known to be right: anything else fails the test.
pub(super) struct Config<'a> {
    pub(super) root: ConfigObject<'a>,
    pub(super) rope: Option<ConfigObject<'a>>,
}

fn known<T>(value: Result<T, Error>) -> T {
    value.unwrap_or_else(|error| panic!("{error}"))
}

impl<'a> Config<'a> {
    pub(super) fn new(config: &'a ConfigJson) -> Self {
        let root = config.root();
        let rope = known(root.get_object("rope_parameters"));
        // Where layers have ropes of two kinds, the global one is the model's.
        let global = rope.as_ref().and_then(|rope| known(rope.get_object("full_attention")));
        Self { rope: global.or(rope), root }
    }

    /// The first of several names for one thing that is there.
    pub(super) fn size(&self, keys: &[&str]) -> Option<usize> {
        keys.iter().find_map(|key| known(self.root.get_usize(key)))
    }

    pub(super) fn heads(&self) -> usize {
        self.size(&["num_attention_heads", "n_head"])
            .unwrap_or_else(|| panic!("no number of heads"))
    }

    pub(super) fn kv_heads(&self) -> usize {
        self.size(&["num_key_value_heads"]).unwrap_or_else(|| self.heads())
    }

    fn hidden(&self) -> usize {
        self.size(&["hidden_size", "n_embd"]).unwrap_or_else(|| panic!("no hidden size"))
    }

    pub(super) fn head_dim(&self) -> usize {
        self.size(&["head_dim"]).unwrap_or_else(|| self.hidden() / self.heads())
    }

    fn layers(&self) -> usize {
        self.size(&["num_hidden_layers", "n_layer"])
            .unwrap_or_else(|| panic!("no number of layers"))
    }

    fn float(&self, keys: &[&str]) -> Option<f32> {
        keys.iter().find_map(|key| known(self.root.get_f32(key)))
    }

    pub(super) fn rope_type(&self) -> &str {
        self.rope.as_ref().and_then(|rope| known(rope.get_str("rope_type"))).unwrap_or("default")
    }

    pub(super) fn rope_float(&self, key: &str) -> Option<f32> {
        self.rope.as_ref().and_then(|rope| known(rope.get_f32(key)))
    }

    pub(super) fn rope_floats(&self, key: &str) -> Option<Vec<f32>> {
        self.rope.as_ref().and_then(|rope| known(rope.get_f32s(key)))
    }

    fn rope_size(&self, key: &str) -> Option<usize> {
        self.rope.as_ref().and_then(|rope| known(rope.get_usize(key)))
    }

    /// How far beyond its original context a longrope model reaches.
    fn stretch(&self) -> f32 {
        let context = self.size(&["max_position_embeddings"]).unwrap_or(1) as f32;
        context / self.original_context() as f32
    }

    fn original_context(&self) -> usize {
        let in_rope = self.rope_size("original_max_position_embeddings");
        in_rope.or_else(|| self.size(&["original_max_position_embeddings"])).unwrap_or(1)
    }
}

/// Sets keys under the architecture's prefix, where there is a value.
struct Keys<'a, 'w> {
    writer: &'a mut GgufWriter<'w>,
    arch: &'static str,
}

impl Keys<'_, '_> {
    fn set(&mut self, key: &str, value: Option<impl Into<MetadataValue>>) {
        if let Some(value) = value {
            self.writer.set(&format!("{}.{key}", self.arch), value);
        }
    }

    fn size(&mut self, key: &str, value: Option<usize>) {
        self.set(key, value.map(|value| value as u32));
    }
}

/// What `general.file_type` calls files of a type.
fn file_type(ty: BlockType) -> u32 {
    match ty {
        BlockType::F32 => 0,
        BlockType::F16 => 1,
        BlockType::Q4_0 => 2,
        BlockType::Q4_1 => 3,
        BlockType::Q8_0 => 7,
        BlockType::Q5_0 => 8,
        BlockType::Q5_1 => 9,
        BlockType::BF16 => 32,
        other => panic!("no file type for {other}"),
    }
}

pub(super) fn write(
    writer: &mut GgufWriter<'_>,
    family: &Family,
    config: &Config<'_>,
    ty: BlockType,
) {
    writer.set("general.architecture", family.arch).set("general.type", "model");
    writer.set("general.file_type", file_type(ty)).set("general.quantization_version", 2_u32);
    let mut keys = Keys { writer, arch: family.arch };
    sizes(&mut keys, family, config);
    rope(&mut keys, family, config);
    experts(&mut keys, config);
    scales(&mut keys, family, config);
    windows(&mut keys, family, config);
}

fn sizes(keys: &mut Keys<'_, '_>, family: &Family, config: &Config<'_>) {
    keys.size("block_count", Some(config.layers()));
    keys.size("context_length", config.size(&["max_position_embeddings", "n_positions"]));
    keys.size("embedding_length", Some(config.hidden()));
    let inner = config.size(&["intermediate_size", "n_inner"]);
    keys.size("feed_forward_length", Some(inner.unwrap_or(4 * config.hidden())));
    keys.size("attention.head_count", Some(config.heads()));
    keys.size("attention.head_count_kv", family.kv_heads.then(|| config.kv_heads()));
    // Granite has heads of the usual size whatever the configuration says.
    let head_dim = config.size(&["head_dim"]);
    keys.size("attention.key_length", head_dim);
    keys.size("attention.value_length", head_dim);
    keys.size("vocab_size", family.llama_keys.then(|| config.size(&["vocab_size"])).flatten());
    keys.set("attention.layer_norm_rms_epsilon", config.float(&["rms_norm_eps"]));
    keys.set(
        "attention.layer_norm_epsilon",
        config.float(&["layer_norm_eps", "layer_norm_epsilon", "norm_epsilon"]),
    );
    keys.set("use_parallel_residual", known(config.root.get_bool("use_parallel_residual")));
}

fn rope(keys: &mut Keys<'_, '_>, family: &Family, config: &Config<'_>) {
    let partial = config.rope_float("partial_rotary_factor").unwrap_or(1.0);
    let rotated = (partial * config.head_dim() as f32) as usize;
    keys.size(
        "rope.dimension_count",
        (family.llama_keys || family.partial_rope).then_some(rotated),
    );
    if family.rope_base {
        keys.set("rope.freq_base", config.rope_float("rope_theta"));
    }
    let sliding = known(config.root.get_object("rope_parameters"))
        .and_then(|rope| known(rope.get_object("sliding_attention")));
    keys.set("rope.freq_base_swa", sliding.and_then(|rope| known(rope.get_f32("rope_theta"))));
    if family.arch == "phi3" {
        keys.size("rope.scaling.original_context_length", Some(config.original_context()));
    }
    if matches!(family.arch, "command-r" | "cohere2") {
        keys.set("rope.scaling.type", Some("none"));
    }
    match config.rope_type() {
        kind @ ("linear" | "yarn") => {
            keys.set("rope.scaling.type", Some(kind));
            keys.set("rope.scaling.factor", config.rope_float("factor"));
            if kind == "yarn" {
                keys.size("rope.scaling.original_context_length", Some(config.original_context()));
                keys.set("rope.scaling.yarn_attn_factor", config.rope_float("attention_factor"));
                keys.set("rope.scaling.yarn_beta_fast", config.rope_float("beta_fast"));
                keys.set("rope.scaling.yarn_beta_slow", config.rope_float("beta_slow"));
            }
        }
        "longrope" => {
            let original = config.original_context() as f32;
            keys.set(
                "rope.scaling.attn_factor",
                Some((1.0 + config.stretch().ln() / original.ln()).sqrt()),
            );
        }
        // Factors per frequency stand in a tensor.
        "default" | "llama3" => {}
        other => panic!("GGUF cannot say that the rope is of type {other:?}"),
    }
}

fn experts(keys: &mut Keys<'_, '_>, config: &Config<'_>) {
    keys.size("expert_count", config.size(&["num_local_experts", "num_experts"]));
    keys.size("expert_used_count", config.size(&["num_experts_per_tok"]));
    keys.size("expert_feed_forward_length", config.size(&["moe_intermediate_size"]));
    keys.size(
        "expert_shared_feed_forward_length",
        config.size(&["shared_expert_intermediate_size"]),
    );
}

fn scales(keys: &mut Keys<'_, '_>, family: &Family, config: &Config<'_>) {
    keys.set("attention.scale", config.float(&["attention_multiplier"]));
    keys.set("embedding_scale", config.float(&["embedding_multiplier"]));
    keys.set("residual_scale", config.float(&["residual_multiplier"]));
    keys.set("logit_scale", config.float(&["logits_scaling", "logit_scale"]));
    keys.set("attn_logit_softcapping", config.float(&["attn_logit_softcapping"]));
    keys.set("final_logit_softcapping", config.float(&["final_logit_softcapping"]));
    // Below: what the converter leaves out, in keys that the format has for it.
    let usual = config.head_dim();
    let scalar = config.size(&["query_pre_attn_scalar"]).filter(|&scalar| scalar != usual);
    keys.set("attention.scale", scalar.map(|scalar| (scalar as f32).sqrt().recip()));
    keys.set("attention.clamp_kqv", config.float(&["clip_qkv"]));
    let normed = known(config.root.get_bool("norm_topk_prob"));
    keys.set("expert_weights_norm", normed.filter(|&normed| normed && family.arch == "olmoe"));
}

fn windows(keys: &mut Keys<'_, '_>, family: &Family, config: &Config<'_>) {
    let off = known(config.root.get_bool("use_sliding_window")) == Some(false);
    let window = config.size(&["sliding_window"]).filter(|_| !off);
    // Phi 3 says zero where there is none.
    keys.size("attention.sliding_window", window.or((family.arch == "phi3").then_some(0)));
    // The converter writes none of what follows for these families: readers have a fixed pattern
    // for each.
    let kinds =
        known(config.root.get_strs("layer_types")).filter(|_| window.is_some()).unwrap_or_default();
    let sliding: Vec<bool> = kinds.iter().map(|kind| *kind == "sliding_attention").collect();
    if !sliding.is_empty() && family.arch != "gemma2" {
        keys.set("attention.sliding_window_pattern", Some(sliding.as_slice()));
    }
}
