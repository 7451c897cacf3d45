//! Tiny models as GGUF files, as llama.cpp's own converter would write them.
//!
//! `tests/golden/gguf_files.json` lists what that converter wrote for the same models; a test here
//! compares names, types, metadata and the bytes of every tensor. Beyond it, a few keys say what
//! the converter leaves out and the format has a key for: the sliding windows of llama, qwen2 and
//! starcoder2, which layers slide, the scale of Gemma 3's attention where it is not the usual one,
//! and OLMoE's clipping and normalised expert weights.

mod family;
mod metadata;
mod names;
mod reorder;

use std::collections::BTreeMap;
use std::path::Path;

pub use scaffold_formats::BlockType;
use scaffold_formats::Tensor;
use scaffold_formats::write::GgufWriter;
use scaffold_kernels::dequantize;

use crate::golden::TinyGolden;
use family::Family;
use metadata::Config;
use reorder::Array;

impl TinyGolden {
    /// Why a decoder cannot be written as GGUF; `None` where it can.
    pub fn gguf_lacks(&self) -> Option<&'static str> {
        (Config::new(&self.config()).rope_type() == "dynamic").then_some("GGUF has no dynamic rope")
    }

    /// Writes a decoder as a GGUF file, its matrices as `ty` (F32, F16, BF16, Q8_0 or another that
    /// can be written).
    ///
    /// # Panics
    /// The model cannot be written; [`gguf_lacks`](Self::gguf_lacks) tells beforehand.
    pub fn write_gguf(&self, path: &Path, ty: BlockType) {
        let config = self.config();
        let config = Config::new(&config);
        let model_type =
            config.root.require_str("model_type").unwrap_or_else(|error| panic!("{error}"));
        let family = Family::of(model_type);
        let mut writer = GgufWriter::new();
        metadata::write(&mut writer, family, &config, ty);
        let arrays = arrays(self, family, &config).into_iter().chain(rope_factors(&config));
        for (name, array) in arrays {
            let ty = stored_type(&name, &array, ty);
            writer
                .add_f32(&name, ty, &array.shape, &array.values)
                .unwrap_or_else(|error| panic!("{}: {error}", self.name));
        }
        writer.write(path).unwrap_or_else(|error| panic!("{error}"));
    }
}

/// All tensors under their GGUF names, experts and norms per head stacked.
fn arrays(golden: &TinyGolden, family: &Family, config: &Config<'_>) -> BTreeMap<String, Array> {
    let weights = golden.weights();
    let mut parts: BTreeMap<String, BTreeMap<Option<usize>, Array>> = BTreeMap::new();
    for tensor in weights.tensors() {
        let tensor = tensor.unwrap_or_else(|error| panic!("{error}"));
        let place = names::place(family, tensor.name);
        let mut array = read(&tensor);
        reorder(&mut array, family, config, &place.name, tensor.name);
        parts.entry(place.name).or_default().insert(place.index, array);
    }
    parts.into_iter().map(|(name, parts)| (name, join(parts))).collect()
}

fn read(tensor: &Tensor<'_>) -> Array {
    let mut values = vec![0.0; tensor.len()];
    dequantize(tensor.ty, tensor.bytes, &mut values).unwrap_or_else(|error| panic!("{error}"));
    Array { shape: tensor.shape.to_vec(), values }
}

fn join(mut parts: BTreeMap<Option<usize>, Array>) -> Array {
    match parts.remove(&None) {
        Some(whole) => whole,
        None => Array::stack(&parts.into_values().collect::<Vec<_>>()),
    }
}

fn reorder(array: &mut Array, family: &Family, config: &Config<'_>, name: &str, original: &str) {
    let part = name.split('.').rev().nth(1).unwrap_or_default();
    if family.permuted && part == "attn_q" {
        array.permute(config.heads());
    }
    if family.permuted && part == "attn_k" {
        array.permute(config.kv_heads());
    }
    if family.arch == "gptneox" && part == "attn_qkv" {
        array.ungroup_qkv(config.heads());
    }
    // GPT-2 keeps matrices the other way round.
    if family.arch == "gpt2" && original.contains(".c_") && array.shape.len() == 2 {
        array.transpose();
    }
    if part.ends_with("_norm") {
        array.add(family.norm_offset);
    }
}

/// What divides each of the rope's frequencies, for the kinds that GGUF keeps as tensors.
fn rope_factors(config: &Config<'_>) -> Vec<(String, Array)> {
    let vector = |name: &str, values: Vec<f32>| {
        (name.to_owned(), Array { shape: vec![values.len()], values })
    };
    let mut factors = Vec::new();
    if config.rope_type() == "llama3" {
        factors.push(vector("rope_freqs.weight", llama3_factors(config)));
    }
    for (key, name) in
        [("long_factor", "rope_factors_long.weight"), ("short_factor", "rope_factors_short.weight")]
    {
        factors.extend(config.rope_floats(key).map(|values| vector(name, values)));
    }
    factors
}

/// Llama 3's scaling as one factor a frequency: none for short waves, all of it for long ones, a
/// blend between.
fn llama3_factors(config: &Config<'_>) -> Vec<f32> {
    let key = |name: &str| {
        f64::from(config.rope_float(name).unwrap_or_else(|| panic!("the rope has no {name}")))
    };
    let (factor, low, high) = (key("factor"), key("low_freq_factor"), key("high_freq_factor"));
    let context = key("original_max_position_embeddings");
    let dim = config.head_dim();
    let one = |pair: usize| {
        let exponent = (2 * pair) as f32 / dim as f32;
        let frequency = 1.0 / config.rope_float("rope_theta").unwrap_or(10_000.0).powf(exponent);
        let wave = std::f64::consts::TAU / f64::from(frequency);
        let blend = (context / wave - low) / (high - low);
        match wave {
            wave if wave < context / high => 1.0,
            wave if wave > context / low => factor,
            _ => 1.0 / ((1.0 - blend) / factor + blend),
        }
    };
    (0..dim / 2).map(|pair| one(pair) as f32).collect()
}

/// Matrices take the wanted type, if their rows divide into its blocks, and F16 if they do not.
/// Vectors, norms, routers and positions stay F32.
fn stored_type(name: &str, array: &Array, wanted: BlockType) -> BlockType {
    let kept = ["_norm.", "ffn_gate_inp", "position_embd"].iter().any(|part| name.contains(part));
    let cols = array.shape.last().copied().unwrap_or(1);
    match wanted {
        _ if array.shape.len() < 2 || kept => BlockType::F32,
        wanted if wanted.row_bytes(cols).is_none() => BlockType::F16,
        wanted => wanted,
    }
}

#[cfg(test)]
mod tests;
