use std::fs;

use tempfile::TempDir;

use super::*;
use crate::embed::activation::Activation;

/// A directory with these files.
fn repository(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    directory
}

const MODULES: &str = r#"[
  {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
  {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
  {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}
]"#;

/// As in all-MiniLM-L6-v2.
const MEAN: &str = r#"{"word_embedding_dimension": 384, "pooling_mode_cls_token": false, "pooling_mode_mean_tokens": true,
  "pooling_mode_max_tokens": false, "pooling_mode_mean_sqrt_len_tokens": false}"#;

fn message(files: &[(&str, &str)]) -> String {
    Repository::open(repository(files).path()).unwrap_err().to_string()
}

#[test]
fn a_repository_like_minilm_is_read() {
    let directory = repository(&[
        ("modules.json", MODULES),
        ("1_Pooling/config.json", MEAN),
        ("sentence_bert_config.json", r#"{"max_seq_length": 256, "do_lower_case": false}"#),
        ("config_sentence_transformers.json", r#"{"__version__": {"pytorch": "1.8.1"}}"#),
    ]);
    let read = Repository::open(directory.path()).unwrap();
    assert_eq!(read.transformer, directory.path());
    assert_eq!(read.limits.max_tokens.unwrap().0, 256);
    assert_eq!(
        read.modules,
        [
            Module::Pooling(Pooling {
                modes: vec![PoolingMode::Mean],
                include_prompt: true,
                width: Some(384)
            }),
            Module::Normalize
        ]
    );
    assert_eq!(read.similarity, Similarity::Cosine);
    assert_eq!(read.prompts, Prompts::default());
    assert!(read.notices.is_empty());
}

#[test]
fn newer_spellings_prompts_and_dense_layers_are_read() {
    let directory = repository(&[
        (
            "modules.json",
            r#"[{"path": "0_Transformer", "type": "sentence_transformers.base.modules.transformer.Transformer"},
                {"path": "1_Pooling", "type": "sentence_transformers.sentence_transformer.modules.pooling.Pooling"},
                {"path": "2_Dense", "type": "sentence_transformers.base.modules.dense.Dense"},
                {"path": "3_LayerNorm", "type": "sentence_transformers.models.LayerNorm"}]"#,
        ),
        (
            "1_Pooling/config.json",
            r#"{"embedding_dimension": 8, "pooling_mode": ["cls", "lasttoken"], "include_prompt": false}"#,
        ),
        (
            "2_Dense/config.json",
            r#"{"in_features": 16, "out_features": 4, "bias": false, "activation_function": "torch.nn.modules.linear.Identity"}"#,
        ),
        ("3_LayerNorm/config.json", r#"{"dimension": 4}"#),
        (
            "config_sentence_transformers.json",
            r#"{"prompts": {"query": "query: ", "document": "passage: ", "open": null}, "default_prompt_name": "document",
                "similarity_fn_name": "dot", "truncate_dim": 3}"#,
        ),
        (
            "0_Transformer/tokenizer_config.json",
            r#"{"model_max_length": 1000000000000000019884624838656}"#,
        ),
        ("0_Transformer/config.json", r#"{"max_position_embeddings": 514}"#),
    ]);
    let read = Repository::open(directory.path()).unwrap();
    assert_eq!(read.transformer, directory.path().join("0_Transformer"));
    assert_eq!(read.limits.max_tokens.unwrap().0, 514);
    assert_eq!(read.similarity, Similarity::Dot);
    assert_eq!(read.truncate_dim, Some(3));
    let [Module::Pooling(pooling), Module::Dense(dense), Module::LayerNorm(norm)] =
        &read.modules[..]
    else {
        panic!("{:?}", read.modules);
    };
    assert_eq!(pooling.modes, [PoolingMode::Cls, PoolingMode::LastToken]);
    assert!(!pooling.include_prompt);
    assert_eq!(dense.activation, Activation::Identity);
    assert!(!dense.bias);
    assert_eq!(norm.width, 4);
    let text = |prompt| read.prompts.text(prompt).unwrap();
    assert_eq!(text(Prompt::Default), "passage: ");
    assert_eq!(text(Prompt::Query), "query: ");
    assert_eq!(text(Prompt::Document), "passage: ");
    assert_eq!(text(Prompt::Text("x ")), "x ");
    assert_eq!(text(Prompt::None), "");
    let error = read.prompts.text(Prompt::Named("open")).unwrap_err();
    assert!(error.to_string().contains("query, document"), "{error}");
}

#[test]
fn old_flags_concatenate_in_their_fixed_order() {
    let directory = repository(&[
        ("modules.json", MODULES),
        (
            "1_Pooling/config.json",
            r#"{"word_embedding_dimension": 8, "pooling_mode_mean_tokens": true, "pooling_mode_cls_token": true}"#,
        ),
    ]);
    let read = Repository::open(directory.path()).unwrap();
    let Module::Pooling(pooling) = &read.modules[0] else {
        panic!("{:?}", read.modules);
    };
    assert_eq!(pooling.modes, [PoolingMode::Cls, PoolingMode::Mean]);
}

#[test]
fn without_modules_json_the_mean_is_taken_and_said() {
    let directory = repository(&[("config.json", r#"{"max_position_embeddings": 512}"#)]);
    let read = Repository::open(directory.path()).unwrap();
    assert_eq!(read.modules, [Module::Pooling(Pooling::mean())]);
    assert_eq!(read.limits.max_tokens.unwrap().0, 512);
    assert!(read.notices[0].text.contains("Mean pooling"));
}

#[test]
fn what_is_not_known_is_named_with_what_is() {
    let pooling = ("1_Pooling/config.json", MEAN);
    let router = MODULES.replace("Normalize", "Router");
    let outside = MODULES.replace("1_Pooling", "../../etc");
    let no_pooling = MODULES.replace("models.Pooling", "models.Dropout");
    let cases = [
        (vec![("modules.json", "{}")], "modules.json"),
        (vec![("modules.json", &*router), pooling], "Router"),
        (vec![("modules.json", MODULES)], "1_Pooling"),
        (
            vec![
                ("modules.json", MODULES),
                ("1_Pooling/config.json", r#"{"pooling_mode": "middle"}"#),
            ],
            "weightedmean",
        ),
        (vec![("modules.json", &*outside)], "../../etc"),
        (vec![("modules.json", "[]")], "Transformer"),
        (vec![("modules.json", &*no_pooling)], "Pooling"),
        (
            vec![
                ("modules.json", MODULES),
                pooling,
                ("config_sentence_transformers.json", r#"{"similarity_fn_name": "jaccard"}"#),
            ],
            "manhattan",
        ),
        (
            vec![
                ("modules.json", MODULES),
                pooling,
                (
                    "config_sentence_transformers.json",
                    r#"{"default_prompt_name": "q", "prompts": {}}"#,
                ),
            ],
            "`q`",
        ),
    ];
    for (files, expected) in cases {
        let message = message(&files);
        assert!(message.contains(expected), "{expected}: {message}");
    }
}
