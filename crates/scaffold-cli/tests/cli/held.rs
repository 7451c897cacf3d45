//! Answers that are held to a form, from a model whose weights are random.

use std::fs;

use scaffold_testing::golden::tiny;
use scaffold_testing::tokenizer::byte_level;
use serde_json::{Value, json};

use crate::project::Project;

/// A project with a model that says noise, and files of forms.
fn project() -> Project {
    let project = Project::new()
        .file(
            "person.json",
            r#"{"type": "object", "properties": {"name": {"type": "string", "maxLength": 5}, "age": {"type": "integer", "minimum": 0,
                "maximum": 99}}, "required": ["name", "age"], "additionalProperties": false}"#,
        )
        .file("chess.gbnf", "root ::= piece? [a-h] [1-8]\npiece ::= [KQRBN]\n")
        .file("chess.lark", "start: PIECE? /[a-h]/ /[1-8]/\nPIECE: /[KQRBN]/\n");
    let directory = project.path().join("model");
    fs::create_dir(&directory).unwrap();
    for file in ["config.json", "model.safetensors"] {
        fs::copy(tiny("llama").dir.join(file), directory.join(file)).unwrap();
    }
    fs::write(directory.join("tokenizer.json"), byte_level().to_string()).unwrap();
    project
}

/// What is said with these flags, as noise.
fn said(project: &Project, flags: &[&str], seed: usize) -> String {
    let seed = seed.to_string();
    let common = [
        "run",
        "./model",
        "Say.",
        "--temperature",
        "1.5",
        "--max-new-tokens",
        "200",
        "--seed",
        &seed,
    ];
    let ran = project.run(&[&common, flags].concat());
    assert_eq!(ran.code, Some(0), "{flags:?}: {}", ran.stderr);
    ran.stdout.strip_suffix('\n').unwrap_or(&ran.stdout).to_owned()
}

#[test]
fn noise_keeps_to_what_flags_say() {
    let project = project();
    for seed in 0..3 {
        let person: Value =
            serde_json::from_str(&said(&project, &["--schema", "person.json"], seed)).unwrap();
        assert!(person["name"].as_str().unwrap().chars().count() <= 5, "{person}");
        assert!((0..=99).contains(&person["age"].as_u64().unwrap()), "{person}");
        let year = said(&project, &["--regex", "(19|20)[0-9]{2}"], seed);
        assert!(year.len() == 4 && (1900..2100).contains(&year.parse().unwrap()), "{year}");
        let chosen = said(&project, &["--choices", "yes,no,not at all"], seed);
        assert!(["yes", "no", "not at all"].contains(&&*chosen), "{chosen}");
        for grammar in ["chess.gbnf", "chess.lark"] {
            let moved = said(&project, &["--grammar", grammar], seed);
            let square = moved.trim_start_matches(['K', 'Q', 'R', 'B', 'N']);
            assert!(square.len() == 2 && moved.len() <= 3, "{grammar}: {moved}");
            assert!(
                square.starts_with(|c| ('a'..='h').contains(&c))
                    && square.ends_with(|c| ('1'..='8').contains(&c)),
                "{moved}"
            );
        }
    }
}

#[test]
fn what_cannot_be_kept_to_is_told_with_its_place() {
    let not = json!({ "properties": { "a": { "not": { "enum": [1] } } } });
    let project = project()
        .file("not.json", not.to_string())
        .file("bad.json", "{")
        .file("bad.gbnf", "root ::= \"a\" thing\n");
    for (flags, code, words) in [
        (&["--schema", "not.json"][..], 1, "`not` at `#/properties/a/not`"),
        (&["--schema", "bad.json"], 2, "bad.json is no JSON"),
        (&["--schema", "none.json"], 2, "none.json"),
        (&["--grammar", "bad.gbnf"], 2, "the rule `thing`"),
        (&["--regex", "(a"], 2, "unclosed group"),
        (&["--regex", r"(a)\1"], 2, "backreferences"),
        (&["--choices", ""], 2, "choices"),
        (&["--regex", "a", "--choices", "b"], 2, "--choices"),
    ] {
        let ran = project.run(&[&["run", "./model", "Say."], flags].concat());
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(code), ""), "{flags:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(words), "{flags:?}: {}", ran.stderr);
    }
}

#[test]
fn an_answer_that_is_cut_says_so() {
    let project = project();
    let ran = project.run(&[
        "run",
        "./model",
        "Say.",
        "--schema",
        "person.json",
        "--max-new-tokens",
        "4",
        "--json",
    ]);
    let told = ran.stdout + &ran.stderr;
    assert!(told.contains("incomplete"), "{told}");
}
