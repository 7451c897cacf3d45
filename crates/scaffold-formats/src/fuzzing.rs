//! What the fuzz targets and the tests over their corpora call. Not part of the interface.

use std::path::{Path, PathBuf};

use scaffold_error::Error;

use crate::gguf::{Gguf, Metadata};
use crate::json::{ConfigJson, GenerationConfig};
use crate::kept::{self, KeptFile};
use crate::map::FileBytes;
use crate::packed;
use crate::packed::PackedFile;
use crate::safetensors::{Safetensors, index};
use crate::tensor::Tensor;

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
    if let Ok(file) = Gguf::from_bytes("fuzz.gguf", data.to_vec()) {
        check_gguf(&file);
    }
}

/// Reads arbitrary bytes as the two parts of a split GGUF file, one after the other: the second
/// begins at the last of its magic numbers.
pub fn gguf_split(data: &[u8]) {
    let magic = b"GGUF";
    let starts = data.windows(magic.len()).rposition(|word| word == magic);
    let (first, second) = data.split_at(starts.unwrap_or(data.len()));
    let path = Path::new("fuzz-00001-of-00002.gguf");
    let part = |asked: &Path| if asked == path { first } else { second }.to_vec();
    if let Ok(file) = Gguf::from_split(path, part) {
        check_gguf(&file);
    }
}

fn check_gguf(file: &Gguf) {
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

/// Reads arbitrary bytes as a kept prefix.
pub fn kept(data: &[u8]) {
    for bytes in [data.to_vec(), kept::repaired(data.to_vec())] {
        let length = bytes.len() as u64;
        let Ok(mut file) =
            KeptFile::read(Path::new("fuzz.kept"), Box::new(std::io::Cursor::new(bytes)), length)
        else {
            continue;
        };
        let (about, mut blocks) = (file.about().clone(), 0);
        while let Ok(Some(block)) = file.block() {
            assert_eq!(block.len(), about.block_bytes);
            blocks += 1;
        }
        assert!(blocks <= about.blocks());
    }
}

/// Reads arbitrary bytes as a file of packed weights: as they are, and with the checksums of header
/// and index set right.
pub fn packed(data: &[u8]) {
    for bytes in [data.to_vec(), packed::repaired(data.to_vec())] {
        let length = bytes.len();
        let Ok(file) = PackedFile::read(PathBuf::from("fuzz.packed"), FileBytes::Owned(bytes))
        else {
            continue;
        };
        let _ = (file.about(), file.verify(1));
        for (name, entry) in file.entries() {
            assert!(entry.range.start <= entry.range.end && entry.range.end <= length);
            assert_eq!(file.get(name), Some(entry));
            file.release(entry);
        }
    }
}

/// Reads arbitrary bytes as the index over the shards of a model; no shard's name leaves its
/// directory.
pub fn safetensors_index(data: &[u8]) {
    for (_, shard) in index::parse(data).into_iter().flatten() {
        assert!(index::is_plain_name(&shard));
        let path = Path::new("models/a/model.safetensors.index.json").with_file_name(&shard);
        assert_eq!(path.parent(), Some(Path::new("models/a")), "{shard:?}");
    }
}

fn check_tensor(tensor: &Result<Tensor<'_>, Error>) {
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
