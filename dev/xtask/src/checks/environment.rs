//! The environment is read at the doors and handed down as values, so that a library call does
//! what its arguments say and nothing else.

use crate::tree::File;

/// Where reading a variable is the job.
const DOORS: [&str; 4] = [
    "crates/scaffold-cli/",
    "crates/scaffold/src/config",
    "crates/scaffold-server/src/main.rs",
    "dev/",
];

pub(crate) fn check(files: &[File]) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        let is_door = DOORS.iter().any(|door| file.path.starts_with(door));
        let is_test = ["/tests", "/examples/", "/benches/", "fuzz/"]
            .iter()
            .any(|part| file.path.contains(part));
        if is_door || is_test {
            continue;
        }
        for (number, line) in file.lines_before_tests() {
            let code = line.split("//").next().unwrap_or_default();
            if code.contains("env::var") {
                findings.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    findings
}
