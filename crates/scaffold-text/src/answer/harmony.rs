//! Answers in several channels, as gpt-oss writes them.
//!
//! An answer is a run of messages, each with a head, a channel and contents: `analysis` is thought,
//! `final` is text, and what is addressed to `functions.NAME` is a call. Templates write earlier
//! turns in another way than the model does, so this syntax is known and not derived.
//!
//! Source: OpenAI's description of the harmony response format.

use super::part::{Call, Part};
use crate::chat::ChatTemplate;
use scaffold_jinja::Json;

const START: &str = "<|start|>";
const CHANNEL: &str = "<|channel|>";
const MESSAGE: &str = "<|message|>";
const CONSTRAIN: &str = "<|constrain|>";
const ENDS: [&str; 3] = ["<|end|>", "<|call|>", "<|return|>"];

/// All marks.
pub(super) const MARKS: [&str; 7] = [START, CHANNEL, MESSAGE, CONSTRAIN, ENDS[0], ENDS[1], ENDS[2]];

/// Whether a template speaks it.
pub(super) fn is_spoken(template: &ChatTemplate) -> bool {
    [START, CHANNEL, MESSAGE].iter().all(|mark| template.mentions(mark))
        && template.mentions("analysis")
}

#[derive(Debug, Default)]
pub(super) struct Harmony {
    held: String,
    body: Option<Body>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Body {
    Thought,
    Text,
    /// A call, and its arguments until now.
    Call(String),
}

impl Harmony {
    pub(super) fn is_thinking(&self) -> bool {
        self.body == Some(Body::Thought)
    }

    pub(super) fn take(&mut self, text: &str, ended: bool) -> Vec<Part> {
        self.held.push_str(text);
        let mut parts: Vec<Part> = Vec::new();
        loop {
            let Some(body) = self.body.clone() else {
                let Some(at) = self.held.find(MESSAGE) else {
                    break;
                };
                let head: String = self.held.drain(..at + MESSAGE.len()).collect();
                self.body = Some(body_of(&head[..at]));
                continue;
            };
            let marks = ENDS.iter().chain([&START]);
            let end = marks.filter_map(|mark| Some((self.held.find(mark)?, mark))).min();
            let Some((at, &mark)) = end else {
                if ended || !matches!(body, Body::Call(_)) {
                    let keep = if ended { 0 } else { held_back(&self.held) };
                    let certain = self.held.len() - keep;
                    let inner: String = self.held.drain(..certain).collect();
                    tell(body, inner, ended, &mut parts);
                }
                break;
            };
            let inner: String = self.held.drain(..at).collect();
            if mark != START {
                self.held.drain(..mark.len());
            }
            tell(body, inner, true, &mut parts);
            self.body = None;
        }
        if ended {
            // A head without contents is none; anything else is for the reader.
            let rest = std::mem::take(&mut self.held);
            let is_head = rest.trim_start().starts_with('<') || rest.trim() == "assistant";
            if self.body.is_none() && !rest.trim().is_empty() && !is_head {
                parts.push(Part::Text(rest));
            }
        }
        parts
    }
}

fn tell(body: Body, inner: String, whole: bool, parts: &mut Vec<Part>) {
    if inner.is_empty() && !matches!(body, Body::Call(_)) {
        return;
    }
    match body {
        Body::Thought => parts.push(Part::Thought(inner)),
        Body::Text => parts.push(Part::Text(inner)),
        Body::Call(name) if whole => {
            let arguments = if inner.trim().is_empty() { "{}".to_owned() } else { inner };
            parts.push(match Json::parse(arguments.trim()) {
                Ok(Json::Object(_)) => {
                    Part::Call(Call { name, arguments: arguments.trim().to_owned() })
                }
                Ok(_) => Part::Broken {
                    text: arguments,
                    why: format!("the arguments of `{name}` are no JSON object"),
                },
                Err(error) => Part::Broken {
                    text: arguments,
                    why: format!("the arguments of `{name}` are no JSON: {error}"),
                },
            });
        }
        Body::Call(_) => {}
    }
}

/// What a message of this head contains.
fn body_of(head: &str) -> Body {
    let recipient = head.split("to=functions.").nth(1);
    if let Some(recipient) = recipient {
        let end = recipient.find(|c: char| c.is_whitespace() || c == '<');
        return Body::Call(recipient[..end.unwrap_or(recipient.len())].to_owned());
    }
    let channel = head.split(CHANNEL).nth(1).unwrap_or_default().trim_start();
    if channel.starts_with("analysis") { Body::Thought } else { Body::Text }
}

fn held_back(text: &str) -> usize {
    let begins = |at: &usize| {
        let rest = &text[*at..];
        ENDS.iter().chain([&START]).any(|mark| mark.starts_with(rest))
    };
    let from = text.len().saturating_sub(12);
    let mut starts = (from..text.len()).filter(|&at| text.is_char_boundary(at));
    starts.find(begins).map_or(0, |at| text.len() - at)
}
