//! A directory's tokenizer and chat templates as keys of a GGUF file.

use scaffold_formats::write::GgufWriter;
use scaffold_text::{GgufVocabulary, template_sources};

use crate::error::Error;
use crate::model::Model;

const TEMPLATE: &str = "tokenizer.chat_template";

/// Adds what the directory of a model says about text.
///
/// # Errors
/// The tokenizer is of a kind that GGUF files do not hold.
pub(super) fn add(writer: &mut GgufWriter<'_>, model: &Model) -> Result<(), Error> {
    let (text, dir) = (model.text()?, model.path());
    let vocabulary = GgufVocabulary::of(dir, &text.tokenizer, model.spec().vocab)?;
    let key = |name: &str| format!("tokenizer.ggml.{name}");
    writer.set(&key("model"), vocabulary.model);
    if let Some(pre) = vocabulary.pre {
        writer.set(&key("pre"), pre);
    }
    writer.set(&key("tokens"), vocabulary.tokens.as_slice());
    writer.set(&key("token_type"), vocabulary.kinds);
    if !vocabulary.scores.is_empty() {
        writer.set(&key("scores"), vocabulary.scores);
    }
    if !vocabulary.merges.is_empty() {
        writer.set(&key("merges"), vocabulary.merges.as_slice());
    }
    for (name, id) in vocabulary.ids {
        writer.set(&key(name), id);
    }
    for (name, flag) in vocabulary.flags {
        writer.set(&key(name), flag);
    }
    let mut names = Vec::new();
    for (name, source) in template_sources(dir)? {
        if name == "default" {
            writer.set(TEMPLATE, source);
        } else {
            writer.set(&format!("{TEMPLATE}.{name}"), source);
            names.push(name);
        }
    }
    if !names.is_empty() {
        writer.set("tokenizer.chat_templates", names.as_slice());
    }
    Ok(())
}
