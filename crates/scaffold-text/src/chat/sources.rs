//! Where a model's directory keeps its templates.

use crate::config::read_object;
use crate::unusable::damaged;
use scaffold_error::Error;
use serde_json::Value;
use std::path::Path;

fn read(path: &Path) -> Result<Option<String>, Error> {
    match std::fs::read(path) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(text)),
            Err(error) => Err(damaged(path, format!("it is not UTF-8: {}", error.utf8_error()))),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("read", path)(error)),
    }
}

/// All chat templates of a model's directory as (name, source). Files of their own rule over
/// `tokenizer_config.json`.
///
/// # Errors
/// A file cannot be read, or is no text.
pub fn template_sources(dir: &Path) -> Result<Vec<(String, String)>, Error> {
    let mut out: Vec<(String, String)> = Vec::new();
    let mut add = |name: &str, source: String| {
        if !out.iter().any(|(known, _)| known == name) {
            out.push((name.to_owned(), source));
        }
    };
    if let Some(source) = read(&dir.join("chat_template.jinja"))? {
        add("default", source);
    }
    let additional = dir.join("additional_chat_templates");
    if additional.is_dir() {
        let entries = std::fs::read_dir(&additional).map_err(Error::io("read", &additional))?;
        let mut paths: Vec<_> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            let name =
                path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
            if path.extension().is_some_and(|extension| extension == "jinja")
                && let Some(source) = read(&path)?
            {
                add(&name, source);
            }
        }
    }
    // Where there are files of their own, what the configuration still holds is forgotten.
    if !out.is_empty() {
        return Ok(out);
    }
    for file in ["chat_template.json", "tokenizer_config.json"] {
        let mut add = |name: &str, source: String| {
            if !out.iter().any(|(known, _)| known == name) {
                out.push((name.to_owned(), source));
            }
        };
        if let Some(object) = read_object(&dir.join(file))? {
            named(object.get("chat_template"), &mut add);
        }
    }
    Ok(out)
}

/// A `chat_template` is a string, a list of `{"name": …, "template": …}`, or a map of names to
/// templates.
fn named(value: Option<&Value>, add: &mut dyn FnMut(&str, String)) {
    match value {
        Some(Value::String(source)) => add("default", source.clone()),
        Some(Value::Array(list)) => {
            for entry in list {
                if let (Some(name), Some(source)) =
                    (entry["name"].as_str(), entry["template"].as_str())
                {
                    add(name, source.to_owned());
                }
            }
        }
        Some(Value::Object(map)) => {
            for (name, source) in map {
                if let Some(source) = source.as_str() {
                    add(name, source.to_owned());
                }
            }
        }
        _ => {}
    }
}
