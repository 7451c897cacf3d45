//! What the fuzz targets and the tests over their corpora call. Not part of the interface.

use crate::{ConfigJson, FormatError, GenerationConfig, Gguf, Metadata, Safetensors, Tensor};

/// Reads arbitrary bytes as a GGUF file and everything in it.
pub fn gguf(data: &[u8]) {
    // All of a file is a start of it, too.
    if let Ok(start) = Metadata::of_start("fuzz.gguf", data.to_vec()) {
        for key in start.keys() {
            let _ = (start.get(key), start.get_strings(key));
            if let Ok(Some(array)) = start.get_array(key) {
                let _ = (array.f32s(), array.i64s());
                assert!(array.byte_strings().count() <= array.len());
            }
        }
    }
    let Ok(file) = Gguf::from_bytes("fuzz.gguf", data.to_vec()) else {
        return;
    };
    let metadata = file.metadata();
    for key in metadata.keys() {
        // Every getter meets every type of value.
        let _ = (
            metadata.get_u64(key),
            metadata.get_i64(key),
            metadata.get_f32(key),
            metadata.get_bool(key),
        );
        let _ = (
            metadata.get_str(key),
            metadata.get_strings(key),
            metadata.get(key),
            metadata.get_u32(key),
        );
        if let Ok(Some(array)) = metadata.get_array(key) {
            let _ = (array.f32s(), array.i32s(), array.u64s(), array.bools(), array.i64s());
            assert!(array.byte_strings().count() <= array.len());
        }
    }
    file.tensors().for_each(|tensor| check_tensor(&tensor));
    for info in file.infos() {
        assert!(matches!(file.tensor(info.name), Err(_) | Ok(Some(_))));
    }
}

/// Reads arbitrary bytes as a safetensors file and everything in it.
pub fn safetensors(data: &[u8]) {
    let Ok(file) = Safetensors::from_bytes("fuzz.safetensors", data.to_vec()) else {
        return;
    };
    file.tensors().for_each(|tensor| check_tensor(&tensor));
    for info in file.infos() {
        assert!(matches!(file.tensor(info.name), Err(_) | Ok(Some(_))));
    }
}

/// Reads arbitrary bytes as a configuration.
pub fn config_json(data: &[u8]) {
    let Ok(config) = ConfigJson::parse("fuzz.json", data) else {
        return;
    };
    let _ = GenerationConfig::from_json(&config);
    let root = config.root();
    for key in root.keys() {
        let _ = (
            root.get_u64(key),
            root.get_f32(key),
            root.get_str(key),
            root.get_usizes(key),
            root.line_of(key),
        );
        if let Ok(Some(object)) = root.get_object(key) {
            for key in object.keys() {
                let _ = (object.get_usize(key), object.line_of(key));
            }
        }
    }
}

fn check_tensor(tensor: &Result<Tensor<'_>, FormatError>) {
    let Ok(tensor) = tensor else { return };
    let cols = tensor.shape.last().copied().unwrap_or(1);
    let rows: usize = tensor.shape.iter().rev().skip(1).product();
    let expected = if tensor.shape.contains(&0) {
        Some(0)
    } else {
        tensor.ty.row_bytes(cols).and_then(|row| row.checked_mul(rows))
    };
    assert_eq!(expected, Some(tensor.bytes.len()), "{tensor:?}");
}
