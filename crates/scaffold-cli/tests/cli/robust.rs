//! What surrounds a run: files that are none, pipes that stay open, texts that want to drive the
//! terminal.

use std::fs;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use scaffold_testing::golden;
use scaffold_testing::hub::{FakeHub, FakeRepo, Fault};

use crate::project::{Project, ran};

/// A model's directory with this in its `config.json`.
fn with_config(project: &Project, name: &str, change: impl Fn(&mut serde_json::Value)) {
    let dir = project.path().join(name);
    fs::create_dir(&dir).unwrap();
    for entry in fs::read_dir(golden::tiny("llama").dir).unwrap().flatten() {
        fs::copy(entry.path(), dir.join(entry.file_name())).unwrap();
    }
    let path = dir.join("config.json");
    let mut config = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut config);
    fs::write(path, config.to_string()).unwrap();
}

#[test]
fn no_text_of_models_or_servers_drives_the_terminal() {
    const EVIL: &str = "\u{1b}]0;PWNED\u{7}\u{1b}[31mx\u{9b}31m";
    let project = Project::new();
    with_config(&project, "a", |config| config["model_type"] = EVIL.into());
    with_config(&project, "b", |config| config[EVIL] = 1.into());
    with_config(&project, "c", |config| config["hidden_act"] = EVIL.into());
    let hub = FakeHub::start();
    hub.add(FakeRepo::new("org/file").large_file(&format!("{EVIL}.gguf"), "x"));
    hub.add(FakeRepo::new("org/plain").large_file("m-Q4_0.gguf", "x"));
    let mut seen = 0;
    let mut look = |arguments: &[&str]| {
        let ran = project.run_with(arguments, &[("HF_ENDPOINT", &hub.url())]);
        // A key that nobody reads is told in a notice and refuses nothing.
        assert!(ran.code != Some(0) || arguments.contains(&"./b"), "{arguments:?}");
        for text in [&ran.stderr, &ran.stdout] {
            assert!(
                !text.contains(|c: char| c.is_control() && c != '\n' && c != '\t'),
                "{arguments:?}: {text:?}"
            );
        }
        seen += usize::from(ran.stderr.contains("PWNED"));
    };
    for model in ["./a", "./b", "./c", EVIL] {
        look(&["run", model, "hi"]);
        look(&["debug", "logits", model, "--ids", "1"]);
        look(&["embed", model, "hi"]);
    }
    look(&["pull", "org/file:Q9"]);
    look(&["config", EVIL]);
    let headers = vec![("x-error-message".to_owned(), "\u{1b}[31mPWNED".to_owned())];
    hub.spoil("/api/models/", 9, Fault::Status(403, headers));
    look(&["pull", "org/plain"]);
    assert!(seen >= 8, "the texts were not even shown: {seen}");
}

#[test]
fn a_password_in_the_endpoint_is_not_shown() {
    let (project, hub) = (Project::new(), FakeHub::start());
    let endpoint = hub.url().replace("://", "://user:s3cretpw@");
    for endpoint in [endpoint.as_str(), "htp://user:s3cretpw@h", "http://user:s3cretpw@"] {
        for arguments in [
            &["config", "show"][..],
            &["config", "show", "--json"],
            &["auth", "status", "--json"],
            &["auth", "whoami"],
            &["doctor"],
            &["doctor", "--json"],
            &["pull", "org/absent@v1"],
            &["check", "org/absent"],
        ] {
            let ran = project.run_with(arguments, &[("HF_ENDPOINT", endpoint)]);
            let text = format!("{}{}", ran.stdout, ran.stderr);
            assert!(!text.contains("s3cretpw"), "{arguments:?}: {text}");
        }
    }
}

/// Runs with a standard input that stays open; what it has said when it ended or after a while.
fn with_open_pipe(project: &Project, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = project.command(arguments);
    command.stdin(Stdio::piped()).stderr(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let pipe = child.stdin.take();
    let code = wait(&mut child, Duration::from_secs(4));
    if code.is_none() {
        child.kill().unwrap();
    }
    drop(pipe);
    let output = child.wait_with_output().unwrap();
    (code, String::from_utf8(output.stderr).unwrap())
}

fn wait(child: &mut Child, patience: Duration) -> Option<i32> {
    let until = Instant::now() + patience;
    while Instant::now() < until {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    None
}

#[test]
fn an_open_pipe_is_waited_for_aloud_or_not_at_all() {
    let project = Project::new();
    for arguments in [&["run", "./absent", "hi"][..], &["generate", "hi"]] {
        let (code, text) = with_open_pipe(&project, arguments);
        assert_eq!(code, None, "{text}");
        assert!(text.contains("standard input is open") && text.contains("--no-stdin"), "{text}");
    }
    let (code, text) = with_open_pipe(&project, &["run", "./absent", "hi", "--no-stdin"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("absent"), "{text}");
}

#[test]
fn a_dotenv_that_is_no_file_ends_nothing() {
    let directory = Project::new();
    fs::create_dir_all(directory.path().join(".env/bin")).unwrap();
    assert_eq!(directory.run(&["list"]).code, Some(0));

    let pipe = Project::new();
    let made = std::process::Command::new("mkfifo").arg(pipe.path().join(".env")).status();
    if made.is_ok_and(|status| status.success()) {
        let ran = pipe.run(&["list"]);
        assert_eq!(ran.code, Some(0));
        assert!(ran.stderr.contains("not a file"), "{ran:?}");
    }

    // As PowerShell writes it.
    let text = "LLM_TEMPERATURE=0.1\r\n";
    let units = [0xfeff].into_iter().chain(text.encode_utf16());
    let bytes: Vec<u8> = units.flat_map(u16::to_le_bytes).collect();
    let wide = Project::new().file(".env", bytes).run(&["config", "show"]);
    assert!(wide.stdout.contains("LLM_TEMPERATURE") && wide.stdout.contains(".env:1"), "{wide:?}");
}

#[test]
fn numbers_that_cannot_be_read_are_named() {
    let project = Project::new();
    for (name, value) in [
        ("HF_HUB_DOWNLOAD_TIMEOUT", "abc"),
        ("HF_HUB_ETAG_TIMEOUT", "10.5"),
        ("HF_HOME", "${NOWHERE}/x"),
    ] {
        let ran = project.run_with(&["list"], &[(name, value)]);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stderr.contains(name), "{ran:?}");
    }
    for (flag, value, part) in [
        ("--seed", "-2", "-1 for another"),
        ("--no-repeat-ngram-size", "-1", "0 or more"),
        ("--min-new-tokens", "1.5", "0 or more"),
        ("--temperature", "-1", "0 or more"),
        ("--min-p", "x", "a number"),
    ] {
        let ran = project.run(&["run", "./absent", "hi", flag, value]);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(
            ran.stderr.contains(part) && !ran.stderr.contains("unexpected argument"),
            "{ran:?}"
        );
    }
    let ran = project.run(&["run", "./absent", "hi", "--seed", "-1"]);
    assert!(ran.stderr.contains("absent"), "{ran:?}");
}

#[test]
fn a_pointer_of_git_lfs_is_called_so() {
    const POINTER: &str = "version https://git-lfs.github.com/spec/v1\noid sha256:cd6b\nsize 5\n";
    let project = Project::new().file("m.gguf", POINTER);
    with_config(&project, "m", |_| ());
    fs::write(project.path().join("m/model.safetensors"), POINTER).unwrap();
    for model in ["m", "m.gguf", "./m.gguf"] {
        let ran = project.run(&["run", model, "hi"]);
        assert!(ran.stderr.contains("Git LFS pointer") && ran.code == Some(1), "{ran:?}");
    }
}

#[test]
fn a_mistyped_file_is_no_repository() {
    let project = Project::new();
    let hub = FakeHub::start();
    for model in ["quant/none.gguf", "quant/model.safetensors", "none.gguf"] {
        let ran = project.run_with(&["run", model, "hi"], &[("HF_ENDPOINT", &hub.url())]);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(ran.stderr.contains("on this disk"), "{ran:?}");
    }
    assert!(hub.requests().is_empty());
}

#[test]
fn a_failed_embed_leaves_what_was_there() {
    let project = Project::new().file("texts", b"good\nbad \xff\n");
    for name in ["out.npy", "out.jsonl"] {
        let path = project.path().join(name);
        fs::write(&path, "what was there").unwrap();
        let ran = ran(&mut project.command(&[
            "embed",
            golden::tiny("bert").dir.to_str().unwrap(),
            "--file",
            "texts",
            "-o",
            name,
        ]));
        assert_ne!(ran.code, Some(0), "{ran:?}");
        assert_eq!(fs::read(&path).unwrap(), b"what was there");
    }
    let mut left: Vec<_> =
        fs::read_dir(project.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
    left.sort();
    assert_eq!(left, ["out.jsonl", "out.npy", "texts"]);
}
