//! Fetching, listing, describing and removing models, and the access token, against a fake Hub.

use std::io::Write as _;
use std::process::Stdio;

use scaffold_testing::golden;
use scaffold_testing::hub::{FakeHub, FakeRepo, FakeToken};
use serde_json::Value;

use crate::project::{Project, Ran};

const TOKEN: &str = "hf_TeStToKeNnEvErToBeSeEnAnYwHeRe00000";

/// A Hub with a tiny model that really computes, a gated one and one of several quantizations.
fn hub() -> FakeHub {
    let hub = FakeHub::start();
    let mut tiny = FakeRepo::new("org/tiny").file("README.md", "---\nlicense: mit\n---\n");
    for entry in std::fs::read_dir(golden::tiny("llama").dir).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        let bytes = std::fs::read(entry.path()).unwrap();
        tiny = if name == "model.safetensors" {
            tiny.large_file(&name, bytes)
        } else {
            tiny.file(&name, bytes)
        };
    }
    if !tiny.files.iter().any(|f| f.path == "tokenizer.json") {
        tiny = tiny.file("tokenizer.json", "{}");
    }
    hub.add(tiny);
    hub.add(FakeRepo::new("org/gated").large_file("model.safetensors", "x").gated("auto"));
    hub.add(
        FakeRepo::new("org/gguf")
            .large_file("m-Q4_0.gguf", vec![0; 400])
            .large_file("m-Q8_0.gguf", vec![0; 800]),
    );
    hub.add_token(FakeToken::fine_grained(TOKEN, &[]));
    hub
}

fn run(project: &Project, hub: &FakeHub, arguments: &[&str]) -> Ran {
    let ran = project.run_with(arguments, &[("HF_ENDPOINT", &hub.url())]);
    for text in [&ran.stdout, &ran.stderr] {
        assert!(!text.contains(TOKEN), "{arguments:?} shows the token");
    }
    ran
}

fn done(project: &Project, hub: &FakeHub, arguments: &[&str]) -> String {
    let ran = run(project, hub, arguments);
    assert_eq!(ran.code, Some(0), "{arguments:?}: {ran:?}");
    ran.stdout
}

fn json(project: &Project, hub: &FakeHub, arguments: &[&str]) -> Value {
    serde_json::from_str(&done(project, hub, arguments)).unwrap()
}

#[test]
fn a_models_whole_life() {
    let (project, hub) = (Project::new(), hub());
    let planned = json(&project, &hub, &["pull", "org/tiny", "--dry-run", "--json"]);
    assert!(planned["bytes"].as_u64().unwrap() > 1000, "{planned}");
    assert!(done(&project, &hub, &["list"]).is_empty(), "a dry run fetches nothing");

    let path = done(&project, &hub, &["pull", "org/tiny"]);
    assert!(std::path::Path::new(path.trim()).join("config.json").exists(), "{path}");
    let again = json(&project, &hub, &["pull", "org/tiny", "--json"]);
    assert_eq!(again["source"], "the cache");

    let listed = json(&project, &hub, &["list", "--json"]);
    assert_eq!(
        (&listed[0]["name"], &listed[0]["complete"], &listed[0]["format"]),
        (&"org/tiny".into(), &true.into(), &"safetensors".into())
    );
    let table = done(&project, &hub, &["ls"]);
    assert!(
        table.starts_with("NAME") && table.contains("org/tiny") && table.contains("total"),
        "{table}"
    );
    assert!(done(&project, &hub, &["list", "nothing-like-it"]).is_empty());

    let shown = json(&project, &hub, &["show", "org/tiny", "--json"]);
    assert_eq!(
        (&shown["architecture"], &shown["licence"], &shown["capabilities"][0]),
        (&"llama".into(), &"mit".into(), &"completion".into())
    );
    assert!(done(&project, &hub, &["show", "org/tiny"]).contains("parameters"));

    let sound = done(&project, &hub, &["cache", "verify"]);
    assert!(sound.contains("0 damaged"), "{sound}");
    let plan = json(&project, &hub, &["rm", "org/tiny", "--dry-run", "--json"]);
    let done_json = json(&project, &hub, &["rm", "org/tiny", "--json"]);
    assert_eq!(plan, done_json);
    assert!(plan[0]["freed"].as_u64().unwrap() > 1000);
    assert_eq!(json(&project, &hub, &["list", "--json"]), serde_json::json!([]));
    assert!(done(&project, &hub, &["cache", "prune"]).contains("freed 0 bytes"));
    let gone = run(&project, &hub, &["rm", "org/tiny"]);
    assert_eq!(gone.code, Some(1), "{gone:?}");
    let absent = run(&project, &hub, &["show", "org/tiny"]);
    assert!(
        absent.code == Some(1) && absent.stderr.contains("scaffold pull org/tiny"),
        "{absent:?}"
    );
}

#[test]
fn damage_has_an_exit_code() {
    let (project, hub) = (Project::new(), hub());
    let path = done(&project, &hub, &["pull", "org/gguf:Q4_0"]);
    let blob = std::fs::canonicalize(path.trim()).unwrap();
    std::fs::write(blob, vec![1; 400]).unwrap();
    let damaged = run(&project, &hub, &["cache", "verify", "org/gguf"]);
    assert!(damaged.code == Some(1) && damaged.stdout.contains("1 damaged"), "{damaged:?}");
    assert!(damaged.stderr.contains("scaffold rm"), "{damaged:?}");
}

#[test]
fn a_look_before_the_download() {
    let (project, hub) = (Project::new(), hub());
    let open = json(&project, &hub, &["check", "org/tiny", "--json"]);
    assert_eq!(
        (&open["granted"], &open["supported"], &open["architecture"]),
        (&true.into(), &true.into(), &"llama".into()),
        "{open}"
    );
    let text = done(&project, &hub, &["check", "org/tiny"]);
    assert!(text.contains("llama, supported") && text.contains("fits"), "{text}");

    let gated = run(&project, &hub, &["check", "org/gated"]);
    assert_eq!(gated.code, Some(1));
    for want in ["refused, see below", "Request access", "Models without a gate"] {
        assert!(gated.stdout.contains(want), "{want}: {gated:?}");
    }
    let gguf = run(&project, &hub, &["check", "org/gguf"]);
    assert!(gguf.stdout.contains("Q8_0") && gguf.stdout.contains("over 12.0 MiB"), "{gguf:?}");
    let absent = run(&project, &hub, &["check", "org/absent"]);
    assert!(
        absent.code == Some(1) && absent.stderr.contains("does not exist, or is private"),
        "{absent:?}"
    );
    assert!(done(&project, &hub, &["list"]).is_empty(), "a look leaves nothing behind");
}

/// Without the Hub, `check` looks at the copy that is here, and says so.
#[test]
fn a_look_at_the_copy_that_is_here() {
    let (project, hub) = (Project::new(), hub());
    let offline = |arguments: &[&str]| {
        project.run_with(arguments, &[("HF_ENDPOINT", &hub.url()), ("HF_HUB_OFFLINE", "1")])
    };
    let absent = offline(&["check", "org/tiny"]);
    assert!(
        absent.code == Some(2) && absent.stderr.contains("scaffold pull org/tiny"),
        "{absent:?}"
    );
    done(&project, &hub, &["pull", "org/tiny"]);
    let copy = offline(&["check", "org/tiny", "--json"]);
    assert_eq!(copy.code, Some(0), "{copy:?}");
    let copy: Value = serde_json::from_str(&copy.stdout).unwrap();
    assert_eq!(
        (&copy["asked"], &copy["source"], &copy["supported"]),
        (&false.into(), &"the cache".into(), &true.into()),
        "{copy}"
    );
    let text = offline(&["check", "org/tiny"]);
    assert!(text.stdout.contains("llama, supported") && text.stdout.contains("fits"), "{text:?}");
    assert!(text.stderr.contains("the copy that is here"), "it says what it looked at: {text:?}");
}

#[test]
fn signing_in_and_out() {
    let (project, hub) = (Project::new(), hub());
    assert_eq!(run(&project, &hub, &["auth", "status"]).code, Some(1));
    let missing = run(&project, &hub, &["auth", "whoami"]);
    assert!(
        missing.code == Some(2) && missing.stderr.contains("scaffold auth login"),
        "{missing:?}"
    );

    let mut child = project
        .command(&["auth", "login"])
        .env("HF_ENDPOINT", hub.url())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(format!("{TOKEN}\n").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(
        output.status.success() && text.contains("signed in as someone") && !text.contains(TOKEN),
        "{text}"
    );

    assert!(done(&project, &hub, &["auth", "status"]).contains("a token is in use"));
    let who = json(&project, &hub, &["auth", "whoami", "--json"]);
    assert_eq!(
        (&who["name"], &who["kind"], &who["reads_gated"]),
        (&"someone".into(), &"fine-grained".into(), &true.into())
    );
    assert!(done(&project, &hub, &["auth", "whoami"]).contains("every gated repository"));
    assert!(done(&project, &hub, &["auth", "logout"]).contains("token"));
    assert_eq!(run(&project, &hub, &["auth", "status"]).code, Some(1));

    let malformed =
        project.run_with(&["auth", "status"], &[("HF_TOKEN", "sk-not-a-token-of-the-hub")]);
    assert!(
        malformed.stdout.contains("cannot be one") || malformed.stderr.contains("cannot"),
        "{malformed:?}"
    );
    assert!(!malformed.stdout.contains("sk-not") && !malformed.stderr.contains("sk-not"));
}

#[test]
fn a_folder_is_checked_with_its_weights_or_without() {
    let (project, hub) = (Project::new(), hub());
    let folder = |model_type: &str| {
        let dir = tempfile::tempdir().unwrap();
        let config =
            format!(r#"{{"model_type": "{model_type}", "time_step_limit": [0.0, Infinity]}}"#);
        std::fs::write(dir.path().join("config.json"), config).unwrap();
        dir
    };
    let known = folder("llama");
    let path = known.path().display().to_string();
    let text = done(&project, &hub, &["check", &path]);
    for part in ["llama, supported", "model.safetensors", "time_step_limit", "MEMORY"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let unknown = folder("mamba2");
    let path = unknown.path().display().to_string();
    let ran = run(&project, &hub, &["check", &path, "--json"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(told["supported"], false);
    assert!(told["unsupported"].as_str().unwrap().contains("`mamba2`"));
}
