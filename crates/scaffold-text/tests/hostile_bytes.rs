//! The fuzz targets on the stable toolchain: their seeds replayed, and changed some hundred times.

use proptest::prelude::*;
use proptest::sample::Index;
use scaffold_text::fuzzing;
use std::path::Path;

/// A name of a target and the function that it calls.
type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 3] = [
    ("tokenizer_model", fuzzing::tokenizer_model),
    ("tekken", fuzzing::tekken),
    ("template", fuzzing::template),
];

fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let files =
        std::fs::read_dir(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    let mut paths: Vec<_> = files.map(|file| file.expect("an entry").path()).collect();
    paths.sort();
    assert!(paths.len() >= 15, "{target} has only {} seeds", paths.len());
    paths
        .iter()
        .map(|path| (path.display().to_string(), std::fs::read(path).expect("a seed")))
        .collect()
}

#[test]
fn seeds_are_survived_in_little_time() {
    for (name, target) in TARGETS {
        for (seed, data) in seeds(name) {
            let start = std::time::Instant::now();
            target(&data);
            let time = start.elapsed();
            assert!(time.as_secs() < 20, "{seed} took {time:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn changed_seeds_are_survived(which in any::<Index>(), seed in any::<Index>(), changes in prop::collection::vec((any::<Index>(), any::<u8>()), 1..6)) {
        let (name, target) = TARGETS[which.index(TARGETS.len())];
        let seeds = seeds(name);
        let mut data = seeds[seed.index(seeds.len())].1.clone();
        if !data.is_empty() {
            for (at, byte) in changes {
                let at = at.index(data.len());
                data[at] = byte;
            }
            target(&data);
        }
    }
}
