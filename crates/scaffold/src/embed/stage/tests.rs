use std::fs;
use std::path::PathBuf;

use scaffold_formats::write::SafetensorsWriter;
use scaffold_kernels::BlockType;

use super::*;
use crate::embed::Similarity;
use crate::embed::repository::{Limits, PoolingMode, Prompts};

/// A module's directory with these tensors.
fn module(tensors: &[(&str, &[usize], &[f32])]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = SafetensorsWriter::new();
    for (name, shape, values) in tensors {
        writer.add_f32(name, BlockType::F32, shape, values).unwrap();
    }
    writer.write(directory.path().join("model.safetensors")).unwrap();
    directory
}

fn repository(modules: Vec<Module>) -> Repository {
    let pooling = Module::Pooling(Pooling {
        modes: vec![PoolingMode::Mean],
        include_prompt: true,
        width: Some(2),
    });
    Repository {
        transformer: PathBuf::from("model"),
        limits: Limits::default(),
        modules: std::iter::once(pooling).chain(modules).collect(),
        prompts: Prompts::default(),
        similarity: Similarity::Cosine,
        truncate_dim: None,
        notices: Vec::new(),
    }
}

fn dense(directory: &tempfile::TempDir) -> DenseSpec {
    DenseSpec {
        directory: directory.path().to_owned(),
        in_features: 2,
        out_features: 3,
        bias: true,
        activation: Activation::Relu,
        residual: false,
    }
}

const LINEAR: (&str, &[usize], &[f32]) =
    ("linear.weight", &[3, 2], &[1.0, 0.0, 0.0, 1.0, 2.0, -2.0]);
const BIAS: (&str, &[usize], &[f32]) = ("linear.bias", &[3], &[0.5, 0.0, 1.0]);

#[test]
fn a_residual_is_added() {
    let exec = Exec::new(1);
    let weights = module(&[LINEAR, BIAS, ("residual.weight", &[3, 2], &[1.0; 6])]);
    let spec = DenseSpec { residual: true, activation: Activation::Identity, ..dense(&weights) };
    let stages = Stages::load(&repository(vec![Module::Dense(spec)]), 2, &exec).unwrap();
    assert_eq!(stages.width(), 3);
    assert_eq!(stages.run(&exec, vec![1.0, 3.0], 1), [5.5, 7.0, 1.0]);
    assert!(stages.run(&exec, Vec::new(), 0).is_empty());
}

#[test]
fn modules_that_do_not_fit_are_refused_with_both_numbers() {
    let exec = Exec::new(1);
    let weights = module(&[LINEAR]);
    let load = |spec| {
        let repository = repository(vec![Module::Dense(spec)]);
        Stages::load(&repository, 2, &exec).unwrap_err().to_string()
    };
    let bias = load(dense(&weights));
    assert!(bias.contains("linear.bias") && bias.contains("[3]"), "{bias}");
    let width = load(DenseSpec { in_features: 7, ..dense(&weights) });
    assert!(width.contains('7') && width.contains('2'), "{width}");
    let shape = load(DenseSpec { bias: false, out_features: 4, ..dense(&weights) });
    assert!(shape.contains("[4, 2]"), "{shape}");
    let pooling = Stages::load(&repository(Vec::new()), 5, &exec).unwrap_err();
    assert!(pooling.to_string().contains('5'), "{pooling}");
}

#[test]
fn a_pickle_is_not_opened() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("pytorch_model.bin"), "x").unwrap();
    let repository = repository(vec![Module::Dense(dense(&directory))]);
    let error = Stages::load(&repository, 2, &Exec::new(1)).unwrap_err();
    assert!(error.to_string().contains("pickle"), "{error}");
}
