//! Files that are right and not as usual: tied weights stored in every way, buffers among the
//! weights, and GGUF files as other software, or older, wrote them.

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use common::{Lone, decoder, load};
use scaffold_formats::write::{GgufWriter, SafetensorsWriter};
use scaffold_formats::{BlockType, Gguf, Safetensors, TensorSource, Value};
use scaffold_kernels::dequantize;
use scaffold_model::{Decoder, Error, Kind, KvType, ModelSpec, Precision};
use scaffold_testing::golden::{TinyGolden, tiny};
use scaffold_testing::tolerance::{MaxAbs, Tolerance};

/// Tensors by name: shape and values.
type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

fn tensors(source: &dyn TensorSource) -> Tensors {
    let read = |name: &str| {
        let tensor = source.require(name).expect("a tensor");
        let mut values = vec![0.0; tensor.len()];
        dequantize(tensor.ty, tensor.bytes, &mut values).expect("values");
        (name.to_owned(), (tensor.shape.to_vec(), values))
    };
    source.names().into_iter().map(read).collect()
}

fn file(tensors: &Tensors) -> Safetensors {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("model.safetensors");
    let mut writer = SafetensorsWriter::new();
    for (name, (shape, values)) in tensors {
        writer.add_f32(name, BlockType::F32, shape, values).expect("a tensor");
    }
    writer.write(&path).expect("a file");
    Safetensors::open(&path).expect("the file")
}

fn logits(golden: &TinyGolden, decoder: &Arc<Decoder>) -> Vec<f32> {
    let mut lone = Lone::new(decoder, KvType::F32);
    lone.planned = golden.input_ids.len();
    lone.feed(&golden.input_ids)
}

fn loaded(golden: &TinyGolden, source: &dyn TensorSource) -> Result<Arc<Decoder>, Error> {
    let spec = ModelSpec::from_config(&golden.config()).expect("a specification");
    load(source, spec, Precision::F32)
}

fn is_tied(decoder: &Arc<Decoder>) -> Option<bool> {
    match &decoder.spec().kind {
        Kind::Decoder(head) => head.tied,
        Kind::Encoder(_) => None,
    }
}

/// Tied models, and the name of the embedding in each.
const TIED: &[(&str, &str)] = &[
    ("granite", "model.embed_tokens.weight"),
    ("cohere", "model.embed_tokens.weight"),
    ("gpt2", "transformer.wte.weight"),
    ("gemma2", "model.embed_tokens.weight"),
];

#[test]
fn a_tied_model_needs_one_of_the_two_and_takes_either() {
    for (name, embed) in TIED {
        let golden = tiny(name);
        let mut all = tensors(&golden.weights());
        assert!(!all.contains_key("lm_head.weight"), "{name}");
        // Both, and the same.
        all.insert("lm_head.weight".to_owned(), all[*embed].clone());
        let both = loaded(&golden, &file(&all)).expect("both");
        assert_eq!(is_tied(&both), Some(true), "{name}");
        MaxAbs(1e-4).check(name, &logits(&golden, &both), golden.logits());
        // The head alone.
        all.remove(*embed);
        let head = loaded(&golden, &file(&all)).expect("the head alone");
        assert_eq!(logits(&golden, &head), logits(&golden, &both), "{name}");
        // Neither.
        all.remove("lm_head.weight");
        let error = loaded(&golden, &file(&all)).expect_err("neither");
        assert!(error.to_string().contains(embed.rsplit('.').nth(1).expect("a part")), "{error}");
    }
}

#[test]
fn another_head_is_used_whatever_the_configuration_says() {
    for (name, embed) in TIED {
        let golden = tiny(name);
        let mut all = tensors(&golden.weights());
        let (shape, mut values) = all[*embed].clone();
        for x in &mut values {
            *x *= 2.0;
        }
        all.insert("lm_head.weight".to_owned(), (shape, values));
        let decoder = loaded(&golden, &file(&all)).expect("its own head");
        assert_eq!(is_tied(&decoder), Some(false), "{name}");
        if *name != "gemma2" {
            // Logits follow the head, but for Gemma's cap.
            let halved: Vec<f32> = logits(&golden, &decoder).iter().map(|x| x / 2.0).collect();
            MaxAbs(1e-4).check(name, &halved, golden.logits());
        }
    }
}

#[test]
fn an_untied_model_needs_both() {
    let golden = tiny("llama");
    for name in ["lm_head.weight", "model.embed_tokens.weight"] {
        let mut all = tensors(&golden.weights());
        all.remove(name);
        let error = loaded(&golden, &file(&all)).expect_err("a tensor is missing");
        assert!(error.to_string().contains(name.trim_start_matches("model.")), "{error}");
    }
}

/// A safetensors file with further tensors of one byte each, of a type that cannot be computed
/// with.
fn with_buffers(golden: &TinyGolden, names: &[(&str, &str)]) -> Safetensors {
    let bytes = std::fs::read(golden.dir.join("model.safetensors")).expect("weights");
    let length = u64::from_le_bytes(bytes[..8].try_into().expect("eight bytes")) as usize;
    let (header, data) = (&bytes[8..8 + length], &bytes[8 + length..]);
    let mut header: serde_json::Map<_, _> = serde_json::from_slice(header).expect("a header");
    for (index, (name, dtype)) in names.iter().enumerate() {
        let (start, end) = (data.len() + index, data.len() + index + 1);
        header.insert(
            (*name).to_owned(),
            serde_json::json!({"dtype": dtype, "shape": [1, 1], "data_offsets": [start, end]}),
        );
    }
    let header = serde_json::to_vec(&header).expect("JSON");
    let mut out = (header.len() as u64).to_le_bytes().to_vec();
    out.extend(header);
    out.extend_from_slice(data);
    out.extend(vec![1; names.len()]);
    Safetensors::from_bytes("with buffers", out).expect("a file")
}

#[test]
fn buffers_are_passed_over_and_other_strange_tensors_are_not() {
    for (name, buffer) in [
        ("gpt_neox", "gpt_neox.layers.0.attention.bias"),
        ("gpt2", "transformer.h.0.attn.bias"),
        ("llama", "model.causal_mask"),
        ("qwen3_moe", "model.layers.1.mlp.expert_counts"),
    ] {
        let golden = tiny(name);
        for dtype in ["BOOL", "U8", "I8"] {
            let source = with_buffers(&golden, &[(buffer, dtype), ("more", dtype)]);
            let decoder = loaded(&golden, &source).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(
                logits(&golden, &decoder),
                logits(&golden, &self::decoder(&golden)),
                "{name}"
            );
            let info = source.info(buffer).expect("the buffer");
            assert!(decoder.spec().leaves_unused(&info));
        }
        // A weight in a type that is not computed with.
        let error = loaded(&golden, &with_buffers(&golden, &[("more", "F8_E4M3")]));
        assert!(error.expect_err("a weight is left").to_string().contains("more"));
    }
}

/// Writes a golden as GGUF and again with changed metadata and tensors.
fn rewritten(
    golden: &TinyGolden,
    metadata: impl Fn(&mut GgufWriter, &str, &Value<'_>) -> bool,
    more: impl Fn(&mut GgufWriter),
    tensor: impl Fn(&mut GgufWriter, &str, &[usize], &[f32]),
) -> (tempfile::TempDir, Gguf) {
    let dir = tempfile::tempdir().expect("a directory");
    let (first, second) = (dir.path().join("a.gguf"), dir.path().join("b.gguf"));
    golden.write_gguf(&first, BlockType::F32);
    let gguf = Gguf::open(&first).expect("the first");
    let mut writer = GgufWriter::new();
    for key in gguf.metadata().keys() {
        let value = gguf.metadata().get(key).expect("a value").expect("a value");
        if metadata(&mut writer, key, &value) {
            continue;
        }
        match value {
            Value::Unsigned(n) => _ = writer.set(key, u32::try_from(n).expect("small")),
            Value::Signed(n) => _ = writer.set(key, i32::try_from(n).expect("small")),
            Value::Float(x) => _ = writer.set(key, x as f32),
            Value::Bool(b) => _ = writer.set(key, b),
            Value::Str(s) => _ = writer.set(key, s),
            _ => {}
        }
    }
    more(&mut writer);
    for (name, (shape, values)) in tensors(&gguf) {
        tensor(&mut writer, &name, &shape, &values);
    }
    writer.write(&second).expect("the second");
    let second = Gguf::open(&second).expect("the second");
    (dir, second)
}

fn keep(writer: &mut GgufWriter, name: &str, shape: &[usize], values: &[f32]) {
    writer.add_f32(name, BlockType::F32, shape, values).expect("a tensor");
}

fn through(gguf: &Gguf) -> Result<Arc<Decoder>, Error> {
    load(gguf, ModelSpec::from_gguf(gguf.metadata())?, Precision::F32)
}

#[test]
fn values_by_the_layer_are_one_value_if_all_layers_have_it() {
    let golden = tiny("llama");
    let every = ["head_count", "head_count_kv", "feed_forward_length", "freq_base", "epsilon"];
    for wanted in every {
        let array = |differs: u32| {
            rewritten(
                &golden,
                |writer, key, value| {
                    let is_it = key.ends_with(wanted);
                    match value {
                        Value::Unsigned(n) if is_it => {
                            let n = u32::try_from(*n).expect("small");
                            writer.set(key, vec![n, n + differs]);
                        }
                        Value::Float(x) if is_it => {
                            writer.set(key, vec![*x as f32, (*x + f64::from(differs)) as f32]);
                        }
                        _ => {}
                    }
                    is_it
                },
                |_| {},
                keep,
            )
        };
        let (_dir, alike) = array(0);
        let decoder = through(&alike).unwrap_or_else(|e| panic!("{wanted}: {e}"));
        MaxAbs(1e-4).check(wanted, &logits(&golden, &decoder), golden.logits());
        let (_dir, unlike) = array(1);
        let error = through(&unlike).expect_err("layers differ").to_string();
        assert!(error.contains(wanted) && error.contains("one value a layer"), "{error}");
    }
}

#[test]
fn a_factor_without_a_type_is_linear() {
    // The golden has the same factor in its configuration.
    let golden = tiny("llama_linear_rope");
    for key in ["llama.rope.scaling.factor", "llama.rope.scale_linear"] {
        let (_dir, gguf) = rewritten(
            &golden,
            |writer, found, value| {
                if let (true, Value::Float(factor)) = (found.ends_with("scaling.factor"), value) {
                    writer.set(key, *factor as f32);
                }
                found.contains("rope.scaling")
            },
            |_| {},
            keep,
        );
        let decoder = through(&gguf).expect("a factor");
        MaxAbs(1e-4).check(key, &logits(&golden, &decoder), golden.logits());
    }
    // No scaling at all.
    let golden = tiny("llama");
    let no_factor = |writer: &mut GgufWriter| _ = writer.set("llama.rope.scaling.factor", 0.0_f32);
    let (_dir, gguf) = rewritten(&golden, |_, _, _| false, no_factor, keep);
    let decoder = through(&gguf).expect("no factor");
    MaxAbs(1e-4).check("factor 0", &logits(&golden, &decoder), golden.logits());
}

#[test]
fn experts_may_have_a_tensor_each() {
    for name in ["mixtral", "qwen3_moe", "olmoe"] {
        let golden = tiny(name);
        let split = |writer: &mut GgufWriter, name: &str, shape: &[usize], values: &[f32]| {
            let Some(stem) = name.strip_suffix("_exps.weight") else {
                return keep(writer, name, shape, values);
            };
            let size = values.len() / shape[0];
            for (expert, part) in values.chunks(size).enumerate() {
                keep(writer, &format!("{stem}.{expert}.weight"), &shape[1..], part);
            }
        };
        let (_dir, gguf) = rewritten(&golden, |_, _, _| false, |_| {}, split);
        assert!(gguf.info("blk.0.ffn_up.1.weight").is_some());
        let decoder = through(&gguf).unwrap_or_else(|e| panic!("{name}: {e}"));
        MaxAbs(1e-4).check(name, &logits(&golden, &decoder), golden.logits());
    }
}

#[test]
fn the_embedding_shows_the_vocabulary_where_nothing_else_does() {
    let golden = tiny("llama");
    let no_vocabulary = |_: &mut GgufWriter, key: &str, _: &Value<'_>| {
        key.ends_with("vocab_size") || key.starts_with("tokenizer.")
    };
    let (_dir, gguf) = rewritten(&golden, no_vocabulary, |_| {}, keep);
    let mut spec = ModelSpec::from_gguf(gguf.metadata()).expect("a specification");
    assert_eq!(spec.vocab, 0);
    spec.see_vocabulary(&gguf);
    assert_eq!(spec.vocab, 512);
    assert_eq!(through(&gguf).expect("a decoder").spec().vocab, 512);
}

#[test]
fn counted_weights_are_those_of_the_file() {
    for name in scaffold_testing::golden::tiny_names() {
        let golden = tiny(&name);
        let spec = ModelSpec::from_config(&golden.config()).expect("a specification");
        let matrices: usize = golden
            .weights()
            .infos()
            .filter(|info| info.shape.len() > 1)
            .map(|info| info.shape.iter().product::<usize>())
            .sum();
        let (counted, found) = (spec.parameters() as f64, matrices as f64);
        assert!((counted / found - 1.0).abs() < 0.05, "{name}: {counted} of {found}");
    }
}

#[test]
fn values_too_large_for_the_cache_are_an_error_that_names_it() {
    let golden = tiny("llama");
    let mut all = tensors(&golden.weights());
    let (_, values) = all.get_mut("model.layers.1.self_attn.k_proj.weight").expect("keys");
    for x in values.iter_mut() {
        *x *= 1e6;
    }
    let decoder = loaded(&golden, &file(&all)).expect("a decoder");
    let mut lone = Lone::new(&decoder, KvType::F16);
    let error = lone.try_feed(&golden.input_ids).expect_err("too large").to_string();
    assert!(error.contains("layer 1") && error.contains("SCAFFOLD_KV_TYPE"), "{error}");
    for ty in [KvType::F32, KvType::Q8] {
        let mut lone = Lone::new(&decoder, ty);
        let logits = lone.try_feed(&golden.input_ids).expect("fits");
        assert!(logits.iter().all(|x| x.is_finite()));
    }
}
