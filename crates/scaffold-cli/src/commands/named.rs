//! Every command and flag that a message or a document names exists.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory as _};

use scaffold::Remedy;

use super::Cli;
use crate::remedy;

/// The sources and documents of the repository, without tests.
fn texts() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let mut folders = vec![root.join("crates"), root.join("docs")];
    let mut files = vec![root.join("README.md")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            match path.extension().and_then(|end| end.to_str()) {
                None if path.is_dir() && name != "tests" && name != "target" => folders.push(path),
                Some("rs" | "md") if name != "tests.rs" && name != "named.rs" => files.push(path),
                _ => {}
            }
        }
    }
    files.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

/// What follows `scaffold ` in a stretch of code (`` `scaffold pull NAME` ``, `$ scaffold pull`),
/// up to its end.
fn calls(text: &str) -> impl Iterator<Item = &str> {
    let starts = ["`scaffold ", "$ scaffold ", "(scaffold ", "| scaffold "];
    let after = move |start: &'static str| {
        let found = text.match_indices(start);
        found.map(move |(at, _)| &text[at + start.len()..])
    };
    starts.into_iter().flat_map(after).map(|rest| {
        let end = rest.find(['`', '\n', ')', '|', '"', '>', '#']).unwrap_or(rest.len());
        &rest[..end]
    })
}

/// Why a call cannot be made, if so.
fn check(root: &Command, call: &str) -> Option<String> {
    let mut command = root;
    for word in call.split_whitespace() {
        if let Some(flag) = word.strip_prefix("--") {
            let flag = flag.split(['=', ',', '.', ';', ']', '\\']).next().unwrap_or_default();
            let known = |arg: &clap::Arg| arg.get_long() == Some(flag);
            let found = command.get_arguments().any(known) || root.get_arguments().any(known);
            if !found && !flag.is_empty() && flag != "help" && flag != "version" {
                return Some(format!("{} has no --{flag}", command.get_name()));
            }
        } else if command.has_subcommands() {
            let word = word.trim_matches([',', '.', ';']);
            let plain = word.chars().all(|c| c.is_ascii_lowercase()) && !word.is_empty();
            match command.find_subcommand(word) {
                Some(below) => command = below,
                None if plain => return Some(format!("there is no command {word}")),
                None => return None,
            }
        }
    }
    None
}

#[test]
fn every_command_that_is_named_exists() {
    let mut root = Cli::command();
    root.build();
    let (mut seen, mut wrong) = (0, Vec::new());
    for (path, text) in texts() {
        for call in calls(&text) {
            seen += 1;
            wrong.extend(
                check(&root, call)
                    .map(|why| format!("{}: `scaffold {call}`: {why}", path.display())),
            );
        }
    }
    assert!(seen > 100, "only {seen} were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A command and all below it.
fn all(command: &Command) -> Vec<&Command> {
    let below = command.get_subcommands().flat_map(all);
    std::iter::once(command).chain(below).collect()
}

#[test]
fn every_remedy_names_what_exists() {
    let mut root = Cli::command();
    root.build();
    let model = "org/name".to_owned();
    let remedies = [
        (Remedy::Pull(model), "`scaffold pull org/name`"),
        (Remedy::Login, "`scaffold auth login`"),
        (Remedy::TokenStatus, "`scaffold auth status`"),
        (Remedy::WhoAmI, "`scaffold auth whoami`"),
        (Remedy::ListModels, "`scaffold list`"),
        (Remedy::RemoveModels, "`scaffold rm MODEL`"),
        (Remedy::Prune, "`scaffold cache prune`"),
        (Remedy::GoOnline, "--offline"),
        (Remedy::Truncate, "--truncate"),
        (Remedy::Set { key: "SCAFFOLD_UNKNOWN_KEYS", values: "ignore" }, "--unknown-keys"),
    ];
    for (remedy, named) in remedies {
        let words = remedy::words(&remedy);
        assert!(words.contains(named), "{words}");
        for call in calls(&words) {
            assert_eq!(check(&root, call), None, "{words}");
        }
        for flag in words.split([' ', ';', ',']).filter_map(|word| word.strip_prefix("--")) {
            let known = |arg: &clap::Arg| arg.get_long() == Some(flag);
            let known = all(&root).iter().any(|command| command.get_arguments().any(known));
            assert!(known, "there is no --{flag}: {words}");
        }
    }
}

#[test]
fn a_command_that_is_none_is_found() {
    let mut root = Cli::command();
    root.build();
    for (call, right) in [
        ("cache prune", true),
        ("prune", false),
        ("pull org/name --revision x", false),
        ("run starter --temperature 0.5", true),
        ("auth login --offline", true),
    ] {
        assert_eq!(check(&root, call).is_none(), right, "{call}: {:?}", check(&root, call));
    }
}
