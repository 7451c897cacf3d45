//! What the fuzz targets and the tests over their corpora call. Not part of the interface.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

use scaffold_formats::Gguf;

use crate::config::{Config, Inputs, fuzzing as files};
use crate::embed::{Prompt, Repository};
use crate::made::{Modelfile, Recipe, parameters};
use crate::model::vocabulary;

/// Arbitrary bytes as a GGUF file whose vocabulary is used.
pub fn gguf_vocabulary(data: &[u8]) {
    let Ok(file) = Gguf::from_bytes("fuzz.gguf", data.to_vec()) else {
        return;
    };
    let tokenizer = vocabulary::tokenizer(file.metadata());
    scaffold_text::fuzzing::use_it(tokenizer.map(|(tokenizer, _)| tokenizer));
}

/// Arbitrary bytes as a `.env` file, and its values as the configuration.
pub fn dotenv(data: &[u8]) {
    check(files::dotenv(&String::from_utf8_lossy(data)));
}

/// Arbitrary bytes as a `scaffold.toml`, and its values as the configuration.
pub fn settings(data: &[u8]) {
    if let Ok(text) = scaffold_hub::decode_text(data) {
        check(files::toml(&text));
    }
}

/// Arbitrary bytes as a Modelfile, and what it makes; what is read, is written and read to the same.
pub fn modelfile(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(file) = Modelfile::parse(&text) {
        let written = file.to_string();
        // A text with quotes that no Modelfile can hold is a comment then.
        let again = Modelfile::parse(&written).map(|again| again == file);
        assert!(
            matches!(again, Ok(true)) || written.contains("that no Modelfile can hold"),
            "{written}"
        );
    }
    match Recipe::of_modelfile(&text, None) {
        Ok(recipe) => drop(parameters::read(&recipe.parameters)),
        Err(error) => drop(error.to_string()),
    }
}

fn check(values: Vec<(&'static str, String)>) {
    let values: HashMap<&str, String> = values.into_iter().collect();
    let variable = |name: &str| values.get(name).map(OsString::from);
    let config =
        Config::load(Inputs { variable: &variable, project: None, file: None, flags: Vec::new() });
    match config {
        Ok(config) => drop((config.rows(), config.chosen_device())),
        Err(error) => drop(error.to_string()),
    }
}

/// The files that [`embedding_files`] writes.
const FILES: [&str; 8] = [
    "modules.json",
    "1_Pooling/config.json",
    "2_Dense/config.json",
    "config_sentence_transformers.json",
    "sentence_bert_config.json",
    "tokenizer_config.json",
    "config.json",
    "tokenizer.json",
];

/// Arbitrary bytes as the files of a repository of embeddings, one after the other with a byte of
/// zero between, in `directory`.
pub fn embedding_files(directory: &Path, data: &[u8]) {
    let mut parts = data.split(|&byte| byte == 0);
    for name in FILES {
        let path = directory.join(name);
        let written = match parts.next().filter(|part| !part.is_empty()) {
            Some(part) => fs::create_dir_all(path.parent().unwrap_or(directory))
                .and_then(|()| fs::write(&path, part)),
            None => fs::remove_file(&path).or(Ok(())),
        };
        if written.is_err() {
            return;
        }
    }
    if let Ok(repository) = Repository::open(directory) {
        let _ = (repository.normalizes(), repository.prompts.text(Prompt::Query));
        assert!(repository.transformer.starts_with(directory));
    }
}
