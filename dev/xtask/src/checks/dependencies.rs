//! What the workspace may depend on. Some crates bring a C build or a second copy of half the
//! tree with them; they must not come in through the back door of another dependency.

use crate::tree::{File, root};
use serde_json::Value;
use std::process::Command;

/// Crates that may not appear anywhere in the tree, each with the reason.
const DENIED: [(&str, &str); 4] = [
    ("openssl-sys", "needs a C library; TLS is rustls with ring"),
    ("aws-lc-sys", "needs a long C build; TLS is rustls with ring"),
    ("reqwest", "brings an async stack below the server; HTTP is ureq"),
    ("onig_sys", "needs a C build; `tokenizers` runs on fancy-regex"),
];

/// Licences that go with Apache-2.0 OR MIT. An expression passes if one of its alternatives does.
const LICENCES: [&str; 14] = [
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "Unicode-3.0",
    "CDLA-Permissive-2.0",
    "0BSD",
    "CC0-1.0",
    "BSL-1.0",
    "Unlicense",
    "MIT-0",
];

pub(crate) fn check(_files: &[File]) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let Ok(metadata) = serde_json::from_slice::<Value>(&output.stdout) else {
        return vec![format!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr))];
    };
    let resolved: Vec<&str> = metadata["resolve"]["nodes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|node| node["id"].as_str())
        .collect();
    metadata["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|package| package["id"].as_str().is_some_and(|id| resolved.contains(&id)))
        .flat_map(findings)
        .collect()
}

/// What is wrong with one package.
fn findings(package: &Value) -> Vec<String> {
    let name = package["name"].as_str().unwrap_or_default();
    let version = package["version"].as_str().unwrap_or_default();
    let mut found = Vec::new();
    if let Some((_, reason)) = DENIED.iter().find(|(denied, _)| *denied == name) {
        found.push(format!("{name} {version}: {reason}"));
    }
    let licence = package["license"].as_str().unwrap_or("none");
    if !is_allowed(licence) {
        found.push(format!("{name} {version}: licence {licence:?} is not on the list"));
    }
    found
}

/// Whether an SPDX expression can be met by the list. `AND` needs all its parts, `OR` and the
/// older `/` one of them; brackets do not nest in the expressions that crates use.
fn is_allowed(expression: &str) -> bool {
    let flat = expression.replace(['(', ')'], "").replace('/', " OR ");
    flat.split(" AND ")
        .all(|part| part.split(" OR ").any(|licence| LICENCES.contains(&licence.trim())))
}

#[cfg(test)]
mod tests {
    use super::is_allowed;

    #[test]
    fn expressions_are_judged_by_their_parts() {
        assert!(is_allowed("MIT"));
        assert!(is_allowed("MIT/Apache-2.0"));
        assert!(is_allowed("(MIT OR GPL-3.0) AND Unicode-3.0"));
        assert!(!is_allowed("GPL-3.0"));
        assert!(!is_allowed("MIT AND GPL-3.0"));
    }
}
