//! Renders any number of mangled templates: `mangled COUNT [SEED]`. Nothing may end the process;
//! the slowest are told.

#[path = "../tests/support/mangle.rs"]
mod mangle;

use std::time::{Duration, Instant};

fn main() {
    let mut arguments = std::env::args().skip(1).filter_map(|text| text.parse::<u64>().ok());
    let (count, seed) = (arguments.next().unwrap_or(10_000), arguments.next().unwrap_or(1));
    let corpus = mangle::Corpus::load();
    let mut random = mangle::Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut slowest: Vec<(Duration, String)> = Vec::new();
    for _ in 0..count {
        let source = corpus.mangled(&mut random);
        let start = Instant::now();
        corpus.render(&source);
        let time = start.elapsed();
        if slowest.len() < 5 || slowest[4].0 < time {
            slowest.push((time, source));
            slowest.sort_by_key(|(time, _)| std::cmp::Reverse(*time));
            slowest.truncate(5);
        }
    }
    let lines: Vec<String> =
        slowest.iter().map(|(time, source)| format!("{time:?} {source:?}")).collect();
    let report = format!("{count} templates; the slowest:\n{}\n", lines.join("\n"));
    std::io::Write::write_all(&mut std::io::stdout(), report.as_bytes()).expect("standard output");
}
