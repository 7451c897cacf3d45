//! GPT-2's original two files, `vocab.json` and `merges.txt`: the "slow" tokenizer of GPT-2, Qwen 2 and others.

use crate::added::{AddedToken, AddedTokens};
use crate::byte_level::build::Builder;
use crate::error::TextError;
use crate::json::Parts;
use crate::normalize::Normalizer;
use crate::split::patterns::{GPT2, QWEN2};
use crate::split::{Keep, Splitter, Step};
use crate::tokenizer::{Engine, Frame};
use crate::tokens::{Spelling, TokenKind, TokenTable};
use std::collections::BTreeMap;
use std::path::Path;

/// What a tokenizer class adds to its two files.
struct Class {
    names: &'static [&'static str],
    pattern: &'static str,
    nfc: bool,
}

const CLASSES: &[Class] = &[
    Class {
        names: &["Qwen2Tokenizer", "Qwen2TokenizerFast"],
        pattern: QWEN2,
        nfc: true,
    },
    Class {
        names: &[
            "GPT2Tokenizer",
            "GPT2TokenizerFast",
            "CodeGenTokenizer",
            "WhisperTokenizer",
            "RobertaTokenizer",
            "BartTokenizer",
        ],
        pattern: GPT2,
        nfc: false,
    },
];

fn bad(path: &Path, problem: impl Into<String>) -> TextError {
    TextError::BadFile {
        path: path.to_owned(),
        problem: problem.into(),
        advice: "Download the file again".to_owned(),
    }
}

/// Reads the two files. `class` is the configuration's `tokenizer_class`; without one GPT-2's is taken.
pub(crate) fn read(
    vocab: (&Path, &[u8]),
    merges: (&Path, &[u8]),
    class: Option<&str>,
    extra: &[AddedToken],
) -> Result<Parts, TextError> {
    let class = class.unwrap_or("GPT2Tokenizer");
    let known = CLASSES.iter().find(|known| known.names.contains(&class)).ok_or_else(|| {
        let names: Vec<&str> = CLASSES.iter().flat_map(|known| known.names.iter().copied()).collect();
        bad(
            vocab.0,
            format!("`tokenizer_class` is {class:?}, whose rules are not in the file and not known here (known: {})", names.join(", ")),
        )
    })?;
    let tokens: BTreeMap<String, u32> = serde_json::from_slice(vocab.1).map_err(|error| {
        bad(
            vocab.0,
            format!("it is not a map of tokens to ids: {error}"),
        )
    })?;
    let lines = std::str::from_utf8(merges.1)
        .map_err(|error| bad(merges.0, format!("it is not text: {error}")))?;
    let mut builder = Builder::new(vocab.0.display().to_string(), tokens.len(), tokens.len());
    for (name, &id) in &tokens {
        builder.token(id, name);
    }
    for line in lines
        .lines()
        .filter(|line| !line.starts_with("#version") && !line.trim().is_empty())
    {
        builder.merge_line(line)?;
    }
    let step = Step::from_pattern(known.pattern, Keep::Both)?;
    let (mut engine, mut entries, named) = builder.build(Splitter::new(vec![step]));
    engine.normalizer = known.nfc.then(Normalizer::nfc);
    let mut added = extra.to_vec();
    if added.is_empty()
        && let Some(&id) = tokens.get("<|endoftext|>")
    {
        added.push(AddedToken {
            id,
            content: "<|endoftext|>".to_owned(),
            special: true,
            ..AddedToken::default()
        });
    }
    let mut table = TokenTable::new(Spelling::ByteLevel);
    for token in &added {
        let kind = if token.special {
            TokenKind::Control
        } else {
            TokenKind::Added
        };
        entries.push((token.id, token.content.clone().into_bytes(), kind));
    }
    table.fill(entries);
    for (id, name) in named {
        table.name(id, &name);
    }
    for token in &added {
        table.name(token.id, &token.content);
    }
    Ok(Parts {
        engine: Engine::ByteLevel(Box::new(engine)),
        tokens: table,
        added: AddedTokens::new(added, str::to_owned)?,
        frame: Frame::default(),
    })
}
