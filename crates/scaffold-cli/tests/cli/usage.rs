//! Help, wrong usage, and a reader that goes away.

use std::process::Stdio;

use crate::project::{Project, ran};

/// Every command that has help of its own.
const COMMANDS: &[&[&str]] = &[
    &[],
    &["config"],
    &["config", "show"],
    &["completions"],
    &["debug"],
    &["debug", "logits"],
    &["run"],
    &["generate"],
    &["bench"],
    &["serve"],
    &["connect"],
];

#[test]
fn every_command_has_help_with_examples() {
    let project = Project::new();
    for command in COMMANDS {
        let ran = project.run(&[*command, &["--help"]].concat());
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{command:?}");
        assert!(ran.stdout.contains("Usage: scaffold"), "{command:?}: {}", ran.stdout);
        if !matches!(command, ["config" | "debug"]) {
            assert!(ran.stdout.contains("Examples:"), "{command:?}: {}", ran.stdout);
        }
    }
}

#[test]
fn wrong_usage_is_code_2_and_leaves_standard_output_alone() {
    let project = Project::new();
    for arguments in [
        &[][..],
        &["frobnicate"],
        &["config", "show", "--nonsense"],
        &["config", "show", "--token"],
    ] {
        let ran = project.run(arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(ran.stderr.contains("--help"), "{arguments:?}: {}", ran.stderr);
    }
}

#[test]
fn the_version_is_a_line() {
    let ran = Project::new().run(&["--version"]);
    assert_eq!(
        (ran.code, ran.stdout),
        (Some(0), format!("scaffold {}\n", env!("CARGO_PKG_VERSION")))
    );
}

#[test]
fn a_closed_pipe_is_no_error() {
    let project = Project::new();
    for arguments in [&["config", "show"][..], &["config", "show", "--json"], &["--help"]] {
        let mut command = project.command(arguments);
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = command.stdout(writer).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert!(
            output.stderr.is_empty(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[test]
fn a_token_in_the_wrong_place_is_not_repeated() {
    let ran = Project::new().run(&["config", "show", "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123"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(!ran.stderr.contains("NotAReal"), "{}", ran.stderr);
}

#[test]
fn completions_are_scripts_for_each_shell() {
    let project = Project::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = project.run(&["completions", shell]);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{shell}");
        assert!(ran.stdout.contains("scaffold") && ran.stdout.contains("COMPLETE"), "{shell}");
    }
}

/// What a shell offers after these words, the last of which is not complete.
fn offered(project: &Project, words: &[&str]) -> String {
    let mut command = project.command(&[]);
    command.arg("--").args(words);
    command.env("COMPLETE", "fish");
    let ran = ran(&mut command);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran.stdout
}

#[test]
fn a_shell_is_offered_commands_flags_values_and_models() {
    let project = Project::new();
    for (words, wanted, unwanted) in [
        (&["scaffold", "em"][..], "embed", "run"),
        (&["scaffold", "run", "star"], "starter", "mistral"),
        (&["scaffold", "run", "starter", "--kv-type", ""], "q8", "starter"),
        (&["scaffold", "bench", "starter", "--dtype", "int"], "int8", "float16"),
        (&["scaffold", "run", "starter", "--cpu", "av"], "avx2", "neon"),
        (&["scaffold", "run", "starter", "--packed-cache", "o"], "off", "auto"),
        (&["scaffold", "run", "starter", "--temp"], "--temperature", "--top-p"),
    ] {
        let offered = offered(&project, words);
        let first = |line: &str| line.split('\t').next().unwrap_or_default().to_owned();
        let names: Vec<String> = offered.lines().map(first).collect();
        let has = |name: &str| names.iter().any(|other| other == name);
        assert!(has(wanted) && !has(unwanted), "{words:?}: {offered}");
    }
}
