//! The commands of the documents, run as they stand there; what a page shows of their output is
//! what they print.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use scaffold_testing::skip;

use crate::project::{Project, Ran, ran};
use crate::starter;

/// What a test cannot have or do: models that are large or gated, the network, minutes of
/// measuring, other programs, somebody who types, a server that goes on (`serve.rs` has that).
const LEFT_OUT: [&str; 20] = [
    "org/name",
    "./my-model",
    "./model.gguf",
    "mistral",
    "TinyLlama",
    "tinyllama",
    "cross-encoder/",
    "cargo ",
    "jq ",
    "git ",
    "auth login",
    "scaffold serve",
    "curl ",
    "openssl ",
    "keys.txt",
    "hub.invalid",
    "bench",
    "python",
    "OpenHermes",
    "/home/",
];

/// A command of a page and the lines that the page shows below it.
struct Shown {
    page: String,
    command: String,
    output: Vec<String>,
}

fn shown() -> Vec<Shown> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().join("docs");
    let mut all: Vec<Shown> = Vec::new();
    let mut pages: Vec<_> =
        fs::read_dir(docs).unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.sort();
    for page in pages.iter().filter(|page| page.extension().is_some_and(|end| end == "md")) {
        let (text, mut within) = (fs::read_to_string(page).unwrap(), false);
        for line in text.lines() {
            match line.strip_prefix("$ ") {
                _ if line.starts_with("```") => within = line == "```console",
                Some(command) if within => all.push(Shown {
                    page: page.file_name().unwrap().to_string_lossy().into_owned(),
                    command: command.to_owned(),
                    output: Vec::new(),
                }),
                None if within => all.last_mut().unwrap().output.push(line.to_owned()),
                _ => {}
            }
        }
    }
    all
}

/// Runs a line as a shell does, where the pages' files are and `scaffold` is on the path.
fn run(project: &Project, line: &str, variables: &[(&str, String)]) -> Ran {
    let binary = Path::new(env!("CARGO_BIN_EXE_scaffold")).parent().unwrap();
    let path = format!("{}:/usr/bin:/bin", binary.display());
    let mut command = Command::new("sh");
    command.args(["-c", line]).current_dir(project.path()).env_clear().env("PATH", path);
    command.env("HOME", project.path()).envs(variables.iter().cloned()).stdin(Stdio::null());
    ran(&mut command)
}

/// The lines of a page are there in this order; `…` stands for anything.
fn agrees(page: &[String], output: &str) -> Result<(), String> {
    let mut lines = output.lines();
    for wanted in page.iter().filter(|line| line.trim() != "…" && !line.trim().is_empty()) {
        let (start, end) = wanted.split_once('…').unwrap_or((wanted, ""));
        let is_it = |line: &str| {
            if wanted.contains('…') {
                return line.starts_with(start) && line.ends_with(end);
            }
            // Columns are as wide as what is in them.
            line.split_whitespace().eq(wanted.split_whitespace())
        };
        lines.find(|line| is_it(line)).ok_or_else(|| format!("{wanted:?} is not in:\n{output}"))?;
    }
    Ok(())
}

/// The Modelfile that the page about them shows first.
fn modelfile() -> &'static str {
    let page = include_str!("../../../../docs/your-own-models.md");
    page.split("```\n").nth(1).unwrap()
}

/// As the page on structured output shows it.
const CITY: &str = r#"{"type": "object", "properties": {"name": {"type": "string"}, "inhabitants": {"type": "integer", "minimum": 0}},
 "required": ["name", "inhabitants"], "additionalProperties": false}
"#;

#[test]
fn every_command_of_the_pages_does_what_the_page_shows() {
    let Some(variables) = starter::variables() else { return };
    let tools = r#"[{"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object", "properties": {}}}}]"#;
    let project = Project::new()
        .file("chat.json", r#"[{"role": "user", "content": "Hi"}]"#)
        .file("tools.json", tools)
        .file("report.txt", "Sales rose.")
        .file("city.json", CITY)
        .file("chess.gbnf", "root ::= [a-h] [1-8] \" \" [a-h] [1-8]\n")
        .file("texts.txt", "one\ntwo\n")
        .file("documents.txt", "one\ntwo\n")
        .file("Modelfile", modelfile())
        .file(".env", "LLM_MODEL=starter\n");
    fs::create_dir_all(project.path().join(".local/share/bash-completion/completions")).unwrap();
    let (mut made, mut wrong) = (0, Vec::new());
    for Shown { page, command, output } in shown() {
        let left_out = LEFT_OUT.iter().any(|part| command.contains(part));
        // A chat, which has tests of its own.
        if left_out || command == "scaffold run starter" {
            continue;
        }
        let embeds = command.contains("all-minilm") || command.contains("all-MiniLM");
        let mut variables = variables.to_vec();
        if page == "configuration.md" {
            variables.push(("LLM_TEMPERATURE", "0.2".to_owned()));
        }
        if embeds {
            let Some(home) = std::env::var_os("HOME") else { continue };
            let home = Path::new(&home).join(".cache/scaffold").display().to_string();
            variables
                .iter_mut()
                .filter(|(name, _)| *name == "SCAFFOLD_CACHE")
                .for_each(|v| v.1.clone_from(&home));
        }
        let ran = run(&project, &command, &variables);
        if embeds && ran.stderr.contains("is not in the cache") {
            skip::without(
                "all-minilm is not on this disk (scaffold pull all-minilm would bring it)",
            );
            continue;
        }
        made += 1;
        let told = [ran.stdout.as_str(), ran.stderr.as_str()].concat();
        if ran.code != Some(0) {
            wrong.push(format!("{page}: `{command}`: {ran:?}"));
        } else if let Err(why) = agrees(&output, &told) {
            wrong.push(format!("{page}: `{command}`: {why}"));
        }
    }
    assert!(made > 20, "only {made} were run");
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
