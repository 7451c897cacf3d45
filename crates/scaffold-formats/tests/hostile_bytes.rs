//! The fuzz targets on the stable toolchain: their seeds replayed, and mutated some thousand times.

use scaffold_formats::kept::KeptFile;
use scaffold_formats::packed::PackedFile;
use scaffold_formats::{ConfigJson, Gguf, Safetensors, fuzzing};
use scaffold_testing::corpus::{directory, survives};

#[test]
fn valid_seeds_are_valid() {
    let opens = |target, name| {
        let path = directory(target).join(name);
        let bytes = std::fs::read(&path).unwrap();
        let error = match target {
            "gguf" => Gguf::from_bytes(name, bytes).err(),
            "safetensors" => Safetensors::from_bytes(name, bytes).err(),
            "kept" => KeptFile::open(&path).and_then(|mut file| file.block()).err(),
            "packed" => PackedFile::open(&path).and_then(|file| file.verify(1)).err(),
            _ => ConfigJson::parse(name, &bytes).err(),
        };
        assert!(error.is_none(), "{target}/{name}: {error:?}");
    };
    for name in ["valid", "valid-v2", "valid-empty", "valid-types"] {
        opens("gguf", name);
    }
    for name in ["valid", "valid-empty", "valid-scalar"] {
        opens("safetensors", name);
    }
    opens("config_json", "valid");
    opens("packed", "valid");
    opens("kept", "valid");
}

const CASES: u32 = 4000;

#[test]
fn mutated_gguf_is_survived() {
    survives("gguf", fuzzing::gguf, CASES);
    survives("gguf_split", fuzzing::gguf_split, CASES);
}

#[test]
fn mutated_safetensors_are_survived() {
    survives("safetensors", fuzzing::safetensors, CASES);
    survives("safetensors_index", fuzzing::safetensors_index, CASES);
}

#[test]
fn mutated_configurations_are_survived() {
    survives("config_json", fuzzing::config_json, CASES);
}

#[test]
fn mutated_kept_prefixes_are_survived() {
    survives("kept", fuzzing::kept, CASES);
}

#[test]
fn mutated_packed_weights_are_survived() {
    survives("packed", fuzzing::packed, CASES);
}
