//! The answer of a chat, as it comes.

use scaffold::{Answer, Piece};
use serde_json::{Value, json};

use super::shapes::{Head, content, ends, usage};
use super::sse;
use crate::fault::Fault;
use crate::sampling;
use crate::stream::{Form, Running};

/// Writes chunks.
pub(super) struct Chunks {
    head: Head,
    with_logprobs: bool,
    hides_ends: bool,
    with_usage: bool,
    ends: Vec<u32>,
}

impl Chunks {
    pub(super) fn new(head: Head, with_logprobs: bool, hides_ends: bool, with_usage: bool) -> Self {
        Self { head, with_logprobs, hides_ends, with_usage, ends: Vec::new() }
    }

    fn chunk(
        &self,
        index: usize,
        delta: &Value,
        logprobs: Option<Value>,
        finish: Option<&str>,
        out: &mut Vec<u8>,
    ) {
        let choice = json!([{"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish}]);
        sse::event(&self.head.object("chat.completion.chunk", choice), out);
    }
}

impl Form for Chunks {
    fn begin(&mut self, running: &Running, out: &mut Vec<u8>) {
        self.ends = ends(running, self.hides_ends);
        for index in 0..running.streams.len() {
            self.chunk(index, &json!({"role": "assistant", "content": ""}), None, None, out);
        }
    }

    fn piece(&mut self, index: usize, piece: &Piece, out: &mut Vec<u8>) {
        let mut found = sampling::of_text(&piece.logprobs, &self.ends).peekable();
        let has_logprobs = self.with_logprobs && found.peek().is_some();
        if piece.text.is_empty() && !has_logprobs {
            return;
        }
        let logprobs = has_logprobs.then(|| content(found.map(sampling::logprob)));
        self.chunk(index, &json!({"content": piece.text}), logprobs.as_ref(), None, out);
    }

    fn finished(&mut self, index: usize, answer: &Answer, out: &mut Vec<u8>) {
        self.chunk(index, &json!({}), None, Some(answer.finish.name()), out);
    }

    fn end(&mut self, running: &Running, out: &mut Vec<u8>) {
        if self.with_usage {
            let answers = running.streams.iter().map(scaffold::AnswerStream::answer);
            let mut object = self.head.object("chat.completion.chunk", json!([]));
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
