//! Why a `tokenizer.json` cannot be read, in words about the file.

use crate::unusable::{damaged, unusable};
use scaffold_error::{Error, Kind};
use serde_json::Value;
use std::fmt::Display;
use std::path::Path;

const NEWER: &str = "The file may come from a newer release of the `tokenizers` library than this program knows; a `tokenizer.model` beside it is read instead if there is one";

/// A file whose outline cannot be read.
pub(super) fn unreadable(bytes: &[u8], path: &Path, error: &serde_json::Error) -> Error {
    if bytes.is_empty() {
        return damaged(path, "the file is empty");
    }
    if bytes.starts_with(b"version https://git-lfs") {
        return unusable(
            Kind::Damaged,
            path,
            "it is a Git LFS pointer, not the file itself",
            "Fetch the real file with `git lfs pull`, or download it again",
        );
    }
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(256)]).trim_start().to_lowercase();
    if head.starts_with("<!doctype") || head.starts_with("<html") {
        return damaged(path, "it is a web page, not JSON: an error page was saved in its place");
    }
    if error.is_eof() {
        return damaged(path, format!("it ends in the middle, after line {}", error.line()))
            .at_line(error.line());
    }
    if error.is_syntax() {
        return damaged(path, format!("it is not JSON: {error}")).at_line(error.line());
    }
    match serde_json::from_slice::<Value>(bytes) {
        Ok(Value::Object(map)) if !map.contains_key("model") => unusable(
            Kind::Damaged,
            path,
            "it has no `model`, which holds the vocabulary",
            "Check that this is a tokenizer.json and not another file",
        ),
        Ok(Value::Object(_)) => {
            newer(path, format!("an entry does not have the expected form: {error}"))
        }
        Ok(_) => damaged(path, "it is JSON, but not an object"),
        Err(error) => damaged(path, format!("it is not JSON: {error}")).at_line(error.line()),
    }
}

/// A file of a form that is not known.
fn newer(path: &Path, problem: impl Display) -> Error {
    unusable(Kind::Unsupported, path, problem, NEWER)
}

/// Files on which the `tokenizers` crate panics.
pub(super) fn broken(path: &Path, panic: &str) -> Error {
    let problem = format!("the `tokenizers` library broke off while it read it: {panic}");
    damaged(path, problem)
}

/// Whether a part of the file does not read.
type Check = fn(Value) -> bool;

/// A file that the `tokenizers` crate refuses: each part is tried by itself, to name the one at
/// fault.
pub(super) fn rejected(
    bytes: &[u8],
    path: &Path,
    error: &(dyn std::error::Error + Send + Sync),
) -> Error {
    let Ok(file) = serde_json::from_slice::<Value>(bytes) else {
        return damaged(path, error);
    };
    let part = |name: &str| file.get(name).filter(|value| !value.is_null()).cloned();
    let fails: [(&str, Check); 5] = [
        ("normalizer", |v| serde_json::from_value::<tokenizers::NormalizerWrapper>(v).is_err()),
        ("pre_tokenizer", |v| {
            serde_json::from_value::<tokenizers::PreTokenizerWrapper>(v).is_err()
        }),
        ("post_processor", |v| {
            serde_json::from_value::<tokenizers::PostProcessorWrapper>(v).is_err()
        }),
        ("decoder", |v| serde_json::from_value::<tokenizers::DecoderWrapper>(v).is_err()),
        ("model", |v| serde_json::from_value::<tokenizers::ModelWrapper>(v).is_err()),
    ];
    for (name, fails) in fails {
        if let Some(value) = part(name)
            && fails(value.clone())
        {
            let kind = value["type"]
                .as_str()
                .map_or_else(|| "without a type".to_owned(), |kind| format!("of type {kind:?}"));
            let reason = reason(name, value);
            return newer(
                path,
                format!("its `{name}`, {kind}, is not of a form that is known: {reason}"),
            );
        }
    }
    newer(path, error)
}

/// Why one part does not read, without the names of this program's types.
fn reason(name: &str, value: Value) -> String {
    let text = match name {
        "model" => {
            serde_json::from_value::<tokenizers::ModelWrapper>(value).err().map(|e| e.to_string())
        }
        "pre_tokenizer" => serde_json::from_value::<tokenizers::PreTokenizerWrapper>(value)
            .err()
            .map(|e| e.to_string()),
        _ => None,
    };
    match text {
        Some(text) if !text.contains("untagged enum") => text,
        _ => "its type is unknown, or its fields are not those of its type".to_owned(),
    }
}
