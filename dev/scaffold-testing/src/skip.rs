//! Tests that cannot run everywhere: what they lack is told, kept in a list, or a failure.
//!
//! A test that needs a model or a tool is skipped where there is none, with a line on standard
//! error. A line is easily overlooked, so two variables make more of it:
//! - `SCAFFOLD_TEST_MODELS=required`: a model that cannot be had is a failure, with the reason;
//! - `SCAFFOLD_TEST_SKIPPED=FILE`: each skipped test adds a line to this file.

use std::fmt::Display;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use std::process::Output;

/// Says that models have to be there.
const MODELS: &str = "SCAFFOLD_TEST_MODELS";
const REQUIRED: &str = "required";
/// Names the file that lists what was skipped.
const LIST: &str = "SCAFFOLD_TEST_SKIPPED";

/// Whether a model that cannot be had is a failure.
pub fn models_are_required() -> bool {
    match std::env::var(MODELS) {
        Ok(value) if value == REQUIRED => true,
        Ok(value) if value.is_empty() => false,
        Ok(value) => panic!("{MODELS} is {value:?}, and only {REQUIRED:?} is known"),
        Err(_) => false,
    }
}

/// The model that a test needs; `None` where the test is to be skipped.
///
/// # Panics
/// There is none, and models are required.
pub fn model<T, E: Display>(what: &str, found: Result<T, E>) -> Option<T> {
    match decide(models_are_required(), what, found) {
        Ok(found) => Some(found),
        Err(Lack::Fails(problem)) => panic!("{problem}"),
        Err(Lack::Skips(why)) => {
            without(&why);
            None
        }
    }
}

/// What the lack of a model means.
#[derive(Debug, PartialEq)]
enum Lack {
    Fails(String),
    Skips(String),
}

fn decide<T, E: Display>(required: bool, what: &str, found: Result<T, E>) -> Result<T, Lack> {
    found.map_err(|why| {
        if required {
            Lack::Fails(format!(
                "{what} cannot be had, and {MODELS}={REQUIRED} says that it must: {why}"
            ))
        } else {
            Lack::Skips(format!("{what} cannot be had: {why}"))
        }
    })
}

/// What a run of our own program that fetches something has come to: its refusal, if it refused in
/// good order.
///
/// # Errors
/// The program's words where it ended with one of its own codes for a failure.
///
/// # Panics
/// It ended in any other way: a crash is no lack of a model.
pub fn refusal(output: &Output) -> Result<(), String> {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    match output.status.code() {
        Some(0) => Ok(()),
        Some(1 | 2) if !said.contains("panicked at") => Err(said),
        _ => panic!("the program crashed ({}): {said}", output.status),
    }
}

/// Skips a test for a reason that no setting makes a failure, such as a tool that is not installed.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
pub fn without(why: &str) {
    let thread = std::thread::current();
    let line = format!("{}: {}", thread.name().unwrap_or("a test"), one_line(why));
    eprintln!("skipped: {line}");
    if let Some(list) = std::env::var_os(LIST).filter(|list| !list.is_empty()) {
        note(Path::new(&list), &line);
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Adds a line in one write, so that programs of tests that run side by side do not tear it.
fn note(list: &Path, line: &str) {
    let written = OpenOptions::new()
        .create(true)
        .append(true)
        .open(list)
        .and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
    written.unwrap_or_else(|error| panic!("{LIST}: {}: {error}", list.display()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_that_is_required_and_missing_fails_with_the_reason() {
        assert_eq!(decide(true, "the model", Ok::<_, String>(7)), Ok(7));
        assert_eq!(decide(false, "the model", Ok::<_, String>(7)), Ok(7));
        let missing = |required| decide(required, "the model", Err::<u8, _>("no route"));
        let told = |text: &str| text.contains("the model") && text.contains("no route");
        assert!(matches!(missing(true), Err(Lack::Fails(why)) if told(&why)));
        assert!(matches!(missing(false), Err(Lack::Skips(why)) if told(&why)));
    }

    #[test]
    fn skipped_tests_are_lines_of_a_list() {
        let directory = tempfile::tempdir().unwrap();
        let list = directory.path().join("skipped");
        note(&list, &one_line("a: two\n  lines"));
        note(&list, "b: one");
        let text = std::fs::read_to_string(list).unwrap();
        assert_eq!(text, "a: two lines\nb: one\n");
    }

    #[cfg(unix)]
    #[test]
    fn a_crash_is_not_a_refusal() {
        use std::os::unix::process::ExitStatusExt as _;
        use std::process::ExitStatus;
        let ended = |status: i32, stderr: &str| Output {
            status: ExitStatus::from_raw(status),
            stdout: Vec::new(),
            stderr: stderr.into(),
        };
        assert_eq!(refusal(&ended(0, "")), Ok(()));
        assert_eq!(refusal(&ended(2 << 8, "no")), Err("no".to_owned()));
        // A signal, a panic's own code, and a panic that was made a failure.
        for (status, stderr) in [(11, ""), (101 << 8, ""), (1 << 8, "panicked at x.rs")] {
            let crashed = std::panic::catch_unwind(|| refusal(&ended(status, stderr)));
            assert!(crashed.is_err(), "{status}");
        }
    }
}
