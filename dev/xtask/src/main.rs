//! Chores of the repository: `cargo run -p xtask -- check`.
//!
//! The checks are those that the compiler cannot make: what a file may mention, how long it may
//! grow, which crates may be depended on, and whether the documents' links lead anywhere.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a chore talks to the person who runs it"
)]

mod checks;
mod performance;
mod tree;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo run -p xtask -- check | sizes | performance

  check         every rule that the compiler cannot make; exits 1 if one is broken
  sizes         how long the source files are: median, 90th percentile, longest
  performance   writes docs/performance.md from its template and figures";

fn main() -> ExitCode {
    let argument = std::env::args().nth(1);
    match argument.as_deref() {
        Some("check") => check(),
        Some("sizes") => {
            println!("{}", checks::sizes::report(&tree::tracked_files()));
            ExitCode::SUCCESS
        }
        Some("performance") => match performance::write() {
            Ok(()) => ExitCode::SUCCESS,
            Err(problem) => {
                eprintln!("{problem}");
                ExitCode::from(1)
            }
        },
        _ => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

/// Runs every check and prints what each found.
fn check() -> ExitCode {
    let files = tree::tracked_files();
    let mut broken = 0;
    for (name, rule) in checks::ALL {
        let findings = rule(&files);
        let verdict = if findings.is_empty() { "ok" } else { "BROKEN" };
        println!("{verdict:>6}  {name}");
        for finding in &findings {
            println!("        {finding}");
        }
        broken += findings.len();
    }
    println!("{}", checks::sizes::report(&files));
    if broken == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    }
}
