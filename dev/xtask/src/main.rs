//! Chores of the repository: `cargo run -p xtask -- check`.
//!
//! The checks are those that the compiler cannot make: what a file may mention, how long it may
//! grow, which crates may be depended on, and whether the documents' links lead anywhere.

#![forbid(unsafe_code)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a chore talks to the person who runs it"
)]

mod checks;
mod performance;
mod symbols;
mod tree;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo run -p xtask -- check | symbols [FILE…] | sizes | performance

  check         every rule that the compiler cannot make; exits 1 if one is broken
  symbols       builds the kernels for release and looks whether a vector intrinsic is left as a function, or looks at
                these binaries; exits 1 if so
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
        Some("performance") => ended(performance::write()),
        Some("symbols") => ended(symbols::check(&std::env::args().skip(2).collect::<Vec<_>>())),
        _ => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn ended(result: Result<(), String>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::from(1)
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
    if broken == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) }
}
