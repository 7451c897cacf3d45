use std::path::Path;

use scaffold_error::Kind;
use scaffold_testing::{golden, tokenizer};

use super::*;
use crate::GenerateOptions;
use crate::config::Inputs;

fn manager(directory: &Path) -> LlmManager {
    let tiny = golden::tiny("llama");
    for file in ["config.json", "model.safetensors"] {
        std::fs::copy(tiny.dir.join(file), directory.join(file)).unwrap();
    }
    let tokenizer = tokenizer::byte_level().to_string();
    std::fs::write(directory.join("tokenizer.json"), tokenizer).unwrap();
    let config =
        Config::load(Inputs { variable: &|_| None, project: None, file: None, flags: vec![] })
            .unwrap();
    let options = LoadOptions { context: Some(64), ..LoadOptions::default() };
    let model = Model::open(&LocalModel::on_disk(directory), &options).unwrap();
    LlmManager::from_model(&model, &config, Vec::new(), &mut Silent).unwrap()
}

#[test]
fn who_asks_an_unloaded_model_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let model = manager(directory.path());
    model.unload();
    for error in
        [model.generate_response("a").unwrap_err(), model.health().map(|_| ()).unwrap_err()]
    {
        assert_eq!((error.kind(), error.model()), (Kind::Unavailable, Some(&*model.local().name)));
    }
    model.load().unwrap();
    assert!(model.is_loaded());
}

#[test]
fn an_engine_that_has_ended_is_not_loaded_and_is_loaded_again() {
    let directory = tempfile::tempdir().unwrap();
    let model = manager(directory.path());
    model.engine().unwrap().shutdown();
    assert!(!model.is_loaded());
    assert!(!model.health().unwrap().is_running());
    model.load().unwrap();
    assert!(model.is_loaded());
    let prompt = model.plain_ids("one two").unwrap();
    let options = GenerateOptions::new().max_new_tokens(1);
    let stream = model.stream_ids(prompt, &options).unwrap();
    stream.collect_answer().unwrap();
}
