//! Reading an answer while it comes.

use scaffold_jinja::Json;

use super::form::Outcome;
use super::harmony::Harmony;
use super::part::Part;
use super::syntax::AnswerSyntax;

/// Tells the parts of one answer apart while it comes.
///
/// ```
/// use scaffold_text::{AnswerParser, AnswerSyntax, ChatTemplate, Part, SpecialTokens};
///
/// let source = "{% for m in messages %}<|{{ m.role }}|>\
///     {% if m.reasoning_content %}<think>{{ m.reasoning_content }}</think>{% endif %}{{ m.content }}\n{% endfor %}";
/// let template = ChatTemplate::from_source(source, &SpecialTokens::default())?;
/// let mut parser = AnswerParser::new(AnswerSyntax::of(&template), Vec::new());
/// let mut parts = parser.push("<think>Easy.</th");
/// parts.extend(parser.push("ink>Four."));
/// parts.extend(parser.finish());
/// assert_eq!(parts, [Part::Thought("Easy.".into()), Part::Text("Four.".into())]);
/// # Ok::<(), scaffold_text::Error>(())
/// ```
#[derive(Debug)]
pub struct AnswerParser {
    syntax: AnswerSyntax,
    tools: Vec<Json>,
    harmony: Option<Harmony>,
    state: State,
    /// What is not told yet.
    held: String,
    /// Whether anything but white space was said.
    said: bool,
    /// White space before the next text does not count.
    fresh: bool,
    /// The length at which calls were looked at last.
    seen: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Text,
    Thought,
    Calls,
}

impl AnswerParser {
    /// A parser for an answer of a model of this syntax. `tools`: those that the model was given, as
    /// in [`RenderOptions::tools`](crate::RenderOptions::tools); without any, nothing is a call.
    pub fn new(syntax: AnswerSyntax, tools: Vec<Json>) -> Self {
        let harmony = syntax.harmony.then(Harmony::default);
        Self {
            syntax,
            tools,
            harmony,
            state: State::Text,
            held: String::new(),
            said: false,
            fresh: false,
            seen: 0,
        }
    }

    /// As if the answer began with the mark that opens thoughts: where the prompt
    /// [has opened](AnswerSyntax::is_opened_by) them.
    #[must_use]
    pub fn in_thoughts(mut self) -> Self {
        if self.syntax.thoughts.is_some() {
            (self.state, self.fresh) = (State::Thought, true);
        }
        self
    }

    /// Whether the answer is at its thoughts.
    pub fn is_thinking(&self) -> bool {
        self.harmony.as_ref().map_or(self.state == State::Thought, Harmony::is_thinking)
    }

    /// Takes more text; gives what is certain by now.
    pub fn push(&mut self, text: &str) -> Vec<Part> {
        self.take(text, false)
    }

    /// The answer is over: gives what was held back.
    pub fn finish(&mut self) -> Vec<Part> {
        self.take("", true)
    }

    fn take(&mut self, text: &str, ended: bool) -> Vec<Part> {
        if let Some(harmony) = &mut self.harmony {
            return harmony.take(text, ended);
        }
        self.held.push_str(text);
        let mut parts = Vec::new();
        while self.step(ended, &mut parts) {}
        join(parts)
    }

    /// Goes on by a step; whether there may be another one.
    fn step(&mut self, ended: bool, parts: &mut Vec<Part>) -> bool {
        match self.state {
            State::Text => self.text(ended, parts),
            State::Thought => self.thought(ended, parts),
            State::Calls => self.calls(ended, parts),
        }
    }

    fn text(&mut self, ended: bool, parts: &mut Vec<Part>) -> bool {
        let calls = self.syntax.calls.as_ref().filter(|_| !self.tools.is_empty());
        if !self.said {
            let start = self.held.trim_start();
            if let Some(marks) = &self.syntax.thoughts {
                let open = marks.open.trim();
                if let Some(rest) = start.strip_prefix(open) {
                    (self.held, self.state, self.fresh) = (rest.to_owned(), State::Thought, true);
                    return true;
                }
                if !ended && open.starts_with(start) {
                    return false;
                }
            }
            // Without a mark, only whole answers are calls.
            if let Some(calls) = calls.filter(|calls| calls.trigger.is_none()) {
                let begins = |start: &str| {
                    let mark = calls.head.first().unwrap_or_default();
                    let by_mark = mark.chars().next().is_some_and(|mark| start.starts_with(mark));
                    let prefixed = calls
                        .prefix
                        .as_deref()
                        .is_some_and(|p| start.starts_with(p) || p.starts_with(start));
                    by_mark || prefixed || mark.is_empty() && calls.may_begin(start, &self.tools)
                };
                if start.is_empty() && !ended {
                    return false;
                }
                if begins(start) && !start.is_empty() {
                    (self.state, self.seen) = (State::Calls, 0);
                    return true;
                }
            }
        }
        let trigger = calls.and_then(|calls| calls.trigger.as_deref());
        if let Some(at) = trigger.and_then(|trigger| self.held.find(trigger)) {
            let rest = self.held.split_off(at);
            let before = std::mem::replace(&mut self.held, rest);
            // White space before a call is the call's.
            self.say(before.trim_end(), parts);
            (self.state, self.seen) = (State::Calls, 0);
            return true;
        }
        let keep = if ended { 0 } else { held_back(&self.held, trigger) };
        let rest = self.held.split_off(self.held.len() - keep);
        let now = std::mem::replace(&mut self.held, rest);
        self.say(&now, parts);
        false
    }

    fn say(&mut self, text: &str, parts: &mut Vec<Part>) {
        let text = if self.fresh { text.trim_start() } else { text };
        if text.is_empty() {
            return;
        }
        self.said |= !text.trim().is_empty();
        self.fresh = false;
        parts.push(Part::Text(text.to_owned()));
    }

    fn thought(&mut self, ended: bool, parts: &mut Vec<Part>) -> bool {
        let close = self.syntax.thoughts.as_ref().map(|m| m.close.trim()).unwrap_or_default();
        let tell = |text: &str, fresh: &mut bool, parts: &mut Vec<Part>| {
            let text = if *fresh { text.trim_start() } else { text };
            if !text.is_empty() {
                *fresh = false;
                parts.push(Part::Thought(text.to_owned()));
            }
        };
        if let Some(at) = self.held.find(close) {
            tell(self.held[..at].trim_end(), &mut self.fresh, parts);
            self.held.drain(..at + close.len());
            (self.state, self.fresh) = (State::Text, true);
            return true;
        }
        // White space at the end belongs to the mark, if it comes.
        let keep = if ended { 0 } else { held_back(&self.held, Some(close)) };
        let certain = &self.held[..self.held.len() - keep];
        let certain = certain.trim_end().len();
        let now: String = self.held.drain(..certain).collect();
        tell(&now, &mut self.fresh, parts);
        if ended {
            self.held.clear();
        }
        false
    }

    fn calls(&mut self, ended: bool, parts: &mut Vec<Part>) -> bool {
        // Looking anew at each piece would take ever longer.
        if !ended && self.held.len() < self.seen + self.seen / 64 {
            return false;
        }
        self.seen = self.held.len();
        let Some(syntax) = &self.syntax.calls else {
            self.state = State::Text;
            return true;
        };
        match syntax.read(&self.held, &self.tools, ended) {
            Outcome::More => false,
            Outcome::Calls(calls, end) => {
                parts.extend(calls.into_iter().map(Part::Call));
                self.held.drain(..end);
                // Bare calls may follow each other.
                self.said |= syntax.trigger.is_some();
                (self.state, self.fresh) = (State::Text, true);
                true
            }
            Outcome::Wrong(why) => {
                // Only the mark is none: another call may stand in what follows it.
                let end = syntax.trigger.as_ref().map_or(0, |mark| mark.len().min(self.held.len()));
                let text: String = self.held.drain(..end).collect();
                (self.state, self.said, self.fresh) = (State::Text, true, false);
                if !text.is_empty() {
                    parts.push(Part::Broken { text, why });
                }
                true
            }
        }
    }
}

/// Bytes at the end of a text that may be the beginning of a mark, with the white space before it.
fn held_back(text: &str, mark: Option<&str>) -> usize {
    let Some(mark) = mark else {
        return 0;
    };
    let from = text.len().saturating_sub(mark.len());
    let starts = (from..text.len()).filter(|&at| text.is_char_boundary(at));
    let begun = starts.into_iter().find(|&at| mark.starts_with(&text[at..]));
    let before = &text[..begun.unwrap_or(text.len())];
    text.len() - before.trim_end().len()
}

/// Neighbours of one kind are one part.
pub(super) fn join(parts: Vec<Part>) -> Vec<Part> {
    let mut joined: Vec<Part> = Vec::with_capacity(parts.len());
    for part in parts {
        match (joined.last_mut(), part) {
            (Some(Part::Text(text)), Part::Text(more))
            | (Some(Part::Thought(text)), Part::Thought(more)) => text.push_str(&more),
            (_, part) => joined.push(part),
        }
    }
    joined
}
