use std::path::Path;

use scaffold_hub::Silent;

use super::*;
use crate::config::Inputs;
use crate::embed::golden;
use crate::report::Form;

/// A run over these models, without the network.
fn report(model: &str, embedding_model: &str, cross_encoder: &str) -> Report {
    let home = tempfile::tempdir().unwrap();
    let variable = |name: &str| match name {
        "HOME" => Some(home.path().into()),
        "HF_HUB_OFFLINE" => Some("1".into()),
        "LLM_MODEL" => Some(model.into()),
        _ => None,
    };
    let config =
        Config::load(Inputs { variable: &variable, project: None, file: None, flags: Vec::new() })
            .unwrap();
    let plan = Plan {
        embedding_model: embedding_model.to_owned(),
        cross_encoder: cross_encoder.to_owned(),
        fetch: false,
    };
    let mut heard = 0;
    let report = run(&config, &plan, &mut Silent, &mut |_, _| heard += 1);
    assert_eq!(heard, report.findings().count());
    report
}

fn outcome<'a>(report: &'a Report, id: &str) -> &'a Finding {
    report.findings().find(|test| test.id == id).unwrap()
}

#[test]
fn models_that_are_not_here_are_skipped_with_the_reason_and_never_passed() {
    let report = report("org/model", "org/embedder", "./nowhere");
    assert_eq!(report.summary(), "0 passed, 0 failed, 9 skipped");
    assert!(!report.failed());
    for test in report.findings() {
        let text = report.outcome(test);
        assert!(text.starts_with("skipped, because "), "{text}");
    }
    let loading = report.outcome(outcome(&report, "model-loading"));
    assert!(loading.contains("scaffold pull org/model"), "{loading}");
    assert_eq!(report.models.len(), 3);
    assert!(report.models.iter().all(|model| model.source.is_none()));
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

#[test]
fn models_that_are_here_are_tested() {
    let embedder = golden::repository("embedder", "bert");
    let ranker = golden::repository("cross_encoder", "bert_seqcls");
    // The tiny tokenizer spells most words, so the sentences need more room than the goldens.
    let long = r#"{"max_seq_length": 120}"#;
    for directory in [embedder.path(), ranker.path()] {
        std::fs::write(directory.join("sentence_bert_config.json"), long).unwrap();
    }
    let report = report("org/model", &text(embedder.path()), &text(ranker.path()));
    for id in ["embedding-model-loading", "embeddings", "similarity", "cross-encoder-loading"] {
        let test = outcome(&report, id);
        assert_eq!(test.verdict, Verdict::Good, "{id}: {}", test.seen);
    }
    let model = &report.models[1];
    let weights = model.files.iter().find(|file| file.name == "model.safetensors");
    assert_eq!(weights.unwrap().sha256.len(), 64);
    // A random model ranks as it likes, but it does so here.
    assert!(matches!(outcome(&report, "ranking").verdict, Verdict::Good | Verdict::Bad));
    for form in [Form::Markdown, Form::Html, Form::Json] {
        assert!(report.write(form).contains("Similarities are right"));
    }
}

#[test]
fn a_model_of_the_wrong_kind_fails_and_what_depends_on_it_is_skipped() {
    let embedder = golden::repository("embedder", "bert");
    let report = report("org/model", "org/embedder", &text(embedder.path()));
    let loading = outcome(&report, "cross-encoder-loading");
    assert_eq!(loading.verdict, Verdict::Bad);
    assert!(loading.seen.contains("no classification head"), "{}", loading.seen);
    let ranking = outcome(&report, "ranking");
    assert_eq!(
        (ranking.verdict, ranking.seen.as_str()),
        (Verdict::Skipped, "the model did not load")
    );
    assert!(report.failed());
}
