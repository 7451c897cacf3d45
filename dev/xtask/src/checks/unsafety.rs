//! Unsafe code lies in the kernels and where files are mapped; every other crate forbids it, so
//! that a block of it cannot come in unseen.

use crate::tree::File;

/// Made of unsafe code at its bottom.
const NEEDS_IT: &str = "crates/scaffold-kernels/src/lib.rs";
/// Needs it in one module, for which it makes an exception that `forbid` would not let it make.
const NEEDS_IT_ONCE: &str = "crates/scaffold-formats/src/lib.rs";

pub(crate) fn check(files: &[File]) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| is_root(&file.path)) {
        let needed = match file.path.as_str() {
            NEEDS_IT => continue,
            NEEDS_IT_ONCE => "#![deny(unsafe_code)]",
            _ => "#![forbid(unsafe_code)]",
        };
        if !file.text.lines().any(|line| line == needed) {
            findings.push(format!("{}: has no {needed}", file.path));
        }
    }
    findings
}

/// Whether this is the root of a crate of the workspace: of its library or its program.
fn is_root(path: &str) -> bool {
    let parts: Vec<_> = path.split('/').collect();
    matches!(parts[..], ["crates" | "dev", _, "src", "lib.rs" | "main.rs"])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn roots_without_the_attribute_are_found() {
        let forbids = "//! A crate.\n\n#![forbid(unsafe_code)]\n";
        let denies = "#![deny(unsafe_code)]\n";
        let files = [
            file("crates/scaffold-text/src/lib.rs", forbids),
            file("crates/scaffold-new/src/lib.rs", "// #![forbid(unsafe_code)]\n"),
            file("crates/scaffold-new/src/deep/main.rs", ""),
            file("dev/tool/src/main.rs", denies),
            file(NEEDS_IT, ""),
            file(NEEDS_IT_ONCE, denies),
        ];
        assert_eq!(
            check(&files),
            [
                "crates/scaffold-new/src/lib.rs: has no #![forbid(unsafe_code)]",
                "dev/tool/src/main.rs: has no #![forbid(unsafe_code)]",
            ]
        );
    }
}
