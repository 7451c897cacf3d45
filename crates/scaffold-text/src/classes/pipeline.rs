//! The parts of a `tokenizer.json` that a tokenizer class prescribes.

use super::adding::Adding;
use crate::config::{Named, TokenizerConfig};
use crate::json::{Model, Vocabulary};
use scaffold_error::{Error, err};
use serde_json::{Value, json};

/// What a class makes of a model's vocabulary.
pub(super) struct Pipeline {
    pub(super) normalizer: Option<Value>,
    pub(super) pre_tokenizer: Value,
    pub(super) decoder: Value,
    pub(super) frame: Around,
    /// Sets what the model needs beside its vocabulary and merges.
    pub(super) model: Model,
    /// Special tokens without a role.
    pub(super) extra: Vec<Named>,
    /// All special tokens are added again, as plain ones.
    pub(super) plain_specials: bool,
}

impl Default for Pipeline {
    fn default() -> Self {
        Pipeline {
            normalizer: None,
            pre_tokenizer: Value::Null,
            decoder: Value::Null,
            frame: Around::Marks,
            model: Model::default(),
            extra: Vec::new(),
            plain_specials: false,
        }
    }
}

/// What stands around texts.
pub(super) enum Around {
    /// The marks of a sequence where the settings ask for them, else what `tokenizer.json` says,
    /// else nothing.
    Marks,
    /// The marks where the settings ask for them, whatever `tokenizer.json` says.
    OnlyMarks,
    /// Templates of one text and of two: words are `$A:0`, or a token and its type, the token by
    /// its role (`cls`), by its name after `=`, or by its name after `?` where the unknown token
    /// stands for one that is missing.
    Template(String, String),
    /// The same where `tokenizer.json` says something, else the marks where the settings ask for
    /// them.
    WithFile(String, String),
    /// RoBERTa's: `cls text sep`, `cls first sep sep second sep`.
    Roberta { sep: &'static str, cls: &'static str, trim_offsets: bool, add_prefix_space: bool },
    /// As it stands.
    Fixed(Value),
    /// This, unless `tokenizer.json` says something or the settings ask for the marks.
    Unless(Box<Around>),
}

/// The frame of BERT.
pub(super) fn bert_frame() -> Around {
    Around::template("cls:0 $A:0 sep:0", "cls:0 $A:0 sep:0 $B:1 sep:1")
}

impl Around {
    pub(super) fn template(single: &str, pair: &str) -> Self {
        Around::Template(single.to_owned(), pair.to_owned())
    }

    /// The `post_processor`; `given` is that of `tokenizer.json`.
    pub(super) fn processor(
        &self,
        config: &TokenizerConfig,
        adding: &Adding<'_>,
        given: Option<Value>,
    ) -> Result<Value, Error> {
        let id = |role: &str| -> Result<Token, Error> {
            let unknown = || config.role("unk").and_then(|name| adding.id(name));
            if let Some(name) = role.strip_prefix('?') {
                let id = adding.id(name).or_else(unknown);
                let id = id.ok_or_else(|| missing(name, "is not in the vocabulary"))?;
                return Ok((name.to_owned(), id));
            }
            let name = match role.strip_prefix('=') {
                Some(name) => name,
                None => config.role(role).ok_or_else(|| missing(role, "is not named"))?,
            };
            let id = adding
                .id(name)
                .ok_or_else(|| missing(role, &format!("{name:?} is not in the vocabulary")))?;
            Ok((name.to_owned(), id))
        };
        let marks = || {
            let wanted = |name: &str| config.flag(name).unwrap_or(false);
            let bos = wanted("add_bos_token") && config.role("bos").is_some();
            let eos = wanted("add_eos_token") && config.role("eos").is_some();
            let (before, after) = (|t| mark(bos, "bos", t), |t| mark(eos, "eos", t));
            let single = format!("{}$A:0{}", before(0), after(0).trim_end());
            let pair = format!("{single} {}$B:1{}", before(1), after(1).trim_end());
            template(&single, &pair, &id)
        };
        let asked = ["add_bos_token", "add_eos_token"]
            .iter()
            .any(|name| config.settings.contains_key(*name));
        match self {
            Around::Unless(other) if !asked => match given {
                Some(given) => Ok(given),
                None => other.processor(config, adding, None),
            },
            Around::Marks | Around::Unless(_) => match given {
                Some(given) if !asked => Ok(given),
                _ => marks(),
            },
            Around::WithFile(single, pair) if given.is_some() && !asked => {
                template(single, pair, &id)
            }
            Around::OnlyMarks | Around::WithFile(..) => marks(),
            Around::Template(single, pair) => template(single, pair, &id),
            Around::Fixed(processor) => Ok(processor.clone()),
            Around::Roberta { sep, cls, trim_offsets, add_prefix_space } => {
                let ((sep, sep_id), (cls, cls_id)) = (id(sep)?, id(cls)?);
                Ok(json!({
                    "type": "RobertaProcessing", "sep": [sep, sep_id], "cls": [cls, cls_id],
                    "trim_offsets": trim_offsets, "add_prefix_space": add_prefix_space,
                }))
            }
        }
    }
}

/// A token's name and id.
type Token = (String, u32);

fn mark(wanted: bool, role: &str, type_id: u32) -> String {
    match (wanted, role) {
        (false, _) => String::new(),
        (true, "bos") => format!("bos:{type_id} "),
        (true, _) => format!(" {role}:{type_id}"),
    }
}

fn missing(role: &str, why: &str) -> Error {
    err!(
        Damaged,
        "the tokenizer's frame is not usable: it needs the token `{role}`, but that {why}"
    )
}

fn template(
    single: &str,
    pair: &str,
    id: &dyn Fn(&str) -> Result<Token, Error>,
) -> Result<Value, Error> {
    let mut specials = serde_json::Map::new();
    let mut slots = |text: &str| -> Result<Vec<Value>, Error> {
        text.split_whitespace()
            .map(|word| {
                let (word, type_id) = match word.rsplit_once(':') {
                    Some((word, type_id)) => (word, type_id.parse().unwrap_or(0)),
                    None => (word, 0u32),
                };
                if let Some(sequence) = word.strip_prefix('$') {
                    return Ok(json!({ "Sequence": { "id": sequence, "type_id": type_id } }));
                }
                let (name, id) = id(word)?;
                let slot = json!({ "SpecialToken": { "id": name, "type_id": type_id } });
                let token = json!({ "id": name, "ids": [id], "tokens": [name] });
                specials.insert(name, token);
                Ok(slot)
            })
            .collect()
    };
    let (single, pair) = (slots(single)?, slots(pair)?);
    Ok(
        json!({ "type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": specials }),
    )
}

/// A BPE model without a vocabulary.
pub(super) fn bpe() -> Model {
    Model { kind: Some("BPE".to_owned()), ..Model::default() }
}

pub(super) fn unigram(unk_id: usize) -> Model {
    Model { kind: Some("Unigram".to_owned()), unk_id: Some(unk_id), ..Model::default() }
}

/// The place of a piece in a vocabulary with scores.
pub(super) fn place(vocabulary: &Vocabulary, name: &str) -> Option<usize> {
    match vocabulary {
        Vocabulary::Scored(pieces) => pieces.iter().position(|(piece, _)| piece == name),
        Vocabulary::Tokens(_) => None,
    }
}

pub(super) fn sequence(kind: &str, steps: &[Value]) -> Value {
    let list = match kind {
        "normalizer" => "normalizers",
        "decoder" => "decoders",
        _ => "pretokenizers",
    };
    json!({ "type": "Sequence", list: steps })
}

pub(super) fn replace(regex: &str, content: &str) -> Value {
    json!({ "type": "Replace", "pattern": { "Regex": regex }, "content": content })
}

pub(super) fn replace_text(text: &str, content: &str) -> Value {
    json!({ "type": "Replace", "pattern": { "String": text }, "content": content })
}

pub(super) fn plain(kind: &str) -> Value {
    json!({ "type": kind })
}

/// Spaces as `▁`, one in front (`prepend_scheme`); words apart (`split`).
pub(super) fn metaspace(prepend_scheme: &str, split: bool) -> Value {
    json!({ "type": "Metaspace", "replacement": "▁", "prepend_scheme": prepend_scheme, "split": split })
}

pub(super) fn byte_level(add_prefix_space: bool, use_regex: bool) -> Value {
    json!({ "type": "ByteLevel", "add_prefix_space": add_prefix_space, "trim_offsets": true, "use_regex": use_regex })
}

pub(super) fn split(regex: &str, behavior: &str, invert: bool) -> Value {
    json!({ "type": "Split", "pattern": { "Regex": regex }, "behavior": behavior, "invert": invert })
}
