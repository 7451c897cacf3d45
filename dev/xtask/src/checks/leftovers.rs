//! Tests write below the target directory and in temporary directories. What a cache consists of has
//! no business among the sources: git may ignore it, and it is hundreds of megabytes.

use std::fs;
use std::path::Path;

use crate::tree::{File, root};

/// Where sources lie.
const SOURCES: [&str; 5] = ["crates", "dev", "docs", "fuzz", "tests"];
/// Directories of tools, in which anything may lie.
const TOOLS: [&str; 3] = ["target", ".venv", "node_modules"];

pub(crate) fn check(_: &[File]) -> Vec<String> {
    let mut findings = Vec::new();
    for folder in SOURCES {
        walk(&root().join(folder), folder, &mut findings);
    }
    findings.sort();
    findings
}

fn walk(dir: &Path, shown: &str, findings: &mut Vec<String>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{shown}/{name}");
        let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_of_a_cache(&name, is_dir) {
            findings.push(format!("{path}: a test or program has left this here; remove it"));
        } else if is_dir && !TOOLS.contains(&name.as_str()) {
            walk(&entry.path(), &path, findings);
        }
    }
}

/// Whether a cache of models, ours or Python's, has such an entry.
fn is_of_a_cache(name: &str, is_dir: bool) -> bool {
    if is_dir {
        [".cache", ".locks", "huggingface"].contains(&name) || name.starts_with("models--")
    } else {
        name == "CACHEDIR.TAG"
            || [".packed", ".incomplete", ".whl"].iter().any(|e| name.ends_with(e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caches_are_found_wherever_they_lie() {
        let place = std::env::temp_dir().join(format!("xtask-leftovers-{}", std::process::id()));
        for dir in ["a/.cache/scaffold", "b/models--org--m/blobs", "target/.cache", "src/cache"] {
            fs::create_dir_all(place.join(dir)).unwrap();
        }
        fs::write(place.join("src/m.packed"), "").unwrap();
        fs::write(place.join("src/packed.rs"), "").unwrap();
        let mut findings = Vec::new();
        walk(&place, "crates", &mut findings);
        fs::remove_dir_all(&place).unwrap();
        findings.sort();
        let found: Vec<&str> = findings.iter().filter_map(|f| f.split(':').next()).collect();
        assert_eq!(found, ["crates/a/.cache", "crates/b/models--org--m", "crates/src/m.packed"]);
    }
}
