//! `scaffold debug logits` against what `transformers` computed.

use scaffold_testing::golden;
use scaffold_testing::tolerance::{MaxAbs, Tolerance as _};
use serde_json::Value;

use crate::project::Project;

fn row(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|logit| logit.as_f64().unwrap() as f32).collect()
}

fn logits(project: &Project, model: &str, ids: &[u32], flags: &[&str]) -> Value {
    let ids = ids.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
    let ran = project.run(&[&["debug", "logits", model, "--ids", &ids, "--json"], flags].concat());
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{model}: {}", ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}

#[test]
fn tiny_models_agree_with_transformers() {
    let project = Project::new();
    for name in ["llama", "mistral", "qwen2", "llama3_rope"] {
        let tiny = golden::tiny(name);
        let found = logits(&project, tiny.dir.to_str().unwrap(), &tiny.input_ids, &["--all"]);
        let rows: Vec<f32> = found["logits"].as_array().unwrap().iter().flat_map(row).collect();
        MaxAbs(1e-4).check(name, &rows, tiny.logits());
    }
}

#[test]
fn without_all_it_is_the_last_row() {
    let project = Project::new();
    let tiny = golden::tiny("llama");
    let model = tiny.dir.to_str().unwrap();
    let found = logits(&project, model, &tiny.input_ids, &["--dequantize", "--threads", "2"]);
    assert_eq!(found["ids"].as_array().unwrap().len(), tiny.input_ids.len());
    let all = logits(&project, model, &tiny.input_ids, &["--all"]);
    let last = all["logits"].as_array().unwrap().last().unwrap();
    assert_eq!(row(&found["logits"]), row(last));
}

#[test]
fn without_json_it_is_a_table_of_the_likeliest() {
    let tiny = golden::tiny("llama");
    let ran =
        Project::new().run(&["debug", "logits", tiny.dir.to_str().unwrap(), "--ids", "1,2,3"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.starts_with("after position 2 (token 3):\nTOKEN"), "{}", ran.stdout);
    assert_eq!(ran.stdout.lines().count(), 12, "{}", ran.stdout);
}

#[test]
fn ids_that_cannot_be_computed_are_refused_with_the_numbers() {
    let tiny = golden::tiny("llama");
    let model = tiny.dir.to_str().unwrap();
    let long = vec!["1"; 300].join(",");
    for (ids, code, parts) in [
        ("1,512", 1, &["512"][..]),
        (long.as_str(), 1, &["300", "256"]),
        ("1,x", 2, &["'x'"]),
        ("", 2, &["--ids"]),
    ] {
        let ran = Project::new().run(&["debug", "logits", model, "--ids", ids, "--json"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(code), ""), "{}", ran.stderr);
        for part in parts {
            assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
        }
    }
}
