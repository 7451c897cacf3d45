//! What reaches the user goes through two files of the command line: `out.rs`, where text that
//! others wrote is made harmless, and `outfile.rs`, where files get their name when they are whole.
//! Everything else would be a way around them.

use crate::tree::File;

/// What writes to the terminal, and the file that may.
const PRINTING: [&str; 8] = [
    "io::stdout",
    "io::stderr",
    "print!(",
    "println!(",
    "eprint!(",
    "eprintln!(",
    "dbg!(",
    ".suspend(",
];
const PRINTER: &str = "crates/scaffold-cli/src/out.rs";

/// What puts text on a progress bar: only text that `out::plain` has seen.
const BARS: [&str; 2] = ["set_message(", "set_prefix("];
const SEEN: [&str; 2] = ["out::plain(", "text"];

/// What makes a file, and the file that may.
const MAKING: [&str; 4] = ["File::create", "fs::write(", "OpenOptions", "File::options"];
const MAKER: &str = "crates/scaffold-cli/src/outfile.rs";

/// Lines that look like one and are none: asking whether there is a terminal, printing through
/// `out`, text in quotes, a switch of the system's.
fn is_harmless(code: &str) -> bool {
    ["is_terminal()", "bar.suspend(|| out::say(", "\"/proc/self/"]
        .iter()
        .any(|part| code.contains(part))
        || code.trim_start().starts_with('"')
}

pub(crate) fn check(files: &[File]) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.is_rust() && file.path.starts_with("crates/")) {
        let is_test =
            ["/tests", "/examples/", "/benches/"].iter().any(|part| file.path.contains(part));
        if is_test {
            continue;
        }
        for (number, line) in file.lines_before_tests() {
            let code = line.split("//").next().unwrap_or_default();
            if let Some(why) = broken(&file.path, code) {
                findings.push(format!("{}:{number}: {why}: {}", file.path, line.trim()));
            }
        }
    }
    findings
}

/// Which rule a line breaks.
fn broken(path: &str, code: &str) -> Option<&'static str> {
    if is_harmless(code) {
        return None;
    }
    let code = code.replace("OutFile::create", "");
    let has = |words: &[&str]| words.iter().any(|word| code.contains(word));
    if path != PRINTER && has(&PRINTING) {
        return Some("only out.rs prints");
    }
    if has(&BARS) && !has(&SEEN) {
        return Some("text on a bar goes through out::plain");
    }
    if path.starts_with("crates/scaffold-cli/") && path != MAKER && has(&MAKING) {
        return Some("only outfile.rs makes files");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_around_are_found() {
        for (path, code) in [
            ("crates/scaffold-cli/src/progress.rs", "eprintln!(\"{name}\");"),
            ("crates/scaffold-hub/src/hub.rs", "writeln!(std::io::stderr(), \"{name}\")"),
            ("crates/scaffold-cli/src/progress.rs", "bar.set_message(file.clone());"),
            ("crates/scaffold-cli/src/commands/x.rs", "std::fs::write(path, text)?;"),
        ] {
            assert!(broken(path, code).is_some(), "{code}");
        }
        for (path, code) in [
            (PRINTER, "writeln!(io::stderr(), \"{}\", plain(text))"),
            (MAKER, "File::create_new(&temporary)"),
            ("crates/scaffold-cli/src/session.rs", "if std::io::stderr().is_terminal() {"),
            ("crates/scaffold-cli/src/progress.rs", "bar.set_message(out::plain(file));"),
            ("crates/scaffold-hub/src/disk.rs", "fs::write(&temporary, contents)"),
        ] {
            assert_eq!(broken(path, code), None, "{code}");
        }
    }
}
