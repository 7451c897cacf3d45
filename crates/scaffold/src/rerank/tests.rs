use std::fs;

use scaffold_testing::golden::Rows;
use scaffold_testing::tolerance::{MaxAbs, Tolerance as _};
use serde::Deserialize;

use super::*;
use crate::embed::golden;

#[derive(Deserialize)]
struct Numbers {
    query: String,
    texts: Vec<String>,
    sigmoid: Vec<f32>,
    identity: Vec<f32>,
    prompt: Vec<f32>,
    no_modules: Vec<f32>,
    left: Vec<f32>,
}

const CUT: ScoreOptions<'_> = ScoreOptions {
    truncate: true,
    scale: Scale::Configured,
    prompt: Prompt::Default,
    special_as_text: false,
    cancel: None,
    standing: None,
};

/// With a file of the repository's that is as the script made it.
fn load_with(file: &str, value: &serde_json::Value) -> (tempfile::TempDir, CrossEncoder) {
    let directory = golden::repository("cross_encoder", "bert_seqcls");
    let path = directory.path().join(file);
    let mut json: serde_json::Value = match fs::read(&path) {
        Ok(text) => serde_json::from_slice(&text).unwrap(),
        Err(_) => serde_json::json!({}),
    };
    let more = value.as_object().unwrap().clone();
    json.as_object_mut().unwrap().extend(more);
    fs::write(path, json.to_string()).unwrap();
    let model = load(directory.path()).unwrap();
    (directory, model)
}

#[test]
fn the_default_prompt_stands_before_the_query() {
    let numbers: Numbers = golden::numbers("tiny/cross_encoder.json");
    let prompts = serde_json::json!(
        {"prompts": {"query": "how do we measure ", "other": "z "}, "default_prompt_name": "query"}
    );
    let (directory, model) = load_with("config_sentence_transformers.json", &prompts);
    let unprompted = model.scores(&numbers.query, &numbers.texts, &CUT).unwrap();
    MaxAbs(2e-5).check("no modules", &unprompted.values, &column(&numbers.no_modules));
    let modules = r#"[{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}]"#;
    fs::write(directory.path().join("modules.json"), modules).unwrap();
    let model = load(directory.path()).unwrap();
    let scores = |query: &str, prompt| {
        let options = ScoreOptions { prompt, ..CUT };
        model.scores(query, &numbers.texts, &options).unwrap().values
    };
    MaxAbs(2e-5).check(
        "prompt",
        &scores(&numbers.query, Prompt::Default),
        &column(&numbers.prompt),
    );
    MaxAbs(2e-5).check("none", &scores(&numbers.query, Prompt::None), &column(&numbers.sigmoid));
    let written = format!("z {}", numbers.query);
    assert_eq!(scores(&written, Prompt::None), scores(&numbers.query, Prompt::Named("other")));
    let options = ScoreOptions { prompt: Prompt::Named("no such"), ..CUT };
    let error = model.scores("a", &["b"], &options).unwrap_err().to_string();
    assert!(error.contains("no such") && error.contains("query, other"), "{error}");
}

#[test]
fn the_ends_of_both_texts_stay_where_the_tokenizer_says_so() {
    let numbers: Numbers = golden::numbers("tiny/cross_encoder.json");
    let side = serde_json::json!({"truncation_side": "left"});
    let (_directory, model) = load_with("tokenizer_config.json", &side);
    let scores = model.scores(&numbers.query, &numbers.texts, &CUT).unwrap();
    MaxAbs(2e-5).check("left", &scores.values, &column(&numbers.left));
    assert_eq!(scores.cut.len(), 1);
}

fn column(values: &[f32]) -> Rows {
    Rows { cols: 1, values: values.to_vec() }
}

fn load(directory: &std::path::Path) -> Result<CrossEncoder, Error> {
    golden::load(directory)
}

#[test]
fn scores_agree_with_sentence_transformers_on_the_scale_of_the_configuration() {
    let directory = golden::repository("cross_encoder", "bert_seqcls");
    let numbers: Numbers = golden::numbers("tiny/cross_encoder.json");
    let model = load(directory.path()).unwrap();
    let scores = |options| model.scores(&numbers.query, &numbers.texts, &options).unwrap();
    MaxAbs(2e-5).check("sigmoid", &scores(CUT).values, &column(&numbers.sigmoid));
    // The last pair is longer than the tokenizer's limit of 24.
    assert_eq!(scores(CUT).cut.len(), 1);
    let logits = ScoreOptions { scale: Scale::Logits, ..CUT };
    MaxAbs(2e-5).check("logits", &scores(logits).values, &column(&numbers.identity));

    let config = directory.path().join("config.json");
    let mut value: serde_json::Value = serde_json::from_slice(&fs::read(&config).unwrap()).unwrap();
    value["sentence_transformers"]["activation_fn"] = "torch.nn.modules.linear.Identity".into();
    fs::write(&config, value.to_string()).unwrap();
    let model = load(directory.path()).unwrap();
    let scores = model.scores(&numbers.query, &numbers.texts, &CUT).unwrap();
    MaxAbs(2e-5).check("identity", &scores.values, &column(&numbers.identity));
}

#[test]
fn a_ranking_is_best_first_and_a_batch_gives_the_same_bits_as_its_pairs_alone() {
    let directory = golden::repository("cross_encoder", "bert_seqcls");
    let numbers: Numbers = golden::numbers("tiny/cross_encoder.json");
    let model = load(directory.path()).unwrap();
    let texts = &numbers.texts[..4];
    let ranked = model.rerank(&numbers.query, texts, None).unwrap();
    let order: Vec<usize> = ranked.iter().map(|ranked| ranked.index).collect();
    assert_eq!(order, [1, 0, 2, 3]);
    for one in &ranked {
        assert_eq!(model.score(&numbers.query, &texts[one.index]).unwrap(), one.score);
    }
    assert_eq!(model.rerank(&numbers.query, texts, Some(2)).unwrap(), ranked[..2]);
    assert_eq!(model.rerank(&numbers.query, texts, Some(9)).unwrap().len(), 4);
    let none: [&str; 0] = [];
    assert!(model.rerank(&numbers.query, &none, None).unwrap().is_empty());
}

#[test]
fn pairs_of_several_queries_score_as_each_alone() {
    let directory = golden::repository("cross_encoder", "bert_seqcls");
    let prompts = serde_json::json!({"prompts": {"query": "how "}, "default_prompt_name": "query"});
    fs::write(directory.path().join("config_sentence_transformers.json"), prompts.to_string())
        .unwrap();
    let modules = r#"[{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}]"#;
    fs::write(directory.path().join("modules.json"), modules).unwrap();
    let model = load(directory.path()).unwrap();
    let pairs = [("water", "energy"), ("energy", "growth water"), ("water", "growth")];
    let options = ScoreOptions::default();
    let scores = model.score_pairs(&pairs, &options).unwrap();
    for (score, (query, text)) in scores.values.iter().zip(pairs) {
        assert_eq!(*score, model.score(query, text).unwrap());
    }
    let long = [("water", "energy".to_owned()), ("water", "energy ".repeat(50))];
    let error = model.score_pairs(&long, &options).unwrap_err();
    assert_eq!(error.place().item(), Some(1));
}

#[test]
fn a_pair_that_is_too_long_is_an_error_with_both_numbers() {
    let directory = golden::repository("cross_encoder", "bert_seqcls");
    let model = load(directory.path()).unwrap();
    let message = model.score("water", &"energy ".repeat(50)).unwrap_err().to_string();
    assert!(message.contains("54") && message.contains("24"), "{message}");
}

#[test]
fn each_pair_fails_alone_where_that_is_asked_for() {
    let directory = golden::repository("cross_encoder", "bert_seqcls");
    let model = load(directory.path()).unwrap();
    let texts = ["energy".to_owned(), "energy ".repeat(50), "growth".to_owned()];
    let each = model.scores_each("water", &texts, &ScoreOptions::default());
    for good in [0, 2] {
        assert_eq!(each[good].as_ref().unwrap(), &model.score("water", &texts[good]).unwrap());
    }
    assert_eq!(each[1].as_ref().unwrap_err().place().item(), Some(1));
    assert_eq!(model.metrics().texts, 4);
}

#[test]
fn a_model_without_a_classification_head_is_refused_by_name() {
    let directory = golden::repository("embedder", "bert");
    let error = load(directory.path()).unwrap_err();
    let name = directory.path().display().to_string();
    assert!(error.is_refusal());
    let message = error.to_string();
    assert!(message.contains(&name) && message.contains("no classification head"), "{message}");
}
