use std::fs;

use scaffold_error::Kind;

use super::*;

const TYPES: [(BlockType, usize); 2] = [(BlockType::Q4_0, 32), (BlockType::F16, 16)];

fn about() -> PackedAbout {
    PackedAbout {
        layout: 3,
        key: "k".to_owned(),
        model: "a/b".to_owned(),
        source: PathBuf::from("/models/b.gguf"),
    }
}

/// A file with contents of more than one chunk.
fn written(dir: &Path) -> (PathBuf, Vec<u8>, Vec<u8>) {
    let path = dir.join("b.packed");
    let large: Vec<u8> = (0..CHUNK + 6400).map(|i| (i % 253) as u8).collect();
    let small = vec![9; 128];
    let matrix = |name, bytes| PackedMatrix { name, cols: 64, parts: &TYPES, bytes };
    let matrices = [matrix("large", &large), matrix("small", &small)];
    let bytes = write_packed(&path, &about(), &matrices).unwrap();
    assert_eq!(bytes, fs::metadata(&path).unwrap().len());
    (path, large, small)
}

fn problem(path: &Path) -> Error {
    let error = PackedFile::open(path).and_then(|file| file.verify(2)).unwrap_err();
    assert_eq!(error.place().file(), Some(path));
    error
}

#[test]
fn what_was_written_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let (path, large, small) = written(dir.path());
    let file = PackedFile::open(&path).unwrap();
    file.verify(2).unwrap();
    assert_eq!(*file.about(), about());
    for (name, bytes) in [("large", large), ("small", small)] {
        let entry = file.get(name).unwrap();
        assert_eq!((entry.cols, entry.parts.as_slice()), (64, TYPES.as_slice()));
        assert!(entry.range.start.is_multiple_of(64));
        assert!(file.as_ref()[entry.range.clone()] == bytes);
    }
    assert!(file.get("other").is_none());
    // Nothing but the file itself is left.
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn any_damaged_byte_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let (path, ..) = written(dir.path());
    let good = fs::read(&path).unwrap();
    let contents = PackedFile::open(&path).unwrap().contents.start;
    // Padding between index and contents is nobody's; all else is. 57 to 64 are padding, too.
    let index = 64 + u64::from_le_bytes(*good[16..].first_chunk().unwrap()) as usize;
    let header = 0..56;
    let ends = [index - 1, contents, contents + CHUNK, good.len() - 1];
    for at in header.chain((64..index).step_by(37)).chain(ends) {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        fs::write(&path, &bad).unwrap();
        let problem = problem(&path);
        let expected = if at < 8 { "not a file of packed weights" } else { "the checksum of" };
        assert!(problem.sentence().contains(expected), "byte {at}: {problem}");
    }
}

#[test]
fn a_file_that_was_cut_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (path, ..) = written(dir.path());
    let good = fs::read(&path).unwrap();
    for len in [0, 7, 63, 64, 4096, CHUNK, good.len() - 1] {
        fs::write(&path, &good[..len]).unwrap();
        let words = format!("bytes and has {len}");
        assert!(problem(&path).sentence().ends_with(&words), "{len}");
    }
    let whole = good.len();
    let longer = [good, vec![0; 64]].concat();
    fs::write(&path, longer).unwrap();
    let words = format!("the file should have {whole} bytes and has {}", whole + 64);
    assert_eq!(problem(&path).sentence(), words);
}

#[test]
fn other_versions_and_byte_orders_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (path, ..) = written(dir.path());
    let mut bytes = fs::read(&path).unwrap();
    let mut with = |at: usize, value: &[u8]| {
        let old = bytes[at..at + value.len()].to_vec();
        bytes[at..at + value.len()].copy_from_slice(value);
        let sum = checksum(&bytes[..48]);
        bytes[48..56].copy_from_slice(&sum.to_le_bytes());
        fs::write(&path, &bytes).unwrap();
        bytes[at..at + value.len()].copy_from_slice(&old);
        problem(&path)
    };
    let version = with(8, &2u32.to_le_bytes());
    assert_eq!(version.kind(), Kind::Unsupported);
    assert!(version.sentence().contains("version 2 of the format"), "{version}");
    let swapped = 0x0102_0304u32.swap_bytes().to_ne_bytes();
    assert!(with(12, &swapped).sentence().contains("another byte order"));
    // Sizes that lie, with a checksum that does not.
    let huge = with(16, &u64::MAX.to_le_bytes());
    assert_eq!(huge.kind(), Kind::Damaged);
    assert!(huge.sentence().contains("where they cannot be"), "{huge}");
}

#[test]
fn a_directory_that_cannot_be_written_to_is_an_error_that_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing").join("b.packed");
    let error = write_packed(&missing, &about(), &[]).unwrap_err();
    assert!(error.to_string().starts_with("cannot create "), "{error}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}
