//! Our files against the list of what llama.cpp's converter writes.

use scaffold_formats::{Gguf, Value};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use scaffold_testing::gguf::BlockType;
use scaffold_testing::golden::{TinyGolden, tiny, tiny_decoders, tiny_root};

/// Keys that say what the converter leaves out.
const BEYOND: [&str; 6] = [
    "attention.sliding_window",
    "attention.sliding_window_pattern",
    "attention.scale",
    "attention.clamp_kqv",
    "expert_weights_norm",
    "file_type",
];

/// Keys that belong to a vocabulary, which these files do not have.
const NOT_OURS: [&str; 1] = ["tokenizer.ggml.add_bos_token"];

fn listings() -> Json {
    let path = tiny_root().join("../gguf_files.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn written(golden: &TinyGolden, ty: BlockType) -> (tempfile::TempDir, Gguf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tiny.gguf");
    golden.write_gguf(&path, ty);
    let file = Gguf::open(path).unwrap();
    (dir, file)
}

fn same(ours: &Value<'_>, theirs: &Json) -> bool {
    match ours {
        Value::Unsigned(value) => theirs.as_u64() == Some(*value),
        Value::Float(value) => theirs.as_f64().is_some_and(|theirs| theirs as f32 == *value as f32),
        Value::Bool(value) => theirs.as_bool() == Some(*value),
        Value::Str(value) => theirs.as_str() == Some(value),
        _ => false,
    }
}

fn check_metadata(name: &str, file: &Gguf, theirs: &Json) {
    let metadata = file.metadata();
    let theirs = theirs.as_object().unwrap();
    for (key, value) in theirs.iter().filter(|(key, _)| !NOT_OURS.contains(&key.as_str())) {
        let ours = metadata.get(key).unwrap();
        assert!(
            ours.is_some_and(|ours| same(&ours, value)),
            "{name}: {key} is {ours:?}, the converter's {value}"
        );
    }
    for key in metadata.keys() {
        let own = key.split_once('.').is_some_and(|(_, rest)| BEYOND.contains(&rest));
        assert!(own || theirs.contains_key(key), "{name}: the converter does not write {key}");
    }
}

fn check_tensors(name: &str, file: &Gguf, theirs: &Json) {
    let theirs = theirs.as_object().unwrap();
    for tensor in file.tensors() {
        let tensor = tensor.unwrap();
        let digest = Sha256::digest(tensor.bytes);
        let start = digest.first_chunk().map_or(0, |start| u64::from_be_bytes(*start));
        let ours = serde_json::json!([tensor.ty.name(), tensor.shape, format!("{start:016x}")]);
        let theirs = theirs.get(tensor.name).unwrap_or(&Json::Null);
        // Powers round differently in torch, so of these only type and shape can be compared.
        let compared = if tensor.name == "rope_freqs.weight" { 2 } else { 3 };
        for (ours, theirs) in (0..compared).map(|at| (&ours[at], &theirs[at])) {
            assert_eq!(ours, theirs, "{name}: {}", tensor.name);
        }
    }
    assert_eq!(file.tensors().count(), theirs.len(), "{name}");
}

#[test]
fn files_are_those_of_the_converter() {
    let listings = listings();
    let mut checked = 0;
    for golden in tiny_decoders().iter().filter(|golden| golden.gguf_lacks().is_none()) {
        for ty in [BlockType::F32, BlockType::Q8_0] {
            let (_dir, file) = written(golden, ty);
            let listing = &listings[&golden.name][ty.name()];
            let name = format!("{} as {ty}", golden.name);
            check_metadata(&name, &file, &listing["metadata"]);
            check_tensors(&name, &file, &listing["tensors"]);
            checked += 1;
        }
    }
    assert_eq!(checked, 2 * (listings.as_object().unwrap().len() - 1));
}

#[test]
fn what_the_converter_leaves_out_is_said() {
    let (_dir, mistral) = written(&tiny("mistral"), BlockType::F32);
    assert_eq!(mistral.metadata().get_u64("llama.attention.sliding_window").unwrap(), Some(8));
    let (_dir, qwen) = written(&tiny("qwen2_sliding"), BlockType::F32);
    let pattern =
        qwen.metadata().get_array("qwen2.attention.sliding_window_pattern").unwrap().unwrap();
    assert_eq!(pattern.bools().unwrap(), [false, true, true]);
    assert!(tiny("llama_dynamic_rope").gguf_lacks().is_some());
}
