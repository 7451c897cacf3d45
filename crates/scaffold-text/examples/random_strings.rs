//! Random strings through all tokenizers of the tests, against the `tokenizers` crate: how many ids
//! differ, and how long a text of 4 KB takes at most.
//!
//! `cargo run --release -p scaffold-text --example random_strings -- 10000000 [THREADS] [SEED]`
#![expect(clippy::print_stdout, reason = "a report on standard output")]

#[path = "../tests/support/compare.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod compare;
#[path = "../tests/support/strings.rs"]
mod strings;
#[path = "../tests/support/mod.rs"]
mod support;

use scaffold_text::{EncodeOptions, Tokenizer};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use strings::{Both, Random};

/// Of so many strings one has 4 KB and is timed.
const LONG: usize = 500;
const LONG_BYTES: usize = 4096;
const SHORT_BYTES: usize = 60;

#[derive(Default)]
struct Tally {
    strings: usize,
    differences: Vec<String>,
    slowest: Duration,
    slowest_at: String,
}

fn timed(tokenizer: &Tokenizer, text: &str) -> Duration {
    // The best of two: the machine may be doing something else.
    (0..2)
        .map(|_| {
            let start = Instant::now();
            let _ = tokenizer.encode(text, &EncodeOptions::PLAIN);
            start.elapsed()
        })
        .min()
        .unwrap_or_default()
}

fn run(both: &Both, count: usize, seed: u64) -> Tally {
    let mut random = Random(seed);
    let names: Vec<&str> = both.names.iter().map(String::as_str).collect();
    let mut report = Tally::default();
    for number in 0..count {
        let long = number % LONG == LONG - 1;
        let length = if long { 2 * LONG_BYTES } else { SHORT_BYTES };
        let mut text = strings::string(&mut random, length, &names);
        if long {
            text.truncate(text.floor_char_boundary(LONG_BYTES));
            let time = timed(&both.ours, &text);
            if time > report.slowest {
                report.slowest = time;
                report.slowest_at.clone_from(&both.name);
            }
        }
        report.differences.extend(compare::ids(both, &text, number % 2 == 0));
        report.strings += 1;
    }
    report
}

fn main() {
    let argument = |place: usize| std::env::args().nth(place).and_then(|text| text.parse().ok());
    let count = argument(1).unwrap_or(100_000);
    let threads = argument(2).unwrap_or(1);
    let seed = argument(3).unwrap_or(1) as u64;
    let files: Vec<(String, serde_json::Value)> = strings::files()
        .into_iter()
        .flat_map(|(name, file)| {
            let variants = strings::variants(&file);
            let all = std::iter::once(("as it is", file)).chain(variants);
            all.map(move |(variant, file)| (format!("{name}, {variant}"), file)).collect::<Vec<_>>()
        })
        .collect();
    let each = count / files.len() + 1;
    println!("{} tokenizers, {each} strings each", files.len());
    let (next, total) = (AtomicUsize::new(0), Mutex::new(Tally::default()));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((name, file)) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let place = name.len() as u64;
                    let both = Both::new(name.clone(), file);
                    let report = run(&both, each, seed.wrapping_mul(1_000_003).wrapping_add(place));
                    for difference in report.differences.iter().take(3) {
                        println!("{difference}");
                    }
                    let mut total = total.lock().expect("no thread panics");
                    total.strings += report.strings;
                    total.differences.extend(report.differences);
                    if report.slowest > total.slowest {
                        total.slowest = report.slowest;
                        total.slowest_at = report.slowest_at;
                    }
                }
            });
        }
    });
    let total = total.into_inner().expect("no thread panics");
    println!(
        "{} strings, {} differences; the slowest text of 4 KB took {:.2} ms ({})",
        total.strings,
        total.differences.len(),
        total.slowest.as_secs_f64() * 1e3,
        total.slowest_at
    );
    let fine = total.differences.is_empty() && total.slowest < Duration::from_millis(100);
    assert!(fine, "ids differ, or a text took longer than 100 ms");
}
