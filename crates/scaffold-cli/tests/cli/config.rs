//! `scaffold config show`, and what is said about settings that cannot be used.

use serde_json::Value;

use crate::project::{Project, ran};

fn shown(project: &Project, arguments: &[&str], variables: &[(&str, &str)]) -> Value {
    let mut all = vec!["config", "show", "--json"];
    all.extend(arguments);
    let ran = project.run_with(&all, variables);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    serde_json::from_str(&ran.stdout).unwrap()
}

#[test]
fn a_fresh_directory_shows_the_defaults() {
    let config = shown(&Project::new(), &[], &[]);
    assert_eq!(config["LLM_MODEL"]["value"], "mistralai/Mistral-7B-Instruct-v0.2");
    assert_eq!(config["LLM_TEMPERATURE"]["value"], 0.7);
    assert_eq!(config["LLM_DO_SAMPLE"]["value"], true);
    assert_eq!(config["HF_TOKEN"]["value"], Value::Null);
    for (key, entry) in config.as_object().unwrap() {
        assert_eq!(entry["source"], "default", "{key}");
    }
    assert_eq!(config["LLM_DEVICE"]["chosen"], "cpu");
}

#[test]
fn every_source_is_named() {
    let project = Project::new()
        .file("scaffold.toml", "LLM_TOP_K = 11\nLLM_TOP_P = 0.5\n")
        .file(".env", "# ours\nexport LLM_TOP_P=0.6\nLLM_TEMPERATURE='0.1'\n");
    let config = shown(&project, &["--temperature", "0.3"], &[("LLM_MAX_LENGTH", "64")]);
    let entry = |key: &str| {
        let entry = &config[key];
        (entry["value"].to_string(), entry["source"].as_str().unwrap().to_owned())
    };
    let (value, source) = entry("LLM_TOP_K");
    assert!(value == "11" && source.ends_with("scaffold.toml:1"), "{value} {source}");
    let (value, source) = entry("LLM_TOP_P");
    assert!(value == "0.6" && source.ends_with(".env:2"), "{value} {source}");
    assert_eq!(entry("LLM_TEMPERATURE"), ("0.3".to_owned(), "flag --temperature".to_owned()));
    assert_eq!(
        entry("LLM_MAX_LENGTH"),
        ("64".to_owned(), "environment variable LLM_MAX_LENGTH".to_owned())
    );
}

#[test]
fn the_table_has_a_line_for_every_key() {
    let project = Project::new().file(".env", "LLM_TOP_K=3");
    let ran = project.run(&["config", "show"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.starts_with("KEY"), "{}", ran.stdout);
    let line = ran.stdout.lines().find(|line| line.starts_with("LLM_TOP_K")).unwrap();
    assert_eq!(line.split_whitespace().collect::<Vec<_>>(), ["LLM_TOP_K", "3", ".env:1"]);
    assert_eq!(ran.stderr, "");
}

#[test]
fn a_bad_value_is_a_usage_error_that_says_what_to_do() {
    let project = Project::new().file(".env", "LLM_DEVICE=tpu\n");
    for (arguments, variables, parts) in [
        (&["config", "show"][..], &[][..], ["LLM_DEVICE", "\"tpu\"", "auto, cpu, cuda", ".env:1"]),
        (
            &["config", "show"],
            &[("LLM_DEVICE", "gpu")],
            ["LLM_DEVICE", "\"gpu\"", "auto, cpu, cuda", "environment"],
        ),
        (
            &["config", "show", "--device", "cpu", "--top-k", "-3"],
            &[],
            ["LLM_TOP_K", "\"-3\"", "whole number", "flag --top-k"],
        ),
    ] {
        let ran = project.run_with(arguments, variables);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
        for part in parts {
            assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
        }
    }
}

#[test]
fn cuda_where_there_is_none_is_an_error() {
    let ran = Project::new().run(&["config", "show", "--device", "cuda"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(
        ran.stderr.contains("processor only") && ran.stderr.contains("flag --device"),
        "{}",
        ran.stderr
    );
}

#[test]
fn tokens_are_masked_wherever_they_come_from() {
    use std::io::Write as _;
    let secret = "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123";
    let project = Project::new().file("token.txt", format!("{secret}\n"));
    let outputs = [
        project.run_with(&["config", "show"], &[("HUGGINGFACE_TOKEN", secret)]),
        project.run_with(&["config", "show", "--json"], &[("HF_TOKEN", secret)]),
        project.run(&["config", "show", "--token-file", "token.txt"]),
        project.run(&["config", "show", "--token", secret]),
        {
            let mut command = project.command(&["config", "show", "--token", "-"]);
            command.stdin(std::process::Stdio::piped());
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
            let mut child = command.spawn().unwrap();
            child.stdin.take().unwrap().write_all(secret.as_bytes()).unwrap();
            let output = child.wait_with_output().unwrap();
            crate::project::Ran {
                code: output.status.code(),
                stdout: String::from_utf8(output.stdout).unwrap(),
                stderr: String::from_utf8(output.stderr).unwrap(),
            }
        },
        ran(project
            .file(".env", format!("HUGGINGFACE_TOKEN={secret}"))
            .command(&["config", "show"])
            .env("X", "y")),
    ];
    for ran in outputs {
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(ran.stdout.contains("40 characters, hidden"), "{ran:?}");
        assert!(!format!("{ran:?}").contains("NotAReal"), "{ran:?}");
    }
}

#[test]
fn a_token_in_scaffold_toml_is_refused() {
    let ran = Project::new()
        .file("scaffold.toml", "HF_TOKEN = \"hf_secretsecretsecret\"")
        .run(&["config", "show"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(
        ran.stderr.contains("usually committed") && !ran.stderr.contains("secretsecret"),
        "{}",
        ran.stderr
    );
}

#[test]
fn slips_in_dotenv_are_notes_on_standard_error() {
    let ran = Project::new().file(".env", "LLM_TEMPRATURE=1").run(&["config", "show"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("did you mean LLM_TEMPERATURE?"), "{}", ran.stderr);
}
