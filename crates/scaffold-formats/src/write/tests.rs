use super::*;
use crate::{Gguf, Kind, Safetensors};

#[test]
fn wrong_requests_are_refused() {
    let refused = |error: Error, kind, words: &str| {
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(words), "{words}: {error}");
    };
    let usage = |error: Error, words| refused(error, Kind::Usage, words);
    let f32 = BlockType::F32;
    let mut writer = GgufWriter::new();
    let short = writer.add_f32("t", f32, &[3], &[0.0; 2]).unwrap_err();
    usage(short, "tensor `t` of type F32 and shape [3] needs 12 bytes, but 8 bytes were given");
    let partial = writer.add("t", BlockType::Q8_0, &[16], vec![0; 17]).unwrap_err();
    usage(partial, "needs rows of whole blocks");
    let partial = writer.add_f32("t", BlockType::Q8_0, &[16], &[0.0; 16]).unwrap_err();
    refused(partial, Kind::Damaged, "tensor `t`: 16 values are not a whole number of Q8_0 blocks");
    let unnamed = writer.add_f32("", f32, &[1], &[0.0]).unwrap_err();
    usage(unnamed, "is not a valid name");
    let deep = writer.add_f32("t", f32, &[1; 5], &[0.0]).unwrap_err();
    usage(deep, "tensor `t` has 5 dimensions");
    usage(writer.align(48).unwrap_err(), "an alignment of 48 is not allowed");
    writer.add_f32("t", f32, &[1], &[0.0]).unwrap();
    let twice = writer.add_f32("t", f32, &[1], &[0.0]).unwrap_err();
    usage(twice, "tensor `t` was added twice");
    let mut writer = SafetensorsWriter::new();
    let blocks = writer.add_f32("t", BlockType::Q8_0, &[32], &[0.0; 32]).unwrap_err();
    refused(blocks, Kind::Unsupported, "tensor `t` has type Q8_0");
    let reserved = writer.add_f32("__metadata__", f32, &[1], &[0.0]).unwrap_err();
    usage(reserved, "`__metadata__` is not a valid name");
}

#[test]
fn every_writable_type_comes_back() {
    use BlockType::{BF16, F16, F32, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0};
    let values: Vec<f32> = (0..128).map(|i| (i as f32 - 64.0) / 16.0).collect();
    for alignment in [None, Some(64)] {
        let mut writer = GgufWriter::new();
        if let Some(alignment) = alignment {
            writer.align(alignment).unwrap();
        }
        for ty in [F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0] {
            writer.add_f32(ty.name(), ty, &[2, 64], &values).unwrap();
        }
        let file = Gguf::from_bytes("x", writer.to_bytes().unwrap()).unwrap();
        assert_eq!(file.tensors().count(), 8);
        for tensor in file.tensors().map(Result::unwrap) {
            let mut back = vec![0.0; 128];
            scaffold_kernels::dequantize(tensor.ty, tensor.bytes, &mut back).unwrap();
            let worst = values.iter().zip(&back).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst < 0.3, "{}: {worst}", tensor.ty);
        }
    }
}

#[test]
fn a_file_appears_whole_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("m.safetensors");
    let mut writer = SafetensorsWriter::new();
    writer.add_f32("t", BlockType::F32, &[1], &[1.0]).unwrap();
    writer.write(&path).unwrap();
    // Over an existing file, too: whoever has it mapped keeps the old one.
    let old = Safetensors::open(&path).unwrap();
    let mut other = SafetensorsWriter::new();
    other.add_f32("t", BlockType::F32, &[1], &[2.0]).unwrap();
    other.write(&path).unwrap();
    assert_eq!(old.tensor("t").unwrap().unwrap().bytes, 1.0_f32.to_le_bytes());
    assert_eq!(
        Safetensors::open(&path).unwrap().tensor("t").unwrap().unwrap().bytes,
        2.0_f32.to_le_bytes()
    );
    // A directory in the way makes the rename fail.
    let taken = dir.path().join("taken");
    std::fs::create_dir_all(taken.join("x")).unwrap();
    let error = writer.write(&taken).unwrap_err();
    assert!(error.to_string().starts_with("cannot write "), "{error}");
    assert!(error.cause::<std::io::Error>().is_some());
    let mut left: Vec<_> =
        std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["m.safetensors", "taken"]);
}
