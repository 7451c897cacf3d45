use scaffold_error::Remedy;
use scaffold_testing::golden::Rows;
use scaffold_testing::tolerance::{MaxAbs, Tolerance as _};
use serde::Deserialize;

use super::*;
use crate::embed::{Cut, golden};
use crate::options::LoadOptions;

#[derive(Deserialize)]
struct Numbers {
    texts: Vec<String>,
    plain: Vec<Vec<f32>>,
    query: Vec<Vec<f32>>,
    document: Vec<Vec<f32>>,
}

fn tiny() -> (tempfile::TempDir, Embedder) {
    let directory = golden::repository("embedder", "bert");
    let embedder = golden::load(directory.path()).unwrap();
    (directory, embedder)
}

const CUT: EmbedOptions<'_> = EmbedOptions {
    prompt: Prompt::Default,
    truncate: true,
    normalize: false,
    dimensions: None,
    special_as_text: false,
    cancel: None,
    standing: None,
};

/// Texts, and what they give without a prompt.
#[derive(Deserialize)]
struct Plain {
    texts: Vec<String>,
    plain: Vec<Vec<f32>>,
}

fn check_plain(embedder: &Embedder, name: &str) -> Embeddings {
    let numbers: Plain = golden::numbers(&format!("tiny/{name}.json"));
    let embeddings = embedder.embed_batch(&numbers.texts, &CUT).unwrap();
    let expected = Rows { cols: 8, values: numbers.plain.concat() };
    MaxAbs(2e-5).check(name, embeddings.as_slice(), &expected);
    embeddings
}

#[test]
fn what_looks_like_a_special_token_is_one_unless_it_is_to_be_text() {
    let (_directory, embedder) = tiny();
    check_plain(&embedder, "special");
    let ids = |text: &str, special_as_text| {
        let options = EmbedOptions { special_as_text, ..CUT };
        embedder.embed_batch(&[text], &options).unwrap().tokens
    };
    // [CLS], the token, [SEP]; as text a bracket that the vocabulary lacks, the letters, and a
    // bracket.
    assert_eq!(ids("[SEP]", false), 3);
    assert!(ids("[SEP]", true) > 4);
    assert_eq!(ids("water", false), ids("water", true));
}

/// By the tokenizer's settings, or by what cut the texts when its file was saved.
#[test]
fn the_end_of_a_text_stays_where_the_tokenizer_says_so() {
    let directory = golden::repository("embedder", "bert");
    let change = |file: &str, key: &str, value: serde_json::Value| {
        let path = directory.path().join(file);
        let text = std::fs::read(&path).unwrap();
        let mut json: serde_json::Value = serde_json::from_slice(&text).unwrap();
        json[key] = value;
        std::fs::write(path, json.to_string()).unwrap();
    };
    let load = || golden::load::<Embedder>(directory.path()).unwrap();
    let saved = serde_json::json!(
        {"direction": "Left", "max_length": 24, "strategy": "LongestFirst", "stride": 0}
    );
    change("tokenizer.json", "truncation", saved);
    let embeddings = check_plain(&load(), "left_file");
    assert!(embeddings.cut.iter().all(|cut| cut.kept == 20) && !embeddings.cut.is_empty());
    // The settings count before the file.
    change("tokenizer_config.json", "truncation_side", "right".into());
    assert_eq!(load().repository().limits.cut_side.kept(), "first");
    change("tokenizer_config.json", "truncation_side", "left".into());
    change("tokenizer.json", "truncation", serde_json::Value::Null);
    check_plain(&load(), "left_settings");
}

/// A transformer with a directory of its own, and no configuration at the root.
#[test]
fn the_transformer_may_lie_in_a_directory_of_its_own() {
    let directory = golden::repository("embedder", "bert");
    let root = directory.path();
    let below = root.join("0_Transformer");
    std::fs::create_dir(&below).unwrap();
    for file in [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
        "sentence_bert_config.json",
    ] {
        std::fs::rename(root.join(file), below.join(file)).unwrap();
    }
    let modules = std::fs::read_to_string(root.join("modules.json")).unwrap();
    let modules = modules.replacen("\"path\": \"\"", "\"path\": \"0_Transformer\"", 1);
    std::fs::write(root.join("modules.json"), modules).unwrap();
    let embedder = golden::load(root).unwrap();
    check_plain(&embedder, "special");
    let model = Model::open(&LocalModel::on_disk(root), &LoadOptions::default()).unwrap();
    let about = crate::about::About::of(&model).unwrap();
    assert_eq!(about.capabilities, ["embedding"]);
}

/// Every pooling mode at once, a dense layer, a norm, prompts that the pooling leaves out, texts
/// that are cut.
#[test]
fn the_whole_chain_agrees_with_sentence_transformers() {
    let (_directory, embedder) = tiny();
    let numbers: Numbers = golden::numbers("tiny/embedder.json");
    for (prompt, expected) in [
        (Prompt::Default, &numbers.plain),
        (Prompt::Query, &numbers.query),
        (Prompt::Document, &numbers.document),
    ] {
        let options = EmbedOptions { prompt, ..CUT };
        let embeddings = embedder.embed_batch(&numbers.texts, &options).unwrap();
        assert_eq!(embeddings.dimensions(), 8);
        let what = format!("{prompt:?}");
        let expected = Rows { cols: 8, values: expected.concat() };
        MaxAbs(2e-5).check(&what, embeddings.as_slice(), &expected);
        assert_eq!(embeddings.cut.last().unwrap().index, 4);
        assert_eq!(embeddings.cut.last().unwrap().kept, 20);
    }
}

#[test]
fn a_batch_gives_the_same_bits_as_its_texts_alone() {
    let (_directory, embedder) = tiny();
    let words = ["water", "energy of the city", "a", "", "how do we measure growth?"];
    let texts: Vec<String> = (0..300)
        .map(|i| (0..i % 7).map(|j| words[(i + j) % 5]).collect::<Vec<_>>().join(" "))
        .collect();
    let batch = embedder.embed_batch(&texts, &CUT).unwrap();
    assert_eq!(batch.len(), texts.len());
    for (text, together) in texts.iter().zip(batch.iter()) {
        let alone = embedder.embed_batch(&[text], &CUT).unwrap();
        assert_eq!(alone.as_slice(), together, "{text:?}");
    }
}

#[test]
fn a_text_that_is_too_long_is_an_error_with_both_numbers_unless_it_may_be_cut() {
    let (_directory, embedder) = tiny();
    let texts = ["water".to_owned(), "water ".repeat(100)];
    let error = embedder.embed_batch(&texts, &EmbedOptions::default()).unwrap_err();
    let message = error.to_string();
    for part in ["text 1", "102", "20", "sentence_bert_config.json"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert!(error.is_refusal() && error.remedies().contains(&Remedy::Truncate));
    assert_eq!(error.place().item(), Some(1));
    let cut = embedder.embed_batch(&texts, &CUT).unwrap().cut;
    assert_eq!(cut, [Cut { index: 1, tokens: 102, kept: 20 }]);
}

#[test]
fn no_text_an_empty_text_and_a_very_long_text_are_ordinary() {
    let (_directory, embedder) = tiny();
    let none: [&str; 0] = [];
    assert!(embedder.embed_batch(&none, &CUT).unwrap().is_empty());
    let norm = crate::embed::norm(&embedder.embed("").unwrap());
    assert!((norm - 1.0).abs() < 1e-5);
    let long = embedder.embed_batch(&["water growth ".repeat(8000)], &CUT).unwrap();
    assert_eq!((long.len(), long.cut[0].tokens), (1, 16_002));
}

#[test]
fn fewer_dimensions_are_scaled_again() {
    let (_directory, embedder) = tiny();
    let options = EmbedOptions { dimensions: Some(3), ..CUT };
    let full = embedder.embed("water").unwrap();
    let short = embedder.embed_batch(&["water"], &options).unwrap();
    let mut expected = full[..3].to_vec();
    normalize(&mut expected);
    assert_eq!(short.as_slice(), expected);
    let options = EmbedOptions { dimensions: Some(9), ..CUT };
    let message = embedder.embed_batch(&["water"], &options).unwrap_err().to_string();
    assert!(message.contains('9') && message.contains('8'), "{message}");
}

#[test]
fn a_prompt_that_does_not_exist_is_named_with_those_that_do() {
    let (_directory, embedder) = tiny();
    let options = EmbedOptions { prompt: Prompt::Named("passage"), ..CUT };
    let message = embedder.embed_batch(&["water"], &options).unwrap_err().to_string();
    assert!(message.contains("passage") && message.contains("query, document"), "{message}");
}

#[test]
fn a_model_that_writes_text_is_refused_by_name() {
    let llama = scaffold_testing::golden::tiny("llama");
    let error = golden::load::<Embedder>(&llama.dir).unwrap_err();
    assert!(error.to_string().contains("llama"), "{error}");
}
