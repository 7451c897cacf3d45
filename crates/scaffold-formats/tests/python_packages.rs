//! The formats' own Python packages and this crate read each other's files.
//!
//! What Python wrote lies in `tests/golden/formats`, beside its script. Reading our files with
//! Python is skipped where `python3` has no `gguf` or `safetensors` package.

use std::path::{Path, PathBuf};
use std::process::Command;

use scaffold_formats::write::{GgufWriter, SafetensorsWriter};
use scaffold_formats::{BlockType, Gguf, Safetensors, Tensor, TensorSource, Value};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/formats").join(name)
}

fn expected(file: &str) -> Json {
    let all: Json =
        serde_json::from_slice(&std::fs::read(golden("expected.json")).unwrap()).unwrap();
    all[file].clone()
}

fn digest(bytes: &[u8]) -> String {
    let start = Sha256::digest(bytes).first_chunk().map_or(0, |start| u64::from_be_bytes(*start));
    format!("{start:016x}")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn check_tensor(tensor: &Tensor<'_>, expected: &Json) {
    assert_eq!(
        json!([tensor.ty.name(), tensor.shape, digest(tensor.bytes)]),
        expected[tensor.name],
        "{}",
        tensor.name
    );
}

#[test]
fn a_gguf_file_with_all_types_is_read() {
    let file = Gguf::open(golden("all_types.gguf")).unwrap();
    let expected = expected("all_types");
    for info in file.infos() {
        assert_eq!(json!(info.shape), expected[info.name][1], "{}", info.name);
        assert_eq!(json!(info.type_name), expected[info.name][0], "{}", info.name);
    }
    assert_eq!(file.infos().count(), expected.as_object().unwrap().len());
    for ty in BlockType::ALL {
        check_tensor(&file.require(ty.name()).unwrap(), &expected);
    }
    assert!(
        file.tensor("IQ2_XXS")
            .unwrap_err()
            .to_string()
            .contains("`IQ2_XXS` has type IQ2_XXS (number 16)")
    );
}

#[test]
fn metadata_of_all_types_is_read() {
    let file = Gguf::open(golden("all_types.gguf")).unwrap();
    let meta = file.metadata();
    assert_eq!(meta.architecture().unwrap(), "test");
    for (key, value) in
        [("v.u8", 255), ("v.u16", 65535), ("v.u32", 4_294_967_295), ("v.u64", u64::MAX)]
    {
        assert_eq!(meta.get_u64(key).unwrap(), Some(value), "{key}");
    }
    for (key, value) in
        [("v.i8", -128), ("v.i16", -32768), ("v.i32", -2_147_483_648), ("v.i64", i64::MIN)]
    {
        assert_eq!(meta.get_i64(key).unwrap(), Some(value), "{key}");
        assert!(meta.get_u64(key).is_err(), "{key}");
    }
    assert_eq!(meta.get_f32("v.f32").unwrap(), Some(0.1));
    assert!(matches!(meta.get("v.f64").unwrap(), Some(Value::Float(value)) if value == 0.1));
    assert_eq!(
        (meta.get_bool("v.true").unwrap(), meta.get_bool("v.false").unwrap()),
        (Some(true), Some(false))
    );
    assert_eq!(meta.get_str("v.text").unwrap(), Some("naïve 日本語 🦀"));
    assert_eq!(meta.get_strings("v.strings").unwrap().unwrap(), ["", "a", "▁the", "日本"]);
    let array = |key| meta.get_array(key).unwrap().unwrap();
    assert_eq!(array("v.ints").i32s().unwrap(), [-1, 0, 2_147_483_647]);
    assert_eq!(array("v.floats").f32s().unwrap(), [0.5, -1.25]);
    assert_eq!(array("v.bools").bools().unwrap(), [true, false, true]);
    assert_eq!(meta.get_u64("general.alignment").unwrap(), Some(64));
}

#[test]
fn a_split_gguf_file_is_read_from_any_part() {
    let expected = expected("split");
    for part in 1..=3 {
        let file = Gguf::open(golden(&format!("split-{part:05}-of-00003.gguf"))).unwrap();
        assert_eq!(file.metadata().get_str("general.name").unwrap(), Some("split"));
        assert_eq!(file.tensors().count(), expected.as_object().unwrap().len());
        file.tensors().for_each(|tensor| check_tensor(&tensor.unwrap(), &expected));
    }
}

#[test]
fn a_safetensors_file_with_all_types_is_read() {
    let file = Safetensors::open(golden("all_types.safetensors")).unwrap();
    let values: Vec<u8> = (0..12_u8).flat_map(|i| (f32::from(i) / 8.0).to_le_bytes()).collect();
    let full = file.require("f32").unwrap();
    assert_eq!((full.shape, full.bytes), ([3, 4].as_slice(), values.as_slice()));
    for (name, ty) in [("f16", BlockType::F16), ("bf16", BlockType::BF16)] {
        let half = file.require(name).unwrap();
        let mut back = vec![0.0; 12];
        scaffold_kernels::dequantize(ty, half.bytes, &mut back).unwrap();
        assert_eq!((half.ty, back[11]), (ty, 1.375));
    }
    assert_eq!(file.require("scalar").unwrap().shape, [0_usize; 0]);
    assert!(file.require("none").unwrap().is_empty());
    for name in ["position_ids", "mask", "f8"] {
        assert!(file.tensor(name).unwrap_err().to_string().contains(name));
    }
}

/// What Python finds in a file; `None`, loudly, where it lacks the packages.
fn python_reads(path: &Path) -> Option<Json> {
    let script = golden("../read_formats.py");
    let packages = Command::new("python3").args(["-c", "import gguf, safetensors, numpy"]).output();
    if !packages.is_ok_and(|output| output.status.success()) {
        scaffold_testing::skip::without(
            "python3 with the packages gguf, safetensors and numpy is not there to read our files",
        );
        return None;
    }
    let output = Command::new("python3").arg(script).arg(path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn python_reads_our_gguf_files() {
    use BlockType::{BF16, F16, F32, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0};
    let values: Vec<f32> = (0..128).map(|i| (i as f32 - 60.0) / 7.0).collect();
    let mut writer = GgufWriter::new();
    writer
        .set("general.architecture", "test")
        .set("u", 7_u8)
        .set("i", -7_i64)
        .set("f", 0.5_f32)
        .set("b", true);
    writer.set("text", "naïve 🦀").set("texts", ["", "▁a"].as_slice()).set("ints", vec![1_i32, -2]);
    writer.align(128).unwrap();
    for ty in [F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0] {
        writer.add_f32(ty.name(), ty, &[2, 64], &values).unwrap();
    }
    writer.add_f32("cube", F32, &[2, 4, 16], &values).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ours.gguf");
    writer.write(&path).unwrap();

    let Some(found) = python_reads(&path) else {
        return;
    };
    let meta = json!({
        "general.architecture": "test", "u": 7, "i": -7, "f": 0.5, "b": true,
        "text": "naïve 🦀", "texts": ["", "▁a"], "ints": [1, -2], "general.alignment": 128,
    });
    assert_eq!(found["metadata"], meta);
    let expected = expected("all_types");
    for tensor in Gguf::open(&path).unwrap().tensors().map(Result::unwrap) {
        assert_eq!(
            found["tensors"][tensor.name],
            json!([tensor.ty.name(), tensor.shape, hex(tensor.bytes)])
        );
        if tensor.name != "cube" {
            check_tensor(&tensor, &expected);
        }
    }
}

#[test]
fn python_reads_our_safetensors_files() {
    let mut writer = SafetensorsWriter::new();
    writer.set("format", "pt");
    writer.add_f32("half", BlockType::F16, &[3], &[1.0, 2.0, 3.0]).unwrap();
    writer.add_f32("full", BlockType::F32, &[1, 2], &[0.25, -0.5]).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ours.safetensors");
    writer.write(&path).unwrap();

    let Some(found) = python_reads(&path) else {
        return;
    };
    assert_eq!(found["metadata"], json!({"format": "pt"}));
    assert_eq!(found["tensors"]["half"], json!(["float16", [3], "003c00400042"]));
    assert_eq!(found["tensors"]["full"], json!(["float32", [1, 2], "0000803e000000bf"]));
}
