//! GPT-2, RoBERTa and their relatives: `vocab.json` with `merges.txt`.

use super::class::Source;
use super::pipeline::{Around, Pipeline, bpe, byte_level, plain, replace, sequence, split};
use crate::config::TokenizerConfig;
use crate::json::{File, Model, Pair, Vocabulary};
use crate::split::patterns::{QWEN2, QWEN35};
use crate::unusable::damaged;
use scaffold_error::Error;
use serde_json::json;
use std::path::Path;

const CLIP: &str =
    r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";

/// Reads the two files.
pub(super) fn read(vocab: (&Path, &[u8]), merges: (&Path, &[u8])) -> Result<File, Error> {
    let tokens: Vocabulary = serde_json::from_slice(vocab.1)
        .map_err(|error| damaged(vocab.0, format!("it is not a map of tokens to ids: {error}")))?;
    if !matches!(tokens, Vocabulary::Tokens(_)) {
        return Err(damaged(vocab.0, "it is a list, and not a map of tokens to ids"));
    }
    let lines = std::str::from_utf8(merges.1)
        .map_err(|error| damaged(merges.0, format!("it is not text: {error}")))?;
    let mut pairs = Vec::new();
    for (number, line) in lines.lines().enumerate() {
        if line.starts_with("#version") || line.trim().is_empty() {
            continue;
        }
        match line.trim_end().split_once(' ') {
            Some((left, right)) if !right.contains(' ') => {
                pairs.push(Pair(left.to_owned(), right.to_owned()));
            }
            _ => {
                let number = number + 1;
                return Err(damaged(
                    merges.0,
                    format!("line {number} is {line:?}, and not two tokens with one space between"),
                ));
            }
        }
    }
    Ok(File {
        model: Model { vocab: Some(tokens), merges: Some(pairs), ..bpe() },
        ..File::default()
    })
}

fn pipeline(config: &TokenizerConfig, add_prefix_space: bool) -> Pipeline {
    Pipeline {
        pre_tokenizer: byte_level(add_prefix_space, true),
        decoder: byte_level(true, true),
        model: bpe(),
        extra: config.extra.clone().unwrap_or_default(),
        ..Pipeline::default()
    }
}

fn prefix(config: &TokenizerConfig, default: bool) -> bool {
    config.flag("add_prefix_space").unwrap_or(default)
}

pub(super) fn gpt2(config: &TokenizerConfig, _: &Source<'_>) -> Pipeline {
    pipeline(config, prefix(config, false))
}

pub(super) fn blenderbot(config: &TokenizerConfig, _: &Source<'_>) -> Pipeline {
    pipeline(config, prefix(config, true))
}

pub(super) fn codegen(config: &TokenizerConfig, source: &Source<'_>) -> Pipeline {
    let processor = json!({ "type": "ByteLevel", "add_prefix_space": true, "trim_offsets": false, "use_regex": true });
    Pipeline { frame: Around::Unless(Box::new(Around::Fixed(processor))), ..gpt2(config, source) }
}

pub(super) fn roberta(config: &TokenizerConfig, _: &Source<'_>) -> Pipeline {
    let add_prefix_space = prefix(config, false);
    Pipeline {
        frame: Around::Roberta {
            sep: "sep",
            cls: "cls",
            trim_offsets: config.flag("trim_offsets").unwrap_or(true),
            add_prefix_space,
        },
        ..pipeline(config, add_prefix_space)
    }
}

pub(super) fn deberta(config: &TokenizerConfig, _: &Source<'_>) -> Pipeline {
    Pipeline {
        frame: Around::template("cls $A sep", "cls $A sep sep $B sep"),
        ..pipeline(config, prefix(config, false))
    }
}

pub(super) fn gpt_neox(config: &TokenizerConfig, _: &Source<'_>) -> Pipeline {
    Pipeline {
        normalizer: Some(plain("NFC")),
        frame: Around::OnlyMarks,
        ..pipeline(config, prefix(config, false))
    }
}

pub(super) fn cohere(config: &TokenizerConfig, _: &Source<'_>) -> Pipeline {
    Pipeline {
        normalizer: Some(plain("NFC")),
        pre_tokenizer: sequence(
            "pre_tokenizer",
            &[
                json!({ "type": "Digits", "individual_digits": true }),
                byte_level(prefix(config, false), true),
            ],
        ),
        ..pipeline(config, false)
    }
}

fn qwen(config: &TokenizerConfig, pattern: &str) -> Pipeline {
    Pipeline {
        normalizer: Some(plain("NFC")),
        pre_tokenizer: sequence(
            "pre_tokenizer",
            &[split(pattern, "Isolated", false), byte_level(prefix(config, false), false)],
        ),
        ..pipeline(config, false)
    }
}

pub(super) fn qwen2(config: &TokenizerConfig, _: &Source<'_>) -> Pipeline {
    Pipeline { plain_specials: true, ..qwen(config, QWEN2) }
}

pub(super) fn qwen35(config: &TokenizerConfig, _: &Source<'_>) -> Pipeline {
    qwen(config, QWEN35)
}

/// A model whose tokens end words with `</w>`.
fn words(config: &TokenizerConfig) -> Model {
    Model {
        end_of_word_suffix: Some("</w>".to_owned()),
        unk_token: config.role("unk").map(str::to_owned),
        ..bpe()
    }
}

pub(super) fn clip(config: &TokenizerConfig, _: &Source<'_>) -> Pipeline {
    Pipeline {
        normalizer: Some(sequence(
            "normalizer",
            &[plain("NFC"), replace(r"\s+", " "), plain("Lowercase")],
        )),
        pre_tokenizer: sequence(
            "pre_tokenizer",
            &[split(CLIP, "Removed", true), byte_level(false, true)],
        ),
        frame: Around::Roberta {
            sep: "eos",
            cls: "bos",
            trim_offsets: false,
            add_prefix_space: false,
        },
        model: words(config),
        ..pipeline(config, false)
    }
}

fn bert_words(config: &TokenizerConfig, lowercase: bool, strip_accents: Option<bool>) -> Pipeline {
    Pipeline {
        normalizer: Some(json!({
            "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
            "strip_accents": strip_accents, "lowercase": lowercase,
        })),
        pre_tokenizer: plain("BertPreTokenizer"),
        decoder: json!({ "type": "BPEDecoder", "suffix": "</w>" }),
        model: words(config),
        extra: config.extra.clone().unwrap_or_default(),
        ..Pipeline::default()
    }
}

pub(super) fn openai_gpt(config: &TokenizerConfig, _: &Source<'_>) -> Pipeline {
    bert_words(config, true, None)
}

/// The ids of its frame are written into the class.
pub(super) fn herbert(config: &TokenizerConfig, _: &Source<'_>) -> Pipeline {
    let name = |role: &str| config.role(role).unwrap_or_default().to_owned();
    let processor =
        json!({ "type": "BertProcessing", "sep": [name("sep"), 2], "cls": [name("cls"), 0] });
    Pipeline { frame: Around::Fixed(processor), ..bert_words(config, false, Some(false)) }
}
