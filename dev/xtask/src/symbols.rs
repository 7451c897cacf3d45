//! Whether vector intrinsics stand as functions of their own in an optimised binary:
//! `cargo run -p xtask -- symbols`.
//!
//! An intrinsic is inlined into the functions that have its feature, and only there. Where one is
//! left as a function, some code calls it from outside, at a call an instruction: results are right
//! and dozens of times slower, so that nothing but a look at the binary (or at the clock) tells.

mod elf;
mod names;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use crate::tree::root;

/// What other crates leave in the whole program: aho-corasick builds its vectors in closures, once
/// for each searcher.
const OF_DEPENDENCIES: [&str; 1] = ["x86::avx::_mm256_loadu_si256"];

/// What a binary tells.
#[derive(Debug, PartialEq)]
enum Verdict {
    /// Intrinsics that are functions of their own; none is as it should be.
    Stray(Vec<String>),
    /// Why nothing can be said.
    Unknown(String),
}

/// Looks at these binaries, or if there is none at the benchmarks of the kernels, built for
/// release: what they link of the kernels is what every binary links. An error says what is wrong.
pub(crate) fn check(files: &[String]) -> Result<(), String> {
    let tolerated: &[&str] = if files.is_empty() { &[] } else { &OF_DEPENDENCIES };
    let built;
    let files = if files.is_empty() {
        built = [build()?];
        &built[..]
    } else {
        &files.iter().map(PathBuf::from).collect::<Vec<_>>()[..]
    };
    for file in files {
        let bytes = std::fs::read(file).map_err(|e| format!("{}: {e}", file.display()))?;
        match judge(&bytes, tolerated) {
            Verdict::Stray(names) if names.is_empty() => {
                println!(
                    "    ok  no vector intrinsic stands outside its callers in {}",
                    file.display()
                );
            }
            Verdict::Stray(names) => {
                return Err(format!(
                    "BROKEN  {}: these intrinsics are called from outside of functions with their features, each at the \
                     cost of a call (a closure, or a function that is not #[inline(always)], uses them):\n        {}",
                    file.display(),
                    names.join("\n        ")
                ));
            }
            Verdict::Unknown(why) => skipped(&format!("{}: {why}", file.display()))?,
        }
    }
    Ok(())
}

/// Says what was not looked at, and adds it to the list of what a run has skipped, where there is
/// one.
fn skipped(what: &str) -> Result<(), String> {
    println!("SKIPPED  {what}");
    let Some(list) = std::env::var_os("SCAFFOLD_TEST_SKIPPED").filter(|list| !list.is_empty())
    else {
        return Ok(());
    };
    std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&list)
        .and_then(|mut file| writeln!(file, "symbols: {what}"))
        .map_err(|error| format!("SCAFFOLD_TEST_SKIPPED: {error}"))
}

fn judge(bytes: &[u8], tolerated: &[&str]) -> Verdict {
    match elf::functions(bytes) {
        Err(why) => Verdict::Unknown(why.to_owned()),
        Ok(symbols) if !symbols.iter().any(|name| names::is_level(name)) => Verdict::Unknown(
            "it has no symbols of the kernels' levels: other processors', or stripped".to_owned(),
        ),
        Ok(symbols) => {
            let mut stray: Vec<String> = symbols
                .iter()
                .filter_map(|name| names::intrinsic(name))
                .filter(|name| !tolerated.contains(&name.as_str()))
                .collect();
            stray.sort();
            stray.dedup();
            Verdict::Stray(stray)
        }
    }
}

/// Builds the benchmarks of the kernels and returns where they lie.
fn build() -> Result<PathBuf, String> {
    const WHAT: [&str; 7] = [
        "build",
        "--release",
        "--quiet",
        "--locked",
        "-p",
        "scaffold-bench",
        "--message-format=json",
    ];
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(WHAT)
        .current_dir(root())
        .stderr(std::process::Stdio::inherit())
        .output()
        .map_err(|e| format!("cargo {}: {e}", WHAT.join(" ")))?;
    if !output.status.success() {
        return Err(format!("cargo {} failed", WHAT.join(" ")));
    }
    executable(&String::from_utf8_lossy(&output.stdout))
        .ok_or_else(|| "cargo names no binary".to_owned())
}

/// The executable that cargo's messages name.
fn executable(messages: &str) -> Option<PathBuf> {
    let messages =
        messages.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let mut paths =
        messages.filter_map(|message| message["executable"].as_str().map(PathBuf::from));
    paths.next_back()
}

#[cfg(test)]
mod tests;
