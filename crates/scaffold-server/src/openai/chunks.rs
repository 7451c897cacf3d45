//! The answer of a chat, as it comes.

use scaffold::{Answer, Piece};
use serde_json::{Value, json};

use super::shapes::{Head, content, ends, usage};
use super::sse;
use crate::fault::Fault;
use crate::sampling;
use crate::stream::{Form, Running};
use crate::thoughts::{Parts, Thoughts};

/// Writes chunks.
pub(super) struct Chunks {
    head: Head,
    with_logprobs: bool,
    hides_ends: bool,
    with_usage: bool,
    ends: Vec<u32>,
    thoughts: Vec<Thoughts>,
}

impl Chunks {
    pub(super) fn new(head: Head, with_logprobs: bool, hides_ends: bool, with_usage: bool) -> Self {
        Self { head, with_logprobs, hides_ends, with_usage, ends: Vec::new(), thoughts: Vec::new() }
    }

    fn chunk(
        &self,
        index: usize,
        delta: &Value,
        logprobs: Option<&Value>,
        finish: Option<&str>,
        out: &mut Vec<u8>,
    ) {
        let choice = json!([{"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish}]);
        sse::event(&self.head.object("chat.completion.chunk", &choice), out);
    }
}

impl Chunks {
    fn parts(&self, index: usize, parts: &Parts, logprobs: Option<&Value>, out: &mut Vec<u8>) {
        if !parts.thought.is_empty() {
            self.chunk(index, &json!({"reasoning_content": parts.thought}), None, None, out);
        }
        if !parts.text.is_empty() || logprobs.is_some() {
            self.chunk(index, &json!({"content": parts.text}), logprobs, None, out);
        }
    }
}

impl Form for Chunks {
    fn begin(&mut self, running: &Running, out: &mut Vec<u8>) {
        self.ends = ends(running, self.hides_ends);
        self.thoughts = vec![Thoughts::new(running.beginning); running.streams.len()];
        for index in 0..running.streams.len() {
            self.chunk(index, &json!({"role": "assistant", "content": ""}), None, None, out);
        }
    }

    fn piece(&mut self, index: usize, piece: &Piece, out: &mut Vec<u8>) {
        let mut found = sampling::of_text(&piece.logprobs, &self.ends).peekable();
        let has_logprobs = self.with_logprobs && found.peek().is_some();
        let logprobs = has_logprobs.then(|| content(found.map(sampling::logprob)));
        let parts = self.thoughts[index].feed(&piece.text);
        self.parts(index, &parts, logprobs.as_ref(), out);
    }

    fn finished(&mut self, index: usize, answer: &Answer, out: &mut Vec<u8>) {
        let rest = self.thoughts[index].finish();
        self.parts(index, &rest, None, out);
        self.chunk(index, &json!({}), None, Some(answer.finish.name()), out);
    }

    fn end(&mut self, running: &Running, out: &mut Vec<u8>) {
        if self.with_usage {
            let answers = running.streams.iter().map(scaffold::AnswerStream::answer);
            let mut object = self.head.object("chat.completion.chunk", &json!([]));
            object["usage"] = usage(answers, running.streams.len());
            sse::event(&object, out);
        }
        sse::done(out);
    }

    fn failed(&mut self, fault: &Fault, out: &mut Vec<u8>) {
        sse::failed(fault, out);
    }

    fn heartbeat(&self) -> Option<&'static [u8]> {
        Some(sse::HEARTBEAT)
    }

    fn content_type(&self) -> &'static str {
        sse::CONTENT_TYPE
    }
}
