//! `tekken.json`, Mistral's tokenizer since Nemo: tokens in base64 with ranks, after a block of
//! control tokens.

use super::build;
use crate::parts::Parts;
use crate::unusable::damaged;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use scaffold_error::Error;
use serde::Deserialize;
use std::path::Path;

#[derive(Deserialize)]
struct File {
    config: Config,
    vocab: Vec<Token>,
    special_tokens: Option<Vec<Special>>,
}

#[derive(Deserialize)]
struct Config {
    pattern: String,
    default_vocab_size: usize,
    default_num_special_tokens: usize,
    version: Option<String>,
}

#[derive(Deserialize)]
struct Token {
    rank: usize,
    token_bytes: String,
}

#[derive(Deserialize)]
struct Special {
    rank: u32,
    token_str: String,
}

/// The control tokens of files that do not list them (up to version 7), in order of their ids.
const UNLISTED: [&str; 20] = [
    "<unk>",
    "<s>",
    "</s>",
    "[INST]",
    "[/INST]",
    "[AVAILABLE_TOOLS]",
    "[/AVAILABLE_TOOLS]",
    "[TOOL_RESULTS]",
    "[/TOOL_RESULTS]",
    "[TOOL_CALLS]",
    "[IMG]",
    "<pad>",
    "[IMG_BREAK]",
    "[IMG_END]",
    "[PREFIX]",
    "[MIDDLE]",
    "[SUFFIX]",
    "[SYSTEM_PROMPT]",
    "[/SYSTEM_PROMPT]",
    "[TOOL_CONTENT]",
];

/// Reads a `tekken.json`: the parts, and the version of the instruction format that it names.
pub(crate) fn read(bytes: &[u8], path: &Path) -> Result<(Parts, Option<String>), Error> {
    let file: File = serde_json::from_slice(bytes).map_err(|error| {
        if error.is_eof() {
            damaged(path, format!("it ends in the middle, after line {}", error.line()))
        } else {
            damaged(path, format!("it is not a tekken vocabulary: {error}"))
        }
    })?;
    let Config { pattern, default_vocab_size: size, default_num_special_tokens: specials, version } =
        file.config;
    let inner = size
        .checked_sub(specials)
        .filter(|&inner| inner <= file.vocab.len())
        .ok_or_else(|| {
            let have = file.vocab.len();
            damaged(path, format!("it announces {size} tokens with {specials} control tokens among them, but lists {have} others"))
        })?;
    let special = special_tokens(file.special_tokens, specials, path)?;
    let mut tokens = Vec::with_capacity(inner);
    for token in &file.vocab[..inner] {
        if token.rank >= inner {
            return Err(damaged(
                path,
                format!("a token has rank {}, but there are {inner}", token.rank),
            ));
        }
        let bytes = STANDARD.decode(&token.token_bytes).map_err(|error| {
            damaged(path, format!("the token of rank {} is not base64: {error}", token.rank))
        })?;
        tokens.push(((token.rank + specials) as u32, bytes));
    }
    Ok((build(path, tokens, special, &pattern)?, version))
}

/// The block of control tokens; places without a name have one by their number.
fn special_tokens(
    listed: Option<Vec<Special>>,
    count: usize,
    path: &Path,
) -> Result<Vec<(u32, String)>, Error> {
    // Every id of the block gets a name; a vocabulary has no more ids than its size says.
    if count > 1 << 20 {
        return Err(damaged(path, format!("it announces {count} control tokens")));
    }
    let mut names: Vec<String> = (0..count).map(|id| format!("<SPECIAL_{id}>")).collect();
    let mut set = |rank: usize, name: String| match names.get_mut(rank) {
        Some(place) => {
            *place = name;
            Ok(())
        }
        None => Err(damaged(
            path,
            format!("the control token {name:?} has rank {rank}, but there are {count}"),
        )),
    };
    match listed {
        Some(listed) => {
            for token in listed {
                set(token.rank as usize, token.token_str)?;
            }
        }
        None => {
            for (rank, name) in UNLISTED.iter().enumerate() {
                set(rank, (*name).to_owned())?;
            }
        }
    }
    Ok(names.into_iter().enumerate().map(|(id, name)| (id as u32, name)).collect())
}
