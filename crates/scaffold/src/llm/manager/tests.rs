use std::sync::mpsc;
use std::time::Duration;

use scaffold_testing::{golden, tokenizer};

use super::*;
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
    LlmManager::open("tiny", directory, options, &config).unwrap()
}

fn opened(model: &LlmManager) -> Result<Loaded, Error> {
    Ok(Loaded::open(&model.name, &model.path, &model.options)?.0)
}

#[test]
fn nobody_waits_for_a_model_that_is_being_loaded_but_who_loads_it() {
    let directory = tempfile::tempdir().unwrap();
    let model = manager(directory.path());
    model.unload();
    let (begun, has_begun) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel();
    std::thread::scope(|scope| {
        let model = &model;
        let first = scope.spawn(move || {
            model.load_by(|| {
                begun.send(()).unwrap();
                may_go_on.recv_timeout(Duration::from_mins(1)).unwrap();
                opened(model)
            })
        });
        has_begun.recv().unwrap();
        // Each of these would wait for the loading, which waits for them.
        assert!(!model.is_loaded());
        for error in
            [model.generate_response("a").unwrap_err(), model.health().map(|_| ()).unwrap_err()]
        {
            assert!(matches!(error, Error::Loading { .. }), "{error}");
        }
        let second = scope.spawn(move || model.load_by(|| panic!("it is loaded already")));
        go_on.send(()).unwrap();
        first.join().unwrap().unwrap();
        second.join().unwrap().unwrap();
    });
    assert!(model.is_loaded());
}

#[test]
fn a_loading_that_fails_leaves_the_model_unloaded() {
    let directory = tempfile::tempdir().unwrap();
    let model = manager(directory.path());
    model.unload();
    assert!(model.load_by(|| Err(Error::NoTokens)).is_err());
    let broken = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        model.load_by(|| panic!("in the middle"))
    }));
    assert!(broken.is_err());
    assert!(matches!(model.health(), Err(Error::Unloaded { .. })));
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
    let prompt = model.raw_prompt("one two").unwrap();
    let stop = Stop { max_new_tokens: Some(1), ..Stop::default() };
    let stream = model.submit(prompt, Sampling::default(), stop).unwrap();
    AnswerStream::new(stream).collect_answer().unwrap();
}
