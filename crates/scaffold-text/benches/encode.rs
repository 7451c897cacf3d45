//! How fast the starter's tokenizer encodes on one core, beside the `tokenizers` crate with the
//! same vocabulary.
//!
//! `cargo bench -p scaffold-text --bench encode`, or with a file of text as its argument.
#![expect(clippy::print_stdout, reason = "a bench reports on standard output")]

#[path = "../tests/support/mod.rs"]
mod support;

use scaffold_text::EncodeOptions;
use std::time::Instant;
use tokenizers::models::bpe::BPE;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::sequence::Sequence;

fn crate_tokenizer() -> tokenizers::Tokenizer {
    let vocabulary = support::starter_vocabulary();
    let vocab: ahash::AHashMap<String, u32> =
        support::list(&vocabulary["tokens"], support::string).into_iter().zip(0..).collect();
    let merges = support::list(&vocabulary["merges"], support::string)
        .iter()
        .filter_map(|line| line.split_once(' '))
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .collect();
    let model = BPE::builder().vocab_and_merges(vocab, merges).build().expect("a model");
    let mut tokenizer = tokenizers::Tokenizer::new(model);
    tokenizer.with_pre_tokenizer(Some(Sequence::new(vec![
        Digits::new(true).into(),
        ByteLevel::new(false, false, true).into(),
    ])));
    tokenizer
}

/// The best of a few runs, in bytes a second.
fn best(bytes: usize, mut run: impl FnMut() -> usize) -> (f64, usize) {
    let mut best = f64::INFINITY;
    let mut tokens = 0;
    for _ in 0..5 {
        let start = Instant::now();
        tokens = run();
        best = best.min(start.elapsed().as_secs_f64());
    }
    (bytes as f64 / best, tokens)
}

fn main() {
    let text = match std::env::args().nth(1).filter(|path| std::path::Path::new(path).is_file()) {
        Some(path) => std::fs::read_to_string(path).expect("a text file"),
        None => sample(),
    };
    let ours = support::starter();
    let theirs = crate_tokenizer();
    for (name, pieces) in [("whole text", vec![text.as_str()]), ("lines", text.lines().collect())] {
        let (own, tokens) = best(text.len(), || {
            pieces
                .iter()
                .map(|piece| ours.encode(piece, &EncodeOptions::PLAIN).expect("encodes").len())
                .sum()
        });
        let (other, others) = best(text.len(), || {
            pieces.iter().map(|piece| theirs.encode(*piece, false).expect("encodes").len()).sum()
        });
        assert_eq!(tokens, others, "the same number of tokens");
        println!(
            "{name}: {} bytes, {tokens} tokens: {:.1} MB/s, the tokenizers crate {:.1} MB/s",
            text.len(),
            own / 1e6,
            other / 1e6
        );
    }
}

/// About a megabyte of the corpus of the tests: languages, code, emoji.
fn sample() -> String {
    let corpus = support::json("corpus.json.gz");
    let strings: Vec<&str> = corpus["strings"]
        .as_array()
        .expect("strings")
        .iter()
        .filter_map(serde_json::Value::as_str)
        .collect();
    let mut text = String::new();
    while text.len() < 1_000_000 {
        for string in &strings {
            text.push_str(string);
            text.push('\n');
        }
    }
    text
}
