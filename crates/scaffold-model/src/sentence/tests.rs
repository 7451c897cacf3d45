use std::fs;
use std::path::Path;
use std::sync::Arc;

use scaffold_formats::BlockType;
use scaffold_formats::write::SafetensorsWriter;

use super::{Exec, PoolingMode, SentenceModules};

/// Three tokens and one token, of width 2.
const HIDDEN: [f32; 8] = [1.0, -4.0, 2.0, 2.0, 6.0, -1.0, 3.0, 4.0];
const LENGTHS: [usize; 2] = [3, 1];

fn exec() -> Arc<Exec> {
    Arc::new(Exec::new(1))
}

fn pooled(mode: PoolingMode) -> Vec<f32> {
    SentenceModules::new(mode, false, exec())
        .embed(&HIDDEN, 2, &LENGTHS, 0)
        .expect("no dense layer")
}

#[test]
fn every_pooling_by_hand() {
    assert_eq!(pooled(PoolingMode::Cls), [1.0, -4.0, 3.0, 4.0]);
    assert_eq!(pooled(PoolingMode::LastToken), [6.0, -1.0, 3.0, 4.0]);
    assert_eq!(pooled(PoolingMode::Max), [6.0, 2.0, 3.0, 4.0]);
    assert_eq!(pooled(PoolingMode::Mean), [3.0, -1.0, 3.0, 4.0]);
    let root = 3f32.sqrt();
    assert_eq!(
        pooled(PoolingMode::MeanSqrtLength),
        [9.0 / root, -3.0 / root, 3.0, 4.0]
    );
    assert_eq!(
        pooled(PoolingMode::WeightedMean),
        [23.0 / 6.0, -0.5, 3.0, 4.0]
    );
}

#[test]
fn normalised_rows_have_length_one() {
    let found = SentenceModules::new(PoolingMode::Mean, true, exec())
        .embed(&HIDDEN, 2, &LENGTHS, 0)
        .expect("rows");
    assert_eq!(found[2..], [0.6, 0.8]);
}

fn write(dir: &Path, file: &str, text: &str) {
    let path = dir.join(file);
    fs::create_dir_all(path.parent().expect("inside the directory")).expect("a folder");
    fs::write(path, text).expect("a file");
}

fn module_list(kinds: &[(&str, &str)]) -> String {
    let list: Vec<_> = kinds
        .iter()
        .map(|(kind, path)| {
            format!(r#"{{"type": "sentence_transformers.models.{kind}", "path": "{path}"}}"#)
        })
        .collect();
    format!("[{}]", list.join(","))
}

#[test]
fn a_directory_with_a_dense_layer() {
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path();
    let kinds = [
        ("Transformer", ""),
        ("Pooling", "1_Pooling"),
        ("Dense", "2_Dense"),
        ("Normalize", "3_Normalize"),
    ];
    write(dir, "modules.json", &module_list(&kinds));
    write(
        dir,
        "sentence_bert_config.json",
        r#"{"max_seq_length": 77, "do_lower_case": true}"#,
    );
    write(
        dir,
        "1_Pooling/config.json",
        r#"{"word_embedding_dimension": 2, "pooling_mode_mean_tokens": true}"#,
    );
    let dense = r#"{"in_features": 2, "out_features": 3, "bias": true,
        "activation_function": "torch.nn.modules.linear.Identity"}"#;
    write(dir, "2_Dense/config.json", dense);
    let mut writer = SafetensorsWriter::new();
    writer
        .add_f32(
            "linear.weight",
            BlockType::F32,
            &[3, 2],
            &[1.0, 0.0, 0.0, 1.0, 1.0, 1.0],
        )
        .expect("a matrix");
    writer
        .add_f32("linear.bias", BlockType::F32, &[3], &[0.0, 0.0, -7.0])
        .expect("a bias");
    writer
        .write(dir.join("2_Dense/model.safetensors"))
        .expect("weights");

    let modules = SentenceModules::from_dir(dir, exec())
        .expect("a directory")
        .expect("with a list");
    assert_eq!(
        (
            modules.max_tokens,
            modules.lower_case,
            modules.dimensions(2)
        ),
        (Some(77), true, 3)
    );
    let found = modules.embed(&HIDDEN, 2, &LENGTHS, 0).expect("embeddings");
    // [3, 4] becomes [3, 4, 0].
    assert_eq!(found[3..], [0.6, 0.8, 0.0]);
    assert_eq!(found.len(), 6);
}

#[test]
fn poolings_side_by_side_and_by_their_new_names() {
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path();
    write(
        dir,
        "modules.json",
        &module_list(&[("Transformer", ""), ("Pooling", "1_Pooling")]),
    );
    write(
        dir,
        "1_Pooling/config.json",
        r#"{"pooling_mode": ["cls", "max"], "include_prompt": false}"#,
    );
    let modules = SentenceModules::from_dir(dir, exec())
        .expect("a directory")
        .expect("with a list");
    assert_eq!(modules.dimensions(2), 4);
    // The first token is the prompt's.
    let found = modules.embed(&HIDDEN[..6], 2, &[3], 1).expect("embeddings");
    assert_eq!(found, [2.0, 2.0, 6.0, 2.0]);
}

#[test]
fn what_cannot_be_computed_is_named() {
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path();
    assert!(
        SentenceModules::from_dir(dir, exec())
            .expect("no list")
            .is_none()
    );
    for (list, named) in [
        (
            module_list(&[("Transformer", ""), ("WordWeights", "1")]),
            "`WordWeights`",
        ),
        (module_list(&[("Transformer", "")]), "no Pooling"),
        (
            module_list(&[("Pooling", "../elsewhere")]),
            "`../elsewhere`",
        ),
        ("{}".to_owned(), "not a list"),
    ] {
        write(dir, "modules.json", &list);
        let error = SentenceModules::from_dir(dir, exec())
            .err()
            .expect("it is refused")
            .to_string();
        assert!(error.contains(named), "{error}");
    }
    write(
        dir,
        "modules.json",
        &module_list(&[("Pooling", "1_Pooling")]),
    );
    write(
        dir,
        "1_Pooling/config.json",
        r#"{"pooling_mode": "median"}"#,
    );
    let error = SentenceModules::from_dir(dir, exec())
        .err()
        .expect("it is refused")
        .to_string();
    assert!(
        error.contains("`median`") && error.contains("weightedmean"),
        "{error}"
    );
}
