//! Hostile and odd GGUF files, built byte by byte.

use scaffold_error::Kind;

use super::*;
use crate::BlockType;
use crate::write::GgufWriter;

/// Builds files that no writer would.
#[derive(Clone, Default)]
struct Raw(Vec<u8>);

impl Raw {
    fn header(version: u32, tensors: u64, pairs: u64) -> Self {
        Self::default().bytes(b"GGUF").u32(version).u64(tensors).u64(pairs)
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    fn u32(self, value: u32) -> Self {
        self.bytes(&value.to_le_bytes())
    }

    fn u64(self, value: u64) -> Self {
        self.bytes(&value.to_le_bytes())
    }

    fn str(self, text: &str) -> Self {
        self.u64(text.len() as u64).bytes(text.as_bytes())
    }

    /// A directory entry; dimensions in the file's order, innermost first.
    fn tensor(self, name: &str, dims: &[u64], ty: u32, offset: u64) -> Self {
        let mut raw = self.str(name).u32(dims.len() as u32);
        for &dim in dims {
            raw = raw.u64(dim);
        }
        raw.u32(ty).u64(offset)
    }

    /// Padding to the default alignment, then as many bytes of data.
    fn data(mut self, count: usize) -> Self {
        let start = self.0.len().next_multiple_of(32);
        self.0.resize(start + count, 1);
        self
    }

    fn open(self) -> Result<Gguf, Error> {
        Gguf::from_bytes("raw.gguf", self.0)
    }

    /// Opening it fails so, and the message names the file.
    fn fails(self, kind: Kind, words: &str) {
        let error = self.open().unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        let text = error.to_string();
        assert!(text.starts_with("raw.gguf: ") && text.contains(words), "{words}: {text}");
    }
}

const F32: u32 = 0;

#[test]
fn versions_two_and_three_are_read_and_others_named() {
    for version in [2, 3] {
        let file = Raw::header(version, 1, 0).tensor("t", &[2], F32, 0).data(8).open().unwrap();
        assert_eq!(file.tensor("t").unwrap().unwrap().bytes, [1; 8]);
    }
    for version in [0, 1, 4] {
        let words = format!("GGUF version {version} is not supported");
        Raw::header(version, 0, 0).fails(Kind::Unsupported, &words);
    }
    Raw::header(3_u32.swap_bytes(), 0, 0).fails(Kind::Unsupported, "big-endian");
    let zip = Raw::default().bytes(b"PK\x03\x04");
    zip.fails(Kind::Damaged, "not a GGUF file: it starts with `PK\\x03\\x04` instead");
    Raw::default().fails(Kind::Damaged, "the file is empty");
}

#[test]
fn shapes_are_turned_outermost_first() {
    let file = Raw::header(3, 1, 0).tensor("t", &[3, 2], F32, 0).data(24).open().unwrap();
    assert_eq!(file.tensor("t").unwrap().unwrap().shape, [2, 3]);
}

#[test]
fn absurd_counts_are_refused_before_anything_is_allocated() {
    for count in [u64::MAX, 1 << 40, 2] {
        let fails = |raw: Raw, what| {
            raw.fails(Kind::Damaged, &format!("{count} {what} are announced"));
        };
        fails(Raw::header(3, count, 0), "tensors");
        fails(Raw::header(3, 0, count), "metadata pairs");
        let array = Raw::header(3, 0, 1).str("a").u32(9).u32(8).u64(count);
        fails(array, "elements of a metadata array");
    }
}

#[test]
// A check that is skipped has to be seen.
fn a_file_of_holes_cannot_ask_for_memory() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("holes.gguf");
    for header in [
        Raw::header(3, 1 << 30, 0),
        Raw::header(3, 0, 1 << 30),
        Raw::header(3, 0, 1).str("k").u32(9).u32(8).u64(1 << 30),
    ] {
        let file = std::fs::File::create(&path).unwrap();
        std::io::Write::write_all(&mut &file, &header.0).unwrap();
        // 64 GiB that take no room on the disk.
        if file.set_len(1 << 36).is_err() {
            scaffold_testing::skip::without("this file system has no files with holes");
            return;
        }
        let error = Gguf::open(&path).unwrap_err();
        assert!(error.to_string().contains("1073741824 "), "{error}");
        assert!(error.to_string().contains("are possible at most"), "{error}");
    }
}

#[test]
fn lengths_beyond_the_end_are_refused() {
    let key = Raw::header(3, 0, 1).u64(u64::MAX).bytes(b"abcdefgh");
    key.fails(Kind::Damaged, "needs 18446744073709551615 bytes but only 8 are left");
    let string = Raw::header(3, 0, 1).str("k").u32(8).u64(1 << 62);
    string.fails(Kind::Damaged, "a metadata string at byte");
    let inner = Raw::header(3, 0, 1).str("k").u32(9).u32(8).u64(1).u64(9).bytes(b"12345678");
    inner.fails(Kind::Damaged, "a string in a metadata array at byte");
}

#[test]
fn every_truncation_is_an_error() {
    let mut writer = GgufWriter::new();
    writer
        .set("general.architecture", "x")
        .set("list", ["a", "bc"].as_slice())
        .set("n", vec![1_u16, 2]);
    writer.add_f32("t", BlockType::F32, &[2, 4], &[0.5; 8]).unwrap();
    let whole = writer.to_bytes().unwrap();
    assert!(Gguf::from_bytes("whole", whole.clone()).is_ok());
    for length in 0..whole.len() {
        assert!(Gguf::from_bytes("cut", whole[..length].to_vec()).is_err(), "{length} bytes");
    }
}

#[test]
fn metadata_of_wrong_kinds_is_named() {
    let unknown = Raw::header(3, 0, 1).str("k").u32(13).u64(0);
    unknown.fails(Kind::Damaged, "key `k` has a value of type 13");
    let nested = Raw::header(3, 0, 1).str("k").u32(9).u32(9).u64(0);
    nested.fails(Kind::Unsupported, "key `k` is an array of arrays");
    let twice = Raw::header(3, 0, 2).str("k").u32(4).u32(1).str("k").u32(4).u32(2);
    twice.fails(Kind::Damaged, "key `k` is there twice");
    let empty = Raw::header(3, 0, 1).str("").u32(4).u32(1).u64(0);
    empty.fails(Kind::Damaged, "a metadata key at byte 24 has 0 bytes");
    let garbled = Raw::header(3, 0, 1).u64(1).bytes(&[0xff]).u32(4).u32(1).u64(0);
    garbled.fails(Kind::Damaged, "a metadata key at byte 24 is not UTF-8");
}

#[test]
fn alignment_is_bounded() {
    let with = |value: u64| Raw::header(3, 0, 1).str("general.alignment").u32(10).u64(value);
    assert!(with(64).open().is_ok());
    for alignment in [0, 3, 1 << 21, u64::MAX] {
        with(alignment).fails(Kind::Damaged, &format!("general.alignment is {alignment};"));
    }
    let text = Raw::header(3, 0, 1).str("general.alignment").u32(8).str("32");
    text.fails(Kind::Damaged, "`general.alignment` should be");
}

#[test]
fn impossible_tensors_are_refused() {
    let one = |dims: &[u64], ty, offset, words: &str| {
        let raw = Raw::header(3, 1, 0).tensor("t", dims, ty, offset).data(64);
        raw.fails(Kind::Damaged, &format!("tensor `t` {words}"));
    };
    one(&[1; 5], F32, 0, "has 5 dimensions; 4 are allowed");
    one(&[1 << 32, 1 << 32], F32, 0, "has shape [4294967296, 4294967296], whose size overflows");
    one(&[u64::MAX, 0], F32, 0, "has shape [0, 18446744073709551615], whose size overflows");
    one(&[1 << 62], F32, 0, "has shape [4611686018427387904], whose size overflows");
    one(&[33], 2, 0, "has rows of 33 values, which is no multiple of 32");
    one(&[1], F32, 4, "starts at data offset 4");
    one(&[17], F32, 0, "ends at byte");
    one(&[1], F32, u64::MAX - 31, "ends at byte");
    let overlap =
        Raw::header(3, 2, 0).tensor("a", &[16], F32, 0).tensor("b", &[8], F32, 32).data(64);
    overlap.fails(Kind::Damaged, "tensors `a` and `b` overlap");
    let twice = Raw::header(3, 2, 0).tensor("t", &[8], F32, 0).tensor("t", &[8], F32, 32).data(64);
    twice.fails(Kind::Damaged, "tensor `t` is there twice");
}

#[test]
fn a_type_that_is_not_supported_is_an_error_only_when_it_is_read() {
    let file = Raw::header(3, 3, 0)
        .tensor("known", &[8], F32, 0)
        .tensor("IQ", &[256], 16, 32)
        .tensor("new", &[256], 4711, 128)
        .data(128)
        .open()
        .unwrap();
    assert!(file.tensor("known").unwrap().is_some());
    assert!(file.tensor("absent").unwrap().is_none());
    let message = file.tensor("IQ").unwrap_err().to_string();
    assert!(message.contains("`IQ` has type IQ2_XXS (number 16)"), "{message}");
    assert!(message.contains("Q4_K"), "{message}");
    let message = file.tensor("new").unwrap_err().to_string();
    assert!(message.contains("unknown (number 4711)"), "{message}");
    assert_eq!(file.infos().map(|info| info.bytes).collect::<Vec<_>>(), [32, 66, 0]);
}

#[test]
fn tensors_without_values_take_no_room() {
    let file = Raw::header(3, 2, 0)
        .tensor("none", &[0, 5], F32, 0)
        .tensor("scalar", &[], F32, 0)
        .data(4)
        .open()
        .unwrap();
    let none = file.tensor("none").unwrap().unwrap();
    assert!(none.is_empty());
    assert_eq!(none.shape, [5, 0]);
    assert_eq!(file.tensor("scalar").unwrap().unwrap().len(), 1);
}

#[test]
fn getters_name_file_key_and_value() {
    let mut writer = GgufWriter::new();
    writer
        .set("n", -3_i32)
        .set("f", 0.5_f32)
        .set("s", "text")
        .set("b", true)
        .set("l", vec![1_u8, 255]);
    let file = Gguf::from_bytes("named.gguf", writer.to_bytes().unwrap()).unwrap();
    let meta = file.metadata();
    assert_eq!(meta.get_i64("n").unwrap(), Some(-3));
    assert_eq!(meta.get_f32("n").unwrap(), Some(-3.0));
    assert_eq!(meta.get_f32("f").unwrap(), Some(0.5));
    assert_eq!(meta.get_bool("b").unwrap(), Some(true));
    assert_eq!(meta.get_u64("absent").unwrap(), None);
    assert_eq!(meta.get_array("l").unwrap().unwrap().i32s().unwrap(), [1, 255]);
    let message = meta.get_u64("n").unwrap_err().to_string();
    assert_eq!(
        message,
        "named.gguf: metadata key `n` should be an unsigned integer but is -3 (i32)"
    );
    assert!(
        meta.get_u64("f").is_err() && meta.get_str("b").is_err() && meta.get_array("s").is_err()
    );
    assert!(meta.get_strings("l").unwrap_err().to_string().contains("an array of 2 × u8"));
    assert!(meta.require_str("absent").unwrap_err().to_string().contains("`absent` is missing"));
}

#[test]
fn text_is_checked_when_it_is_read() {
    let file = Raw::header(3, 0, 2)
        .str("bad")
        .u32(8)
        .u64(1)
        .bytes(&[0xff])
        .str("list")
        .u32(9)
        .u32(8)
        .u64(2)
        .str("ok")
        .u64(1)
        .bytes(&[0xc3])
        .open()
        .unwrap();
    assert!(file.metadata().get_str("bad").unwrap_err().to_string().contains("`bad` is not UTF-8"));
    assert!(
        file.metadata()
            .get_strings("list")
            .unwrap_err()
            .to_string()
            .contains("element 1 of metadata key `list`")
    );
    let list = file.metadata().get_array("list").unwrap().unwrap();
    assert_eq!(list.byte_strings().collect::<Vec<_>>(), [b"ok".as_slice(), &[0xc3]]);
}

/// Writes two parts as `gguf-split` would.
fn write_parts(dir: &Path, announced: i32) -> [PathBuf; 2] {
    let paths = [1, 2].map(|number| dir.join(format!("m-{number:05}-of-00002.gguf")));
    for (number, path) in paths.iter().enumerate() {
        let mut writer = GgufWriter::new();
        if number == 0 {
            writer.set("general.architecture", "llama");
        }
        writer
            .set("split.no", number as u16)
            .set("split.count", 2_u16)
            .set("split.tensors.count", announced);
        writer.add_f32(&format!("t{number}"), BlockType::F32, &[1], &[number as f32]).unwrap();
        writer.write(path).unwrap();
    }
    paths
}

#[test]
fn any_part_of_a_split_file_opens_all() {
    let dir = tempfile::tempdir().unwrap();
    for path in write_parts(dir.path(), 2) {
        let file = Gguf::open(&path).unwrap();
        assert_eq!(file.metadata().architecture().unwrap(), "llama");
        assert_eq!(file.names(), ["t0", "t1"]);
        assert_eq!(file.tensor("t1").unwrap().unwrap().bytes, 1.0_f32.to_le_bytes());
        assert_eq!(file.paths().len(), 2);
        file.release("t1");
        assert_eq!(file.tensor("t1").unwrap().unwrap().bytes, 1.0_f32.to_le_bytes());
    }
}

#[test]
fn parts_that_do_not_belong_together_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let [first, second] = write_parts(dir.path(), 3);
    assert!(Gguf::open(&first).unwrap_err().to_string().contains("hold 2 tensors together but 3"));
    let stray = dir.path().join("stray.gguf");
    std::fs::copy(&first, &stray).unwrap();
    assert!(Gguf::open(&stray).unwrap_err().to_string().contains("-00001-of-00002.gguf"));
    std::fs::copy(&first, &second).unwrap();
    assert!(Gguf::open(&first).unwrap_err().to_string().contains("metadata says part 1 of 2"));
    std::fs::remove_file(&second).unwrap();
    let message = Gguf::open(&first).unwrap_err().to_string();
    assert!(message.contains("m-00002-of-00002.gguf"), "{message}");
}

#[test]
fn a_large_vocabulary_opens_fast() {
    let tokens: Vec<String> = (0..262_144).map(|id| format!("token{id}")).collect();
    let mut writer = GgufWriter::new();
    writer.set("tokenizer.ggml.tokens", tokens.as_slice());
    let bytes = writer.to_bytes().unwrap();
    let start = std::time::Instant::now();
    let file = Gguf::from_bytes("large.gguf", bytes).unwrap();
    let elapsed = start.elapsed();
    assert_eq!(
        file.metadata().get_strings("tokenizer.ggml.tokens").unwrap().unwrap()[262_143],
        "token262143"
    );
    // Milliseconds even without optimisation; the bound only catches a return to one allocation per
    // token.
    assert!(elapsed.as_millis() < 500, "{elapsed:?}");
}

#[test]
fn a_directory_is_not_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let error = Gguf::open(dir.path()).unwrap_err();
    let refused = error.cause::<std::io::Error>().is_some();
    assert!(refused || error.to_string().contains("is not a regular file"), "{error}");
    let error = Gguf::open(dir.path().join("absent")).unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(error.to_string().starts_with("cannot open "), "{error}");
}

#[test]
fn the_start_of_a_file_tells_what_it_describes() {
    let string = |raw: Raw, text: &str| raw.u64(text.len() as u64).bytes(text.as_bytes());
    let mut raw = string(Raw::header(3, 7, 3), "general.architecture").u32(8);
    raw = string(string(raw, "llama"), "llama.block_count").u32(4).u32(30);
    raw = string(raw, "tokenizer.ggml.tokens").u32(9).u32(8).u64(49_152);
    raw = string(raw, "<first>");
    let start = Metadata::of_start("start", raw.0.clone()).unwrap();
    assert_eq!(start.architecture().unwrap(), "llama");
    assert_eq!(start.get_u64("llama.block_count").unwrap(), Some(30));
    let tokens = start.get_array("tokenizer.ggml.tokens").unwrap().unwrap();
    assert_eq!((tokens.len(), tokens.byte_strings().count()), (49_152, 1));
    // Wherever it is cut, it is the start of a file or none.
    for length in 0..raw.0.len() {
        if let Ok(start) = Metadata::of_start("start", raw.0[..length].to_vec()) {
            assert!(length >= 24 && start.keys().len() <= 3);
        }
    }
}
