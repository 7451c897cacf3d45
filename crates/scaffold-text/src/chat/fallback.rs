//! The prompt formats of families whose models come without a template.

use crate::tokenizer::Tokenizer;
use scaffold_error::{Error, err};

/// What is known about a model beside its tokenizer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FamilyHint {
    /// The model's name, such as `teknium/OpenHermes-2.5-Mistral-7B`.
    pub name: Option<String>,
    /// The architecture in its configuration, such as `mistral`.
    pub architecture: Option<String>,
}

/// A prompt format.
#[derive(Debug)]
pub(super) struct Format {
    pub(super) name: &'static str,
    /// The template, or nothing for the format that is written turn by turn.
    pub(super) source: Option<&'static str>,
    /// Control tokens that only models of this format have.
    tokens: &'static [&'static str],
    /// Parts of names, in lower case.
    names: &'static [&'static str],
    architectures: &'static [&'static str],
}

const FORMATS: &[Format] = &[
    Format {
        name: "ChatML",
        source: Some(include_str!("formats/chatml.jinja")),
        tokens: &["<|im_start|>"],
        names: &["openhermes", "hermes", "smollm", "qwen", "dolphin", "chatml", "yi-"],
        architectures: &["qwen2", "qwen3"],
    },
    Format {
        name: "Llama 3",
        source: Some(include_str!("formats/llama3.jinja")),
        tokens: &["<|start_header_id|>"],
        names: &["llama-3", "llama3"],
        architectures: &[],
    },
    Format {
        name: "Gemma",
        source: Some(include_str!("formats/gemma.jinja")),
        tokens: &["<start_of_turn>"],
        names: &["gemma"],
        architectures: &["gemma", "gemma2"],
    },
    Format {
        name: "Zephyr",
        source: Some(include_str!("formats/zephyr.jinja")),
        tokens: &[],
        names: &["tinyllama", "zephyr", "stablelm-zephyr"],
        architectures: &[],
    },
    Format {
        name: "Phi 3",
        source: Some(include_str!("formats/phi3.jinja")),
        tokens: &["<|assistant|>"],
        names: &["phi-3", "phi-4"],
        architectures: &["phi3"],
    },
    Format {
        name: "Mistral",
        source: None,
        tokens: &["[INST]"],
        names: &["mistral", "mixtral"],
        architectures: &["mistral", "mixtral"],
    },
    Format {
        name: "Llama 2",
        source: Some(include_str!("formats/llama2.jinja")),
        tokens: &[],
        names: &["llama-2", "llama2", "codellama"],
        architectures: &[],
    },
];

/// The format of a model: by its name, then by its control tokens, then by its architecture.
pub(super) fn find(
    tokenizer: &Tokenizer,
    hint: &FamilyHint,
) -> Result<(&'static Format, String), Error> {
    if tokenizer.mistral().is_some()
        && let Some(format) = FORMATS.iter().find(|format| format.source.is_none())
    {
        return Ok((format, "its tokenizer file".to_owned()));
    }
    let name = hint.name.as_deref().unwrap_or_default().to_lowercase();
    let architecture = hint.architecture.as_deref().unwrap_or_default().to_lowercase();
    for format in FORMATS {
        if let Some(part) = format.names.iter().find(|part| name.contains(*part)) {
            return Ok((format, format!("{part:?} in its name")));
        }
    }
    for format in FORMATS {
        if let Some(token) =
            format.tokens.iter().find(|token| tokenizer.token_to_id(token).is_some())
        {
            return Ok((format, format!("its token {token:?}")));
        }
    }
    for format in FORMATS {
        if format.architectures.contains(&architecture.as_str()) {
            return Ok((format, format!("its architecture {architecture:?}")));
        }
    }
    Err(err!(
        NotFound,
        "the model has no chat template and its family's format is not known (name {name:?}, architecture \
         {architecture:?}, and the vocabulary). Pass a template (a `chat_template.jinja` file in the model's directory), or \
         use plain text generation"
    ))
}
