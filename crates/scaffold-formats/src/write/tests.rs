use super::*;
use crate::{FormatError, Gguf, Safetensors};

#[test]
fn wrong_requests_are_refused() {
    let mut writer = GgufWriter::new();
    assert!(matches!(
        writer.add_f32("t", BlockType::F32, &[3], &[0.0; 2]),
        Err(WriteProblem::TensorSize { .. })
    ));
    assert!(matches!(
        writer.add("t", BlockType::Q8_0, &[16], vec![0; 17]),
        Err(WriteProblem::TensorSize { needs: None, .. })
    ));
    assert!(matches!(
        writer.add_f32("t", BlockType::Q8_0, &[16], &[0.0; 16]),
        Err(WriteProblem::Quantize { .. })
    ));
    assert!(matches!(
        writer.add_f32("", BlockType::F32, &[1], &[0.0]),
        Err(WriteProblem::Name { .. })
    ));
    assert!(matches!(
        writer.add_f32("t", BlockType::F32, &[1; 5], &[0.0]),
        Err(WriteProblem::Dimensions { .. })
    ));
    assert!(matches!(writer.align(48), Err(WriteProblem::Alignment { .. })));
    writer.add_f32("t", BlockType::F32, &[1], &[0.0]).unwrap();
    assert!(matches!(
        writer.add_f32("t", BlockType::F32, &[1], &[0.0]),
        Err(WriteProblem::DuplicateTensor { .. })
    ));
    let mut writer = SafetensorsWriter::new();
    assert!(matches!(
        writer.add_f32("t", BlockType::Q8_0, &[32], &[0.0; 32]),
        Err(WriteProblem::Type { .. })
    ));
    assert!(matches!(
        writer.add_f32("__metadata__", BlockType::F32, &[1], &[0.0]),
        Err(WriteProblem::Name { .. })
    ));
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
    assert!(matches!(writer.write(&taken), Err(FormatError::Io { action: "write", .. })));
    let mut left: Vec<_> =
        std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["m.safetensors", "taken"]);
}
