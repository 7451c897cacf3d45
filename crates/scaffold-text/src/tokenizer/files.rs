//! Which files of a directory hold a tokenizer.

use crate::classes::{Class, Files};
use crate::unusable::unusable;
use scaffold_error::{Error, Kind, err};
use scaffold_files::{
    MERGES_TXT, TOKENIZER_MODEL, TOKENIZERS_IN_WORDS, VOCAB_JSON, VOCAB_TXT, is_tekken,
    is_tiktoken, sentence_piece_version,
};
use std::path::Path;

/// Files whose meaning depends on the tokenizer's class.
const OF_CLASSES: [&str; 6] = [
    "spiece.model",
    "sentencepiece.bpe.model",
    "sentencepiece.model",
    "spm.model",
    VOCAB_TXT,
    VOCAB_JSON,
];

/// A model's original tokenizer file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Slow {
    /// A file that the tokenizer's class says how to read.
    OfClass(String),
    SentencePiece(String),
    Tekken(String),
    Tiktoken(String),
}

impl Slow {
    pub(super) fn name(&self) -> &str {
        match self {
            Slow::OfClass(name)
            | Slow::SentencePiece(name)
            | Slow::Tekken(name)
            | Slow::Tiktoken(name) => name,
        }
    }
}

/// The original tokenizer file of a directory, if it has one that is read.
pub(super) fn slow(dir: &Path, class: Class) -> Option<Slow> {
    let has = |name: &str| dir.join(name).is_file();
    if let Class::Known(row) = class
        && let Some(name) = match row.files {
            Files::Words => has(VOCAB_TXT).then_some(VOCAB_TXT),
            Files::Pairs => (has(VOCAB_JSON) && has(MERGES_TXT)).then_some(VOCAB_JSON),
            // `transformers` takes this name for any class, and first.
            Files::Pieces(names, _) => {
                [TOKENIZER_MODEL].into_iter().chain(names.iter().copied()).find(|name| has(name))
            }
            Files::Unread(_) => None,
        }
        && !is_lines(&dir.join(name))
    {
        return Some(Slow::OfClass(name.to_owned()));
    }
    let entries = std::fs::read_dir(dir).ok()?;
    let mut names: Vec<String> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    let find = |wanted: &dyn Fn(&str) -> bool| names.iter().find(|name| wanted(name)).cloned();
    if has(TOKENIZER_MODEL) && is_lines(&dir.join(TOKENIZER_MODEL)) {
        return Some(Slow::Tiktoken(TOKENIZER_MODEL.to_owned()));
    }
    if has(TOKENIZER_MODEL) && matches!(class, Class::Generic) {
        return Some(Slow::SentencePiece(TOKENIZER_MODEL.to_owned()));
    }
    find(&|name| sentence_piece_version(name).is_some())
        .map(Slow::SentencePiece)
        .or_else(|| find(&is_tekken).map(Slow::Tekken))
        .or_else(|| find(&is_tiktoken).map(Slow::Tiktoken))
}

/// Why no tokenizer is read from a directory without a `tokenizer.json`.
pub(super) fn nothing_read(dir: &Path, class: Class) -> Error {
    let there = OF_CLASSES.iter().chain(&[TOKENIZER_MODEL]).find(|name| dir.join(name).is_file());
    let Some(there) = there else {
        return err!(
            NotFound,
            "{} holds no tokenizer: looked for {}. Download the model's tokenizer files, or use a GGUF file, which carries \
             its vocabulary",
            dir.display(),
            TOKENIZERS_IN_WORDS.join(", ")
        )
        .of_file(dir);
    };
    let (kind, problem, advice) = match class {
        Class::Unread(name, why) => (
            Kind::Unsupported,
            format!("the model's tokenizer is a {name}, whose original files are not read: {why}"),
            "Fetch the model's tokenizer.json, or save one with `transformers`",
        ),
        Class::Known(row) => (
            Kind::NotFound,
            format!("the model's tokenizer is a {}, {}", row.name(), row.files.wanted()),
            "Fetch the missing files, or the model's tokenizer.json",
        ),
        Class::Generic => (
            Kind::Unsupported,
            "nothing says which tokenizer class it belongs to, so where its ids begin and what stands around a text is not known".to_owned(),
            "Fetch the model's tokenizer.json, or its config.json (`model_type`) and tokenizer_config.json (`tokenizer_class`)",
        ),
    };
    unusable(kind, &dir.join(there), problem, advice)
}

/// Llama 3 and others name their tiktoken files `tokenizer.model`: they start with a line of
/// base64.
fn is_lines(path: &Path) -> bool {
    use std::io::Read as _;
    let mut head = [0u8; 64];
    let Ok(length) = std::fs::File::open(path).and_then(|mut file| file.read(&mut head)) else {
        return false;
    };
    let line = head[..length].split(|&b| b == b'\n').next().unwrap_or_default();
    let Some(space) = line.iter().position(|&b| b == b' ') else {
        return false;
    };
    let (token, rank) = (&line[..space], &line[space + 1..]);
    !token.is_empty()
        && token.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='))
        && !rank.is_empty()
        && rank.iter().all(u8::is_ascii_digit)
}
