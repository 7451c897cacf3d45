//! The fuzz targets on the stable toolchain: their seeds replayed, and mutated some thousand times.

use std::path::Path;

use proptest::prelude::*;
use proptest::sample::Index;
use scaffold_formats::{ConfigJson, Gguf, Safetensors, fuzzing};

/// A name of a target and the function that it calls.
type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 3] = [
    ("gguf", fuzzing::gguf),
    ("safetensors", fuzzing::safetensors),
    ("config_json", fuzzing::config_json),
];

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let files =
        std::fs::read_dir(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 20, "{target} has only {} seeds", paths.len());
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

#[test]
fn valid_seeds_are_valid() {
    let opens = |target, name| {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target).join(name);
        let bytes = std::fs::read(path).unwrap();
        let error = match target {
            "gguf" => Gguf::from_bytes(name, bytes).err(),
            "safetensors" => Safetensors::from_bytes(name, bytes).err(),
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
}

#[test]
fn seeds_are_survived() {
    for (name, target) in TARGETS {
        for seed in seeds(name) {
            target(&seed);
        }
    }
}

/// A change to a file, as fuzzers make them.
#[derive(Clone, Debug)]
enum Change {
    Flip(Index, u8),
    Set(Index, u8),
    /// Eight bytes that are a length or an offset more often than not.
    Number(Index, u64),
    Cut(Index),
    Remove(Index, u8),
    Repeat(Index, u8),
}

fn change() -> impl Strategy<Value = Change> {
    let lengths = prop_oneof![
        0..300_u64,
        Just(u64::MAX),
        Just(1 << 63),
        Just(1 << 32),
        Just((1 << 61) + 1),
        any::<u64>()
    ];
    prop_oneof![
        (any::<Index>(), 0..8_u8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        (any::<Index>(), lengths).prop_map(|(at, number)| Change::Number(at, number)),
        any::<Index>().prop_map(Change::Cut),
        (any::<Index>(), any::<u8>()).prop_map(|(at, count)| Change::Remove(at, count)),
        (any::<Index>(), any::<u8>()).prop_map(|(at, count)| Change::Repeat(at, count)),
    ]
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    if bytes.is_empty() {
        return;
    }
    let span = |at: &Index, count: usize| {
        let start = at.index(bytes.len());
        start..(start + count).min(bytes.len())
    };
    match change {
        Change::Flip(at, bit) => {
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
        }
        Change::Set(at, byte) => {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        Change::Number(at, number) => {
            let span = span(at, 8);
            let count = span.len();
            bytes[span].copy_from_slice(&number.to_le_bytes()[..count]);
        }
        Change::Cut(at) => bytes.truncate(at.index(bytes.len())),
        Change::Remove(at, count) => drop(bytes.drain(span(at, usize::from(*count)))),
        Change::Repeat(at, count) => bytes.extend_from_within(span(at, usize::from(*count))),
    }
}

fn survives_mutations((name, target): Target) {
    let seeds = seeds(name);
    let cases = (any::<Index>(), prop::collection::vec(change(), 1..6));
    proptest!(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() }, |((seed, changes) in cases)| {
        let mut bytes = seed.get(&seeds).clone();
        for change in &changes {
            apply(&mut bytes, change);
        }
        target(&bytes);
    });
}

#[test]
fn mutated_gguf_is_survived() {
    survives_mutations(TARGETS[0]);
}

#[test]
fn mutated_safetensors_are_survived() {
    survives_mutations(TARGETS[1]);
}

#[test]
fn mutated_configurations_are_survived() {
    survives_mutations(TARGETS[2]);
}
