//! Which pre-tokenizers, post-processors and decoders the byte-level engine takes on. Each function
//! answers "nothing" for what it does not know, and the file goes to the `tokenizers` crate.

use crate::byte_level::Trim;
use crate::frame::{Frame, Slot};
use crate::split::{Keep, Splitter, Step};
use scaffold_error::Error;
use serde_json::Value;

/// How text is cut.
pub(super) struct Cuts {
    pub(super) splitter: Splitter,
    pub(super) add_prefix_space: bool,
}

fn kind(value: &Value) -> &str {
    value["type"].as_str().unwrap_or_default()
}

fn flag(value: &Value, name: &str, default: bool) -> bool {
    value[name].as_bool().unwrap_or(default)
}

/// The steps of a `Sequence`, or the one step itself.
fn steps<'a>(value: &'a Value, list: &str) -> Vec<&'a Value> {
    match value[list].as_array() {
        Some(steps) if kind(value) == "Sequence" => steps.iter().collect(),
        _ => vec![value],
    }
}

/// Byte-level cutting: any number of splits, then `ByteLevel`.
pub(super) fn pre_tokenizer(value: Option<&Value>) -> Result<Option<Cuts>, Error> {
    let Some(value) = value else { return Ok(None) };
    let all = steps(value, "pretokenizers");
    let Some((last, splits)) = all.split_last() else {
        return Ok(None);
    };
    let add_prefix_space = flag(last, "add_prefix_space", true);
    if kind(last) != "ByteLevel" || (add_prefix_space && !splits.is_empty()) {
        return Ok(None);
    }
    let mut out = Vec::new();
    for split in splits {
        match step(split)? {
            Some(step) => out.push(step),
            None => return Ok(None),
        }
    }
    if flag(last, "use_regex", true) {
        out.push(Step::Gpt2);
    }
    Ok(Some(Cuts { splitter: Splitter::new(out), add_prefix_space }))
}

fn step(value: &Value) -> Result<Option<Step>, Error> {
    match kind(value) {
        "Digits" => Ok(Some(Step::Digits { individual: flag(value, "individual_digits", false) })),
        "Split" => {
            let pattern =
                match (value["pattern"]["Regex"].as_str(), value["pattern"]["String"].as_str()) {
                    (Some(regex), _) => regex.to_owned(),
                    (None, Some(text)) => regex_syntax::escape(text),
                    (None, None) => return Ok(None),
                };
            let keep = match (
                value["behavior"].as_str().unwrap_or_default(),
                flag(value, "invert", false),
            ) {
                ("Isolated", _) => Keep::Both,
                ("Removed", true) => Keep::Matches,
                ("Removed", false) => Keep::Gaps,
                _ => return Ok(None),
            };
            Step::from_pattern(&pattern, keep).map(Some)
        }
        _ => Ok(None),
    }
}

/// The normalizer, if it does anything.
pub(super) fn normalizer(value: Option<&Value>) -> Option<&Value> {
    value.filter(|value| {
        let empty = value["normalizers"].as_array().is_some_and(Vec::is_empty);
        !value.is_null() && !empty
    })
}

/// Whether tokens are turned back into bytes by the byte-level decoder.
pub(super) fn decodes_bytes(value: Option<&Value>) -> bool {
    value.is_some_and(|value| kind(value) == "ByteLevel")
}

/// Whether a part is, or has, the byte-level step.
pub(super) fn has_bytes(value: Option<&Value>) -> bool {
    value.is_some_and(|value| {
        ["pretokenizers", "decoders"]
            .into_iter()
            .flat_map(|list| steps(value, list))
            .any(|step| kind(step) == "ByteLevel")
    })
}

/// What stands around a text.
pub(super) struct Post {
    pub(super) frame: Frame,
    pub(super) trim: Option<Trim>,
}

/// The frame of a post-processor that is made of templates.
pub(super) fn post_processor(value: Option<&Value>) -> Option<Post> {
    let mut post = Post { frame: Frame::default(), trim: None };
    let Some(value) = value.filter(|value| !value.is_null()) else {
        return Some(post);
    };
    for step in steps(value, "processors") {
        match kind(step) {
            "ByteLevel" => post.trim = trim(step),
            "TemplateProcessing" => post.frame = template(step)?,
            "RobertaProcessing" => {
                let (cls, sep) = (step["cls"][1].as_u64()? as u32, step["sep"][1].as_u64()? as u32);
                post.trim = trim(step);
                let single = vec![Slot::Token(cls, 0), Slot::First(0), Slot::Token(sep, 0)];
                let pair = [
                    single.clone(),
                    vec![Slot::Token(sep, 0), Slot::Second(0), Slot::Token(sep, 0)],
                ]
                .concat();
                post.frame = Frame { single, pair };
            }
            _ => return None,
        }
    }
    Some(post)
}

fn trim(step: &Value) -> Option<Trim> {
    flag(step, "trim_offsets", true)
        .then(|| Trim { keeps_first: flag(step, "add_prefix_space", true) })
}

fn template(value: &Value) -> Option<Frame> {
    let slots = |name: &str| -> Option<Vec<Slot>> {
        let mut out = Vec::new();
        for piece in value[name].as_array()? {
            if let Some(sequence) = piece.get("Sequence") {
                let type_id = sequence["type_id"].as_u64()? as u32;
                out.push(match sequence["id"].as_str()? {
                    "A" => Slot::First(type_id),
                    "B" => Slot::Second(type_id),
                    _ => return None,
                });
            } else {
                let token = piece.get("SpecialToken")?;
                let type_id = token["type_id"].as_u64()? as u32;
                for id in value["special_tokens"][token["id"].as_str()?]["ids"].as_array()? {
                    out.push(Slot::Token(id.as_u64()? as u32, type_id));
                }
            }
        }
        Some(out)
    };
    Some(Frame { single: slots("single")?, pair: slots("pair")? })
}
