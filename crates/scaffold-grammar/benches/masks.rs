//! How long it takes to find out what may come next, for each token of answers by the schemas of real programs.
//!
//! `cargo bench -p scaffold-grammar --bench masks -- DIRECTORY`, with a directory that holds the files of a tokenizer: `tekken.json` of
//! the Python package `mistral-common` has 131,072 tokens. Without one the tokens are bytes. Nothing is computed meanwhile: answers are
//! chosen at random among what is allowed, in which what closes a text, a list or an object is likelier, as it is for models.
#![expect(clippy::print_stdout, reason = "a bench reports on standard output")]

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flate2::read::GzDecoder;
use scaffold_grammar::guide::Progress;
use scaffold_grammar::{Compiled, Grammar, Vocabulary};
use scaffold_text::{LoadOptions, Tokenizer};
use serde_json::Value;

/// Tokens of an answer at most, and answers by a schema.
const TOKENS: usize = 200;
const ANSWERS: u64 = 3;

fn schemas() -> Vec<Value> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../scaffold/tests/schemas/bench.jsonl.gz");
    let lines = BufReader::new(GzDecoder::new(File::open(path).expect("the schemas"))).lines();
    let schema = |line: String| {
        serde_json::from_str::<Value>(&line).expect("a line of JSON")["schema"].take()
    };
    lines.map(|line| schema(line.expect("a line"))).collect()
}

fn tokenizer() -> Tokenizer {
    let directory = std::env::args().skip(1).find(|path| Path::new(path).is_dir());
    match directory {
        Some(directory) => {
            Tokenizer::from_dir(Path::new(&directory), &LoadOptions::default())
                .expect("a tokenizer")
                .0
        }
        None => scaffold_text::fuzzing::bytes(),
    }
}

/// A number that looks like chance, the same in each run.
fn chance(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

/// The times along one answer.
fn answer(compiled: &Compiled, closing: &[u32], seed: u64) -> Vec<Duration> {
    let (mut guide, mut times, mut state) = (compiled.begin(), Vec::new(), seed);
    while times.len() < TOKENS && guide.progress() == Progress::Incomplete {
        let begun = Instant::now();
        let Ok(allowed) = guide.allowed() else { break };
        times.push(begun.elapsed());
        let has =
            |id: u32| allowed.get(id as usize / 32).is_some_and(|word| word >> (id % 32) & 1 == 1);
        let closes = chance(&mut state).is_multiple_of(4);
        let liked = closing.iter().copied().filter(|&id| closes && has(id)).collect::<Vec<u32>>();
        let any = || (0..allowed.len() as u32 * 32).filter(|&id| has(id)).collect::<Vec<u32>>();
        let ids = if liked.is_empty() { any() } else { liked };
        let Some(&id) = ids.get(chance(&mut state) as usize % ids.len().max(1)) else { break };
        if guide.take(id).is_err() {
            break;
        }
    }
    times
}

fn told(what: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize];
    println!(
        "{what}: {} of them, median {:.1?}, 90 % within {:.1?}, 99 % within {:.1?}, longest {:.1?}",
        times.len(),
        at(0.5),
        at(0.9),
        at(0.99),
        at(1.0)
    );
}

fn main() {
    let tokenizer = Arc::new(tokenizer());
    let begun = Instant::now();
    let vocabulary = Arc::new(Vocabulary::new(Arc::clone(&tokenizer)).expect("a vocabulary"));
    println!("{} tokens put in order in {:.2?}", tokenizer.vocab_size(), begun.elapsed());
    let closes = |id: &u32| {
        let bytes = tokenizer.token_bytes(*id).unwrap_or_default();
        matches!(bytes.first(), Some(b'"' | b']' | b'}'))
    };
    let closing: Vec<u32> = (0..tokenizer.vocab_size() as u32).filter(closes).collect();
    let (mut compiling, mut first, mut rest) = (Vec::new(), Vec::new(), Vec::new());
    let mut refused = 0;
    for schema in schemas() {
        let begun = Instant::now();
        let Ok(compiled) = Compiled::new(&Grammar::Schema(schema), Arc::clone(&vocabulary)) else {
            refused += 1;
            continue;
        };
        compiling.push(begun.elapsed());
        for seed in 0..ANSWERS {
            let mut times = answer(&compiled, &closing, seed).into_iter();
            first.extend(times.next());
            rest.extend(times);
        }
    }
    println!("{refused} schemas are refused");
    told("schemas compiled", &mut compiling);
    told("what may come first", &mut first);
    told("what may come next", &mut rest);
}
