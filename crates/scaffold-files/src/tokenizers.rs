//! Which files make a tokenizer: what is fetched with a model, what makes a copy of it whole, and
//! what a tokenizer is read from.

use std::path::Path;

/// The file that describes a whole tokenizer.
pub const TOKENIZER_JSON: &str = "tokenizer.json";
/// A SentencePiece file, or lines of base64 in the manner of tiktoken.
pub const TOKENIZER_MODEL: &str = "tokenizer.model";
/// The words of a tokenizer that needs nothing else.
pub const VOCAB_TXT: &str = "vocab.txt";
/// The tokens of a tokenizer that needs its merges, too.
pub const VOCAB_JSON: &str = "vocab.json";
/// The merges that go with it.
pub const MERGES_TXT: &str = "merges.txt";

/// Files with a fixed name that belong to a tokenizer, those that matter most first.
pub const TOKENIZER_FILES: [&str; 10] = [
    TOKENIZER_JSON,
    TOKENIZER_MODEL,
    "spiece.model",
    "sentencepiece.bpe.model",
    "sentencepiece.model",
    "spm.model",
    "tekken.json",
    VOCAB_TXT,
    VOCAB_JSON,
    MERGES_TXT,
];

/// What a directory is searched for, in words.
pub const TOKENIZERS_IN_WORDS: [&str; 10] = [
    TOKENIZER_JSON,
    TOKENIZER_MODEL,
    "spiece.model",
    "sentencepiece.bpe.model",
    "sentencepiece.model",
    "spm.model",
    "tekken.json",
    "*.tiktoken",
    VOCAB_TXT,
    "vocab.json with merges.txt",
];

/// Whether a file, by its path in a model's directory, belongs to a tokenizer.
pub fn is_tokenizer_file(name: &str) -> bool {
    let is_own = TOKENIZER_FILES.contains(&name) || is_tekken(name) || is_tiktoken(name);
    !name.contains('/') && (is_own || sentence_piece_version(name).is_some())
}

/// Whether these files of a model's directory are enough for a tokenizer, by their names.
///
/// ```
/// let has = |names: &[&str]| scaffold_files::has_tokenizer(names.iter().copied());
/// assert!(has(&["config.json", "qwen.tiktoken"]));
/// assert!(has(&["vocab.json", "merges.txt"]) && !has(&["vocab.json"]));
/// ```
pub fn has_tokenizer<'a>(names: impl Iterator<Item = &'a str>) -> bool {
    let (mut tokens, mut merges) = (false, false);
    for name in names.filter(|name| is_tokenizer_file(name)) {
        match name {
            VOCAB_JSON => tokens = true,
            MERGES_TXT => merges = true,
            _ => return true,
        }
    }
    tokens && merges
}

/// The same for a directory.
pub fn directory_has_tokenizer(directory: &Path) -> bool {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let names: Vec<String> =
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    has_tokenizer(names.iter().map(String::as_str))
}

/// Mistral's files (`tekken.json`, `tekken_240718.json`).
pub fn is_tekken(name: &str) -> bool {
    name.starts_with("tekken") && is_of(name, "json")
}

/// Files of tokens in base64 with their ranks (`qwen.tiktoken`).
pub fn is_tiktoken(name: &str) -> bool {
    is_of(name, "tiktoken")
}

/// The version at the end of Mistral's names for SentencePiece files (`tokenizer.model.v3`).
pub fn sentence_piece_version(name: &str) -> Option<&str> {
    let (_, version) = name.rsplit_once(".model.")?;
    let digits = version.strip_prefix('v')?;
    digits.starts_with(|c: char| c.is_ascii_digit()).then_some(version)
}

fn is_of(name: &str, extension: &str) -> bool {
    Path::new(name).extension().is_some_and(|found| found == extension)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_below_or_of_another_kind_makes_no_tokenizer() {
        for name in ["1_Pooling/vocab.txt", "config.json", "model.safetensors", "x.model.vocab"] {
            assert!(!is_tokenizer_file(name), "{name}");
        }
        for name in ["tekken_240718.json", "tokenizer.model.v3", "o200k.tiktoken", "spm.model"] {
            assert!(is_tokenizer_file(name) && has_tokenizer([name].into_iter()), "{name}");
        }
    }
}
