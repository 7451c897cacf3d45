//! Hostile and odd safetensors files.

use scaffold_error::Kind;

use super::*;
use crate::BlockType;
use crate::write::SafetensorsWriter;

/// A file with this header and as many bytes of data.
fn raw(header: &str, data: usize) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.resize(bytes.len() + data, 7);
    bytes
}

fn open(header: &str, data: usize) -> Result<Safetensors, Error> {
    Safetensors::from_bytes("raw.safetensors", raw(header, data))
}

/// The file is damaged, and the message says so after the file's name.
fn fails(header: &str, data: usize, words: &str) {
    let error = open(header, data).unwrap_err();
    assert_eq!(error.kind(), Kind::Damaged, "{error}");
    let text = error.to_string();
    assert!(text.starts_with("raw.safetensors: ") && text.contains(words), "{words}: {text}");
}

#[test]
fn tensors_come_back_as_they_were_written() {
    let mut writer = SafetensorsWriter::new();
    writer.set("format", "pt");
    writer.add_f32("half", BlockType::F16, &[3], &[1.0, 2.0, 3.0]).unwrap();
    writer.add_f32("brain", BlockType::BF16, &[1, 1], &[-2.0]).unwrap();
    writer.add_f32("full", BlockType::F32, &[], &[0.25]).unwrap();
    let file = Safetensors::from_bytes("x", writer.to_bytes()).unwrap();
    assert_eq!(file.names(), ["full", "half", "brain"]);
    let half = file.tensor("half").unwrap().unwrap();
    assert_eq!((half.ty, half.shape, half.bytes.len()), (BlockType::F16, [3].as_slice(), 6));
    let full = file.tensor("full").unwrap().unwrap();
    assert_eq!((full.len(), full.bytes), (1, 0.25_f32.to_le_bytes().as_slice()));
    assert_eq!(file.tensor("brain").unwrap().unwrap().bytes, [0x00, 0xc0]);
    assert!(file.tensor("absent").unwrap().is_none());
    assert!(file.require("absent").unwrap_err().to_string().contains("x has no tensor `absent`"));
}

#[test]
fn every_truncation_is_an_error() {
    let mut writer = SafetensorsWriter::new();
    writer.add_f32("t", BlockType::F32, &[2, 2], &[1.0; 4]).unwrap();
    let whole = writer.to_bytes();
    for length in 0..whole.len() {
        assert!(
            Safetensors::from_bytes("cut", whole[..length].to_vec()).is_err(),
            "{length} bytes"
        );
    }
}

#[test]
fn hostile_headers_are_refused() {
    for length in [u64::MAX, 1 << 40, 3] {
        let bytes = [length.to_le_bytes().as_slice(), b"{}"].concat();
        let error = Safetensors::from_bytes("x", bytes).unwrap_err();
        assert!(error.to_string().contains("announce a header"), "{error}");
    }
    let words = "the header is not a valid safetensors header";
    for header in ["", "[]", "{", "{\"t\":1}", "{\"t\":{\"dtype\":\"F32\"}}", "\u{0}"] {
        fails(header, 0, words);
    }
    // Deeply nested JSON must not overflow the stack.
    fails(&"[".repeat(100_000), 0, words);
    let deep = format!("{{\"__metadata__\":{}1}}", "{\"a\":".repeat(100_000));
    fails(&deep, 0, words);
}

#[test]
fn impossible_tensors_are_refused() {
    let one = |shape: &str, offsets: &str, data, words| {
        let entry = format!(r#"{{"dtype":"F32","shape":{shape},"data_offsets":{offsets}}}"#);
        fails(&format!(r#"{{"t":{entry}}}"#), data, words);
    };
    one("[2]", "[0,8]", 4, "tensor `t` should lie at bytes 0..8 of the data, which has 4");
    one("[2]", "[8,0]", 8, "tensor `t` should lie at bytes 8..0 of the data, which has 8");
    one("[3]", "[0,8]", 8, "which needs 12 bytes, but 8 bytes in the file");
    one("[4294967296,4294967296]", "[0,8]", 8, "which overflows, but 8 bytes");
    one("[0,18446744073709551615,2]", "[0,0]", 0, "which overflows, but 0 bytes");
    one("[-1]", "[0,0]", 0, "not a valid safetensors header");
    one("[1]", "[4,8]", 8, "bytes 0..4 of the data belong to no tensor");
    one("[1]", "[0,4]", 8, "bytes 4..8 of the data belong to no tensor");
}

#[test]
fn overlaps_and_duplicates_are_refused() {
    let entry = |name: &str, start, end| {
        format!(
            r#""{name}":{{"dtype":"F32","shape":[{}],"data_offsets":[{start},{end}]}}"#,
            (end - start) / 4
        )
    };
    let overlap = format!("{{{},{}}}", entry("a", 0, 8), entry("b", 4, 12));
    fails(&overlap, 12, "tensors `a` and `b` overlap");
    let twice = format!("{{{},{}}}", entry("a", 0, 4), entry("a", 4, 8));
    fails(&twice, 8, "tensor `a` is there twice");
}

#[test]
fn other_types_are_an_error_only_when_they_are_read() {
    let header = r#"{"__metadata__":{"format":"pt"},
        "position_ids":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},
        "mask":{"dtype":"BOOL","shape":[3],"data_offsets":[8,11]},
        "new":{"dtype":"F1_X","shape":[9],"data_offsets":[11,13]},
        "w":{"dtype":"F32","shape":[1],"data_offsets":[13,17]}}"#;
    let file = open(header, 17).unwrap();
    assert_eq!(file.tensor("w").unwrap().unwrap().bytes, [7; 4]);
    for (name, dtype) in [("position_ids", "I64"), ("mask", "BOOL"), ("new", "F1_X")] {
        let message = file.tensor(name).unwrap_err().to_string();
        assert!(message.contains(&format!("`{name}` has type `{dtype}`")), "{message}");
        assert!(message.contains("F32, F16, BF16"), "{message}");
    }
    assert_eq!(file.infos().map(|info| info.bytes).sum::<usize>(), 17);
}

fn write_shards(dir: &Path, index: &str) {
    for name in ["a", "b"] {
        let mut writer = SafetensorsWriter::new();
        writer.add_f32(name, BlockType::F32, &[1], &[1.0]).unwrap();
        writer.add_f32("both", BlockType::F32, &[1], &[f32::from(name.as_bytes()[0])]).unwrap();
        writer.write(dir.join(format!("model-{name}.safetensors"))).unwrap();
    }
    std::fs::write(dir.join(INDEX), index).unwrap();
}

#[test]
fn shards_are_found_through_their_index() {
    let dir = tempfile::tempdir().unwrap();
    write_shards(
        dir.path(),
        r#"{"metadata":{"total_size":16},"weight_map":
            {"a":"model-a.safetensors","b":"model-b.safetensors","both":"model-b.safetensors"}}"#,
    );
    for path in [dir.path().to_owned(), dir.path().join(INDEX)] {
        let file = Safetensors::open(path).unwrap();
        assert_eq!(file.paths().len(), 2);
        let mut names = file.names();
        names.sort_unstable();
        assert_eq!(names, ["a", "b", "both"]);
        assert_eq!(file.tensor("both").unwrap().unwrap().bytes, 98.0_f32.to_le_bytes());
        file.release("both");
        assert_eq!(file.tensors().filter_map(Result::ok).count(), 3);
    }
}

#[test]
fn an_index_that_lies_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let cases = [
        (r#"{"weight_map":{"a":"../model-a.safetensors"}}"#, "not a plain file name"),
        (r#"{"weight_map":{"a":"/etc/passwd"}}"#, "not a plain file name"),
        (r#"{"weight_map":{"a":1}}"#, "not a plain file name"),
        (r#"{"weight_map":{"a":"model-c.safetensors"}}"#, "model-c.safetensors"),
        (r#"{"weight_map":[]}"#, "not a valid safetensors index"),
        ("{}", "weight_map"),
    ];
    for (index, expected) in cases {
        write_shards(dir.path(), index);
        let message = Safetensors::open(dir.path()).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn a_tensor_that_the_index_only_promises_is_missed_when_it_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let index = r#"{"weight_map":{"a":"model-a.safetensors","b":"model-a.safetensors"}}"#;
    write_shards(dir.path(), index);
    let file = Safetensors::open(dir.path()).unwrap();
    assert_eq!((TensorSource::names(&file), file.tensor("b").unwrap()), (vec!["a"], None));
    let message = file.broken_promise("b").unwrap().to_string();
    assert!(message.contains("which does not have it"), "{message}");
    assert!(file.broken_promise("a").is_none() && file.broken_promise("c").is_none());
}

#[test]
fn a_shared_tensor_is_found_by_each_of_its_names() {
    let notes = [
        (r#""embed":"head","#, true),
        // Of nothing that is there, of itself, and no text.
        (r#""embed":"other","#, false),
        (r#""head":"head","format":"pt","#, false),
        (r#""embed":["head"],"#, false),
    ];
    for (note, found) in notes {
        let header = format!(
            r#"{{"__metadata__":{{{note}"x":"y"}},"head":{{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}}}"#
        );
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.extend(1.5f32.to_le_bytes());
        let file = Safetensors::from_bytes("x", bytes).unwrap();
        let tensor = file.tensor("embed").unwrap();
        assert_eq!(tensor.map(|tensor| tensor.name), found.then_some("head"), "{note}");
        assert_eq!(TensorSource::names(&file), ["head"]);
    }
}

#[test]
fn a_directory_without_weights_says_what_it_has() {
    let dir = tempfile::tempdir().unwrap();
    let error = Safetensors::open(dir.path()).unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(error.to_string().contains("holds no safetensors weights"), "{error}");
    assert!(!error.to_string().contains("pickle"), "{error}");
    std::fs::write(dir.path().join("pytorch_model.bin"), "").unwrap();
    let error = Safetensors::open(dir.path()).unwrap_err();
    assert_eq!(error.kind(), Kind::Unsupported);
    assert!(error.to_string().contains("pickle"), "{error}");
}
