//! The programs under `examples/`, run as their users run them, against models that are here.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use scaffold::config::Config;
use scaffold::hub::Silent;
use scaffold_testing::skip;

/// Where cargo puts examples beside tests.
fn example(name: &str) -> Command {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.extend(["examples", &format!("{name}{}", std::env::consts::EXE_SUFFIX)]);
    let mut command = Command::new(path);
    command.stdin(Stdio::null());
    command
}

/// The files of a model that the package index can bring, if they can be had.
fn model(name: &str) -> Option<PathBuf> {
    let config = Config::of_process().unwrap();
    let found = skip::model(name, scaffold::locate::locate(&config, name, &mut Silent))?;
    Some(found.files.path().to_owned())
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn a_chat_answers_what_is_typed() {
    let Some(model) = model("starter") else { return };
    let mut command = example("chat");
    command.arg(model).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // What is typed ahead is answered, too.
    let mut keys = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut keys, b"What is the capital of France?\n").unwrap();
    drop(keys);
    let output = child.wait_with_output().unwrap();
    assert!(!text(&output).trim().is_empty());
    assert!(String::from_utf8_lossy(&output.stderr).contains(" tokens]"), "{output:?}");
}

#[test]
fn texts_are_classified_by_several_threads() {
    let Some(model) = model("starter") else { return };
    let text = text(&example("classify").arg(model).output().unwrap());
    assert_eq!(text.lines().count(), 8, "{text}");
    assert!(text.lines().all(|line| line.starts_with("good  ") || line.starts_with("bad   ")));
}

#[test]
fn a_search_finds_the_page_among_thousands() {
    let Some(model) = model("all-minilm") else { return };
    let text = text(&example("search").arg(model).arg("floods of the Nile").output().unwrap());
    let first = text.lines().next().unwrap();
    assert!(first.contains("Nile") && first.contains("floods"), "{text}");
}
