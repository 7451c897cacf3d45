//! Models are data: a branch on a model's name belongs into a table under `families/`.

use crate::tree::File;

/// Names whose appearance as a string in code means a branch on a model.
const NAMES: [&str; 12] = [
    "\"llama\"",
    "\"mistral\"",
    "\"mixtral\"",
    "\"qwen2\"",
    "\"qwen3\"",
    "\"gemma\"",
    "\"gemma2\"",
    "\"gemma3\"",
    "\"phi3\"",
    "\"gpt2\"",
    "\"bert\"",
    "\"roberta\"",
];

/// Crates below the facade that compute: none of them may know a model by name.
const CRATES: [&str; 3] =
    ["crates/scaffold-kernels/src/", "crates/scaffold-model/src/", "crates/scaffold-engine/src/"];

pub(crate) fn check(files: &[File]) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        let watched = CRATES.iter().any(|path| file.path.starts_with(path));
        if !watched || file.path.contains("/families/") || file.path.contains("tests") {
            continue;
        }
        for (number, line) in file.lines_before_tests() {
            let code = line.split("//").next().unwrap_or_default();
            if let Some(name) = NAMES.iter().find(|name| code.contains(**name)) {
                findings.push(format!("{}:{number}: knows {name}", file.path));
            }
        }
    }
    findings
}
