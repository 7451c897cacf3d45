//! Relative links in the documents must name files that exist.

use crate::tree::{File, root};

pub(crate) fn check(files: &[File]) -> Vec<String> {
    let root = root();
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.is_markdown()) {
        let folder = root.join(&file.path);
        let folder = folder.parent().expect("a file lies in a folder");
        for target in targets(&file.text) {
            let path = target.split('#').next().unwrap_or_default();
            if path.is_empty() || target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            if !folder.join(path).exists() {
                findings.push(format!("{}: links to {target}, which is not there", file.path));
            }
        }
    }
    findings
}

/// What stands in the round brackets of `[text](target)`, outside code fences.
fn targets(text: &str) -> Vec<&str> {
    let mut inside_fence = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            inside_fence = !inside_fence;
        }
        if inside_fence {
            continue;
        }
        let mut rest = line;
        while let Some(start) = rest.find("](") {
            rest = &rest[start + 2..];
            if let Some(end) = rest.find(')') {
                found.push(&rest[..end]);
                rest = &rest[end..];
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::targets;

    #[test]
    fn links_are_found_and_fences_are_skipped() {
        let text = "See [a](docs/a.md) and [b](b.md#part).\n```\n[c](c.md)\n```\n";
        assert_eq!(targets(text), ["docs/a.md", "b.md#part"]);
    }
}
