//! The fuzz targets on the stable toolchain: their seeds replayed, and changed some thousand times.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};

/// What a fuzz target calls.
pub type Target = fn(&[u8]);

/// No seed takes longer, in a debug build on a busy machine.
const LONGEST: Duration = Duration::from_secs(20);

/// The directory of a target's seeds.
pub fn directory(target: &str) -> PathBuf {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    corpus.join(target)
}

/// A target's seeds with their names, in order.
pub fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let directory = directory(target);
    let files = std::fs::read_dir(&directory)
        .unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut paths: Vec<_> = files.map(|file| file.expect("an entry").path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{} is empty", directory.display());
    let read = |path: &PathBuf| std::fs::read(path).expect("a seed");
    paths.iter().map(|path| (path.display().to_string(), read(path))).collect()
}

/// Runs a target on all of its seeds, and on `cases` changed ones. A panic fails, and so does a
/// seed that takes long.
pub fn survives(target: &str, run: Target, cases: u32) {
    let seeds = seeds(target);
    for (name, data) in &seeds {
        let start = Instant::now();
        run(data);
        let took = start.elapsed();
        assert!(took < LONGEST, "{name} took {took:?}");
    }
    let strategy = (any::<Index>(), prop::collection::vec(change(), 1..6));
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&strategy, |(seed, changes)| {
        let mut bytes = seed.get(&seeds).1.clone();
        for change in &changes {
            change.apply(&mut bytes);
        }
        run(&bytes);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{target}: {error}");
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

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let span = |at: &Index, count: usize| {
            let start = at.index(bytes.len());
            start..(start + count).min(bytes.len())
        };
        match self {
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
}
