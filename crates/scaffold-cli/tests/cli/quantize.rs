//! `scaffold quantize` and `scaffold debug divergence`.

use std::fs;

use scaffold_testing::golden;
use scaffold_testing::tokenizer::byte_level;
use serde_json::Value;

use crate::project::Project;

/// A checkpoint with a tokenizer, in the project.
fn checkpoint(project: &Project) -> String {
    let dir = project.path().join("tiny");
    fs::create_dir(&dir).unwrap();
    for entry in fs::read_dir(golden::tiny("llama").dir).unwrap().map(Result::unwrap) {
        fs::copy(entry.path(), dir.join(entry.file_name())).unwrap();
    }
    fs::write(dir.join("tokenizer.json"), byte_level().to_string()).unwrap();
    fs::write(dir.join("tokenizer_config.json"), r#"{"eos_token": "</s>"}"#).unwrap();
    "./tiny".to_owned()
}

fn object(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn a_file_is_written_compared_and_not_replaced_unasked() {
    let project = Project::new();
    let model = checkpoint(&project);
    let text = project.path().join("text.txt");
    fs::write(&text, "A text of a few dozen letters, each of which is a token here.").unwrap();
    let write = ["quantize", &model, "--to", "q8_0", "-o", "small.gguf"];
    let ran = project.run(&[&write[..], &["--report", "--text", "text.txt", "--json"]].concat());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let told = object(&ran.stdout);
    assert_eq!(told["file_type"], "Q8_0");
    let size = fs::metadata(project.path().join("small.gguf")).unwrap().len();
    assert_eq!(told["bytes"].as_u64(), Some(size));
    let mean = told["report"]["mean"].as_f64().unwrap();
    assert!(0.0 < mean && mean < 0.01, "{told}");
    let compared = ["debug", "divergence", &model, "./small.gguf", "--text", "text.txt", "--json"];
    let ran = project.run(&compared);
    assert_eq!(object(&ran.stdout)["mean"].as_f64(), Some(mean), "{ran:?}");
    let ran = project.run(&write);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("--force"), "{ran:?}");
    let ran = project.run(&[&write[..], &["--force"]].concat());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("Q8_0") && ran.stdout.contains("small.gguf"), "{ran:?}");
}

#[test]
fn a_report_alone_writes_nothing() {
    let project = Project::new();
    let model = checkpoint(&project);
    let before = fs::read_dir(project.path()).unwrap().count();
    let ran = project.run(&["quantize", &model, "--to", "q4_0", "--report"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("divergence") && ran.stdout.contains("perplexity"), "{ran:?}");
    assert_eq!(fs::read_dir(project.path()).unwrap().count(), before);
}

#[test]
fn what_cannot_be_done_is_said() {
    let project = Project::new();
    let model = checkpoint(&project);
    for (flags, words) in [
        (&["--to", "q3_k_s", "-o", "x.gguf"][..], "\"q3_k_s\""),
        (&["--to", "q4_k"], "--out"),
        (&["--to", "f16", "--report"], "write a file with -o"),
        (&["--to", "q4_k", "-o", "none/x.gguf"], "none"),
    ] {
        let ran = project.run(&[&["quantize", &model], flags].concat());
        assert!(ran.code != Some(0) && ran.stderr.contains(words), "{flags:?}: {ran:?}");
    }
}
