//! Which files of a directory hold a tokenizer.

use crate::ranked;
use std::path::Path;

pub(super) const FAST: &str = "tokenizer.json";
pub(super) const VOCAB: &str = "vocab.json";
pub(super) const MERGES: &str = "merges.txt";
const SENTENCE_PIECE: [&str; 3] = ["tokenizer.model", "spiece.model", "sentencepiece.bpe.model"];

/// What a directory is searched for, for the error that nothing was found.
pub(super) const LOOKED_FOR: [&str; 7] = [
    FAST,
    "tokenizer.model",
    "spiece.model",
    "sentencepiece.bpe.model",
    "tekken.json",
    "*.tiktoken",
    "vocab.json with merges.txt",
];

/// A model's original tokenizer file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Slow {
    SentencePiece(String),
    Tekken(String),
    Tiktoken(String),
    /// `vocab.json`, with `merges.txt` beside it.
    VocabMerges,
}

impl Slow {
    pub(super) fn name(&self) -> &str {
        match self {
            Slow::SentencePiece(name) | Slow::Tekken(name) | Slow::Tiktoken(name) => name,
            Slow::VocabMerges => VOCAB,
        }
    }
}

/// The original tokenizer file of a directory, if it has one.
pub(super) fn slow(dir: &Path) -> Option<Slow> {
    if let Some(name) = SENTENCE_PIECE
        .into_iter()
        .find(|name| dir.join(name).is_file())
    {
        let name = name.to_owned();
        return Some(if is_lines(&dir.join(&name)) {
            Slow::Tiktoken(name)
        } else {
            Slow::SentencePiece(name)
        });
    }
    let entries = std::fs::read_dir(dir).ok()?;
    let mut names: Vec<String> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    let find = |wanted: &dyn Fn(&str) -> bool| names.iter().find(|name| wanted(name)).cloned();
    find(&|name| version(name).is_some())
        .map(Slow::SentencePiece)
        .or_else(|| find(&ranked::is_tekken).map(Slow::Tekken))
        .or_else(|| {
            let is_tiktoken = |name: &str| {
                Path::new(name)
                    .extension()
                    .is_some_and(|extension| extension == "tiktoken")
            };
            find(&is_tiktoken).map(Slow::Tiktoken)
        })
        .or_else(|| {
            [VOCAB, MERGES]
                .iter()
                .all(|name| dir.join(name).is_file())
                .then_some(Slow::VocabMerges)
        })
}

/// The version at the end of Mistral's names for SentencePiece files (`tokenizer.model.v3`).
pub(super) fn version(name: &str) -> Option<&str> {
    let (_, version) = name.rsplit_once(".model.")?;
    version
        .strip_prefix('v')
        .filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        .map(|_| version)
}

/// Llama 3 and others name their tiktoken files `tokenizer.model`: they start with a line of base64.
fn is_lines(path: &Path) -> bool {
    use std::io::Read as _;
    let mut head = [0u8; 64];
    let Ok(length) = std::fs::File::open(path).and_then(|mut file| file.read(&mut head)) else {
        return false;
    };
    let line = head[..length]
        .split(|&b| b == b'\n')
        .next()
        .unwrap_or_default();
    let Some(space) = line.iter().position(|&b| b == b' ') else {
        return false;
    };
    let (token, rank) = (&line[..space], &line[space + 1..]);
    !token.is_empty()
        && token
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='))
        && !rank.is_empty()
        && rank.iter().all(u8::is_ascii_digit)
}
