//! Files get their name when they are whole and on the disk, in one place. A temporary file that is
//! written and renamed by hand leaves out one of the steps sooner or later.

use crate::tree::File;

/// What gives a file a name.
const RENAMING: &str = "fs::rename(";

/// Where that may stand.
const ALLOWED: [&str; 4] = [
    // The one place.
    "crates/scaffold-files/src/pending.rs",
    // Claims an unfinished download for one process; its contents stay unfinished.
    "crates/scaffold-hub/src/download/job.rs",
    // Links have no contents to make durable, and a blob has been made so before.
    "crates/scaffold-hub/src/cache/link.rs",
    // A directory of such links, which is there whole or not at all.
    "crates/scaffold-hub/src/made/tree.rs",
];

pub(crate) fn check(files: &[File]) -> Vec<String> {
    let mut findings = Vec::new();
    let ours = |file: &&File| file.is_rust() && file.path.starts_with("crates/");
    for file in files.iter().filter(ours) {
        if file.path.contains("/tests") {
            continue;
        }
        for (number, line) in file.lines_before_tests() {
            if is_broken(&file.path, line) {
                findings.push(format!(
                    "{}:{number}: files are named by scaffold-files: {}",
                    file.path,
                    line.trim()
                ));
            }
        }
    }
    findings
}

fn is_broken(path: &str, line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    code.contains(RENAMING) && !ALLOWED.contains(&path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rename_by_hand_is_found() {
        let line = "        .and_then(|()| fs::rename(&temporary, path));";
        assert!(is_broken("crates/scaffold-hub/src/disk.rs", line));
        assert!(!is_broken(ALLOWED[0], line));
        assert!(!is_broken("crates/scaffold-hub/src/disk.rs", "// not fs::rename(a, b)"));
    }
}
