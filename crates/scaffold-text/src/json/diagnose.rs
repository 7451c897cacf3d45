//! Why a `tokenizer.json` cannot be read, in words about the file.

use crate::error::TextError;
use serde_json::Value;
use std::path::Path;

const FETCH_AGAIN: &str = "Download the file again";
const NEWER: &str = "The file may come from a newer release of the `tokenizers` library than this program knows; a `tokenizer.model` beside it is read instead if there is one";

fn bad(path: &Path, problem: impl Into<String>, advice: &str) -> TextError {
    TextError::BadFile { path: path.to_owned(), problem: problem.into(), advice: advice.to_owned() }
}

/// A file whose outline cannot be read.
pub(super) fn unreadable(bytes: &[u8], path: &Path, error: &serde_json::Error) -> TextError {
    if bytes.is_empty() {
        return bad(path, "the file is empty", FETCH_AGAIN);
    }
    if bytes.starts_with(b"version https://git-lfs") {
        return bad(
            path,
            "it is a Git LFS pointer, not the file itself",
            "Fetch the real file with `git lfs pull`, or download it again",
        );
    }
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(256)]).trim_start().to_lowercase();
    if head.starts_with("<!doctype") || head.starts_with("<html") {
        return bad(
            path,
            "it is a web page, not JSON: an error page was saved in its place",
            FETCH_AGAIN,
        );
    }
    if error.is_eof() {
        return bad(
            path,
            format!("it ends in the middle, after line {}", error.line()),
            FETCH_AGAIN,
        );
    }
    if error.is_syntax() {
        return bad(path, format!("it is not JSON: {error}"), FETCH_AGAIN);
    }
    match serde_json::from_slice::<Value>(bytes) {
        Ok(Value::Object(map)) if !map.contains_key("model") => bad(
            path,
            "it has no `model`, which holds the vocabulary",
            "Check that this is a tokenizer.json and not another file",
        ),
        Ok(Value::Object(_)) => {
            bad(path, format!("an entry does not have the expected form: {error}"), NEWER)
        }
        Ok(_) => bad(path, "it is JSON, but not an object", FETCH_AGAIN),
        Err(error) => bad(path, format!("it is not JSON: {error}"), FETCH_AGAIN),
    }
}

/// A file that reads well but contradicts itself.
pub(super) fn unusable(path: &Path, error: &TextError) -> TextError {
    bad(path, error.to_string(), FETCH_AGAIN)
}

/// Files whose parts do not go together.
pub(super) fn unmade(path: &Path, error: &(dyn std::error::Error + Send + Sync)) -> TextError {
    bad(path, error.to_string(), FETCH_AGAIN)
}

/// Files on which the `tokenizers` crate panics.
pub(super) fn broken(path: &Path, panic: &str) -> TextError {
    let problem = format!("the `tokenizers` library broke off while it read it: {panic}");
    bad(path, problem, FETCH_AGAIN)
}

/// Whether a part of the file does not read.
type Check = fn(Value) -> bool;

/// A file that the `tokenizers` crate refuses: each part is tried by itself, to name the one at
/// fault.
pub(super) fn rejected(
    bytes: &[u8],
    path: &Path,
    error: &(dyn std::error::Error + Send + Sync),
) -> TextError {
    let Ok(file) = serde_json::from_slice::<Value>(bytes) else {
        return bad(path, error.to_string(), FETCH_AGAIN);
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
            return bad(
                path,
                format!(
                    "its `{name}`, {kind}, is not of a form that is known: {}",
                    reason(name, value)
                ),
                NEWER,
            );
        }
    }
    bad(path, error.to_string(), NEWER)
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
