//! Chats with known calls and thoughts, rendered by a model's template.

use std::ops::Range;

use scaffold_jinja::Json;

use crate::chat::{ChatTemplate, Message, RenderOptions};

pub(super) const NAMES: [&str; 2] = ["probe_first", "probe_second"];
pub(super) const IDS: [&str; 2] = ["aBcDeF123", "gHiJkL456"];
/// Ids that hold the name, for templates that write it nowhere else.
const NAMING: [&str; 2] = ["functions.probe_first:0", "functions.probe_second:1"];
/// In the order of the alphabet, in which some templates put them.
pub(super) const KEYS: [&str; 3] = ["key_a", "key_b", "key_c"];
pub(super) const TEXTS: [&str; 2] = ["alpha beta", "gamma delta"];
pub(super) const NUMBER: &str = "5708";
pub(super) const THOUGHT: &str = "Probed thinking.";
const SAID: &str = "Probed saying.";
const ASKED: &str = "Probed asking.";

/// The arguments of each call: a text, a number and a text.
pub(super) fn arguments() -> Json {
    let number = NUMBER.parse().unwrap_or(0i64);
    Json::Object(vec![
        (KEYS[0].to_owned(), Json::from(TEXTS[0])),
        (KEYS[1].to_owned(), Json::from(number)),
        (KEYS[2].to_owned(), Json::from(TEXTS[1])),
    ])
}

pub(super) fn tools() -> Vec<Json> {
    let property = |kind: &str| {
        Json::Object(vec![
            ("type".to_owned(), Json::from(kind)),
            ("description".to_owned(), Json::from("A value.")),
        ])
    };
    let properties = Json::Object(vec![
        (KEYS[0].to_owned(), property("string")),
        (KEYS[1].to_owned(), property("integer")),
        (KEYS[2].to_owned(), property("string")),
    ]);
    let tool = |name: &str| {
        let parameters = Json::Object(vec![
            ("type".to_owned(), Json::from("object")),
            ("properties".to_owned(), properties.clone()),
            ("required".to_owned(), Json::Array(Vec::new())),
        ]);
        let function = Json::Object(vec![
            ("name".to_owned(), Json::from(name)),
            ("description".to_owned(), Json::from("Does something.")),
            ("parameters".to_owned(), parameters),
        ]);
        Json::Object(vec![
            ("type".to_owned(), Json::from("function")),
            ("function".to_owned(), function),
        ])
    };
    NAMES.map(tool).to_vec()
}

/// What a template makes of an answer.
pub(super) struct Probe<'a> {
    template: &'a ChatTemplate,
    with_tools: bool,
    /// Contents are lists of parts.
    in_parts: bool,
}

impl<'a> Probe<'a> {
    /// All ways in which templates want chats.
    pub(super) fn all(template: &'a ChatTemplate) -> [Self; 4] {
        let ways = [(true, false), (false, false), (true, true), (false, true)];
        ways.map(|(with_tools, in_parts)| Self { template, with_tools, in_parts })
    }

    fn message(&self, role: &str, text: &str) -> Message {
        if !self.in_parts {
            return Message::new(role, text);
        }
        let part = Json::Object(vec![
            ("type".to_owned(), Json::from("text")),
            ("text".to_owned(), Json::from(text)),
        ]);
        Message::new(role, Json::Array(vec![part]))
    }

    /// What it writes for an answer, between what comes before every answer and what comes after it.
    fn written(&self, answer: Message) -> Option<String> {
        let before = self.render(vec![], true)?;
        let whole = self.render(vec![answer], false)?;
        let plain = self.render(vec![self.message("assistant", SAID)], false)?;
        let after = &plain[plain.rfind(SAID)? + SAID.len()..];
        let start = answer_start(&before, &whole, &plain);
        let rest = &whole[start..];
        let end = rest.strip_suffix(after).or_else(|| {
            // Some end an answer with calls in another way than one with text.
            let rest = rest.trim_end();
            Some(rest.strip_suffix(after.trim()).unwrap_or(rest))
        })?;
        Some(end.to_owned())
    }

    fn render(&self, answer: Vec<Message>, prompted: bool) -> Option<String> {
        let mut messages = vec![self.message("user", ASKED)];
        messages.extend(answer);
        let options = RenderOptions {
            add_generation_prompt: prompted,
            tools: if self.with_tools { tools() } else { Vec::new() },
            special_in_messages: true,
            ..RenderOptions::default()
        };
        self.template.render(&messages, &options).ok()
    }

    /// An answer that is the first `count` calls.
    pub(super) fn calls(&self, count: usize) -> Option<String> {
        let in_text = Json::String(arguments().dumps());
        let (empty, nothing) =
            (self.message("assistant", ""), Message::new("assistant", Json::Null));
        let ways = [
            (&empty, arguments(), IDS, false),
            (&nothing, arguments(), IDS, false),
            (&empty, in_text.clone(), IDS, false),
            (&nothing, in_text, IDS, false),
            (&empty, arguments(), NAMING, false),
            (&empty, arguments(), IDS, true),
        ];
        ways.into_iter().find_map(|(message, arguments, ids, is_flat)| {
            let calls = NAMES.iter().zip(ids).take(count);
            let message = calls.fold(message.clone(), |message, (name, id)| {
                message.with_tool_call(Some(id), name, arguments.clone())
            });
            let message = if is_flat { flat(message) } else { message };
            let written = self.written(message)?;
            let whole = NAMES[..count].iter().all(|name| written.contains(name));
            (whole && written.contains(TEXTS[0])).then_some(written)
        })
    }

    /// An answer after a thought; where the thought stands in it.
    pub(super) fn thought(&self) -> Option<(String, Range<usize>)> {
        let message = self.message("assistant", SAID).with("reasoning_content", THOUGHT);
        let written = self.written(message)?;
        let at = written.find(THOUGHT)?;
        let said = written[at..].find(SAID)?;
        let end = at + said;
        Some((written[..end].to_owned(), at..at + THOUGHT.len()))
    }

    /// The end of a prompt.
    pub(super) fn prompt(&self) -> Option<String> {
        self.render(vec![], true)
    }
}

/// Calls without the object around name and arguments.
fn flat(message: Message) -> Message {
    let inner = |call: &Json| call.get("function").unwrap_or(call).clone();
    let calls: Vec<Json> = message.tool_calls().iter().map(inner).collect();
    message.with("tool_calls", calls)
}

/// Where an answer begins: behind the prompt, where the whole begins with it; else where the two
/// part, but not in the middle of a mark.
fn answer_start(prompt: &str, whole: &str, plain: &str) -> usize {
    if whole.starts_with(prompt) {
        return prompt.len();
    }
    let common = |other: &str| {
        let pairs = whole.char_indices().zip(other.chars());
        pairs.take_while(|((_, a), b)| a == b).map(|((at, a), _)| at + a.len_utf8()).last()
    };
    // An answer of text begins at the same place, whatever a prompt adds to it.
    let at = common(prompt).max(common(plain)).unwrap_or(0);
    let near = whole[..at].char_indices().rev().take(24);
    let mark = near
        .take_while(|(_, c)| !matches!(c, '>' | ']' | '\n'))
        .find(|(_, c)| matches!(c, '<' | '['));
    mark.map_or(at, |(start, _)| start)
}
