//! tiktoken files: a token in base64 and its rank on each line. Their splitting pattern and their
//! control tokens are in programs, not in the file: the families that ship such files are known
//! here.

use super::build;
use crate::added::AddedToken;
use crate::parts::Parts;
use crate::split::patterns::{CL100K, GPT2, LLAMA3, QWEN2};
use crate::unusable::damaged;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use scaffold_error::Error;
use std::path::Path;

/// Which pattern a file needs: Qwen's files are named after it, Llama's are named
/// `tokenizer.model`.
fn pattern(path: &Path, tokens: usize) -> &'static str {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_lowercase();
    if ["gpt2", "multilingual", "whisper"].iter().any(|known| name.contains(known)) {
        GPT2
    } else if name.starts_with("qwen") {
        QWEN2
    } else if tokens == 128_000 {
        LLAMA3
    } else {
        CL100K
    }
}

/// Control tokens of families whose files do not list them, by the number of other tokens.
fn control_tokens(tokens: usize) -> Vec<String> {
    let reserved =
        |from: u32, to: u32| (from..to).map(|n| format!("<|reserved_special_token_{n}|>"));
    let named = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    match tokens {
        128_000 => named(&["<|begin_of_text|>", "<|end_of_text|>"])
            .into_iter()
            .chain(reserved(0, 4))
            .chain(named(&["<|start_header_id|>", "<|end_header_id|>"]))
            .chain(reserved(4, 5))
            .chain(named(&["<|eot_id|>"]))
            .chain(reserved(5, 251))
            .collect(),
        151_643 => named(&["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
            .into_iter()
            .chain((0..205).map(|n| format!("<|extra_{n}|>")))
            .collect(),
        _ => Vec::new(),
    }
}

/// Reads a tiktoken file. `extra` are the tokens that the model's configuration names.
pub(crate) fn read(bytes: &[u8], path: &Path, extra: &[AddedToken]) -> Result<Parts, Error> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| damaged(path, format!("it is not text: {error}")))?;
    let mut tokens = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let number = number + 1;
        let (token, rank) = line.split_once(' ').ok_or_else(|| {
            damaged(path, format!("line {number} is not a token and its rank with a space between"))
        })?;
        let bytes = STANDARD.decode(token).map_err(|error| {
            damaged(path, format!("the token in line {number} is not base64: {error}"))
        })?;
        let rank: u32 = rank.trim().parse().map_err(|_| {
            damaged(path, format!("the rank in line {number} is {rank:?}, not a number"))
        })?;
        // Ids lie close together: a far one would make a table of that size.
        if rank > 4_000_000 {
            return Err(damaged(
                path,
                format!("the rank in line {number} is {rank}, beyond any vocabulary"),
            ));
        }
        tokens.push((rank, bytes));
    }
    let next = tokens
        .iter()
        .map(|(rank, _)| rank + 1)
        .max()
        .ok_or_else(|| damaged(path, "it has no tokens"))?;
    let mut special: Vec<(u32, String)> =
        extra.iter().map(|token| (token.id, token.content.clone())).collect();
    if special.is_empty() {
        special = control_tokens(tokens.len())
            .into_iter()
            .zip(next..)
            .map(|(name, id)| (id, name))
            .collect();
    }
    let pattern = pattern(path, tokens.len());
    build(path, tokens, special, pattern)
}
