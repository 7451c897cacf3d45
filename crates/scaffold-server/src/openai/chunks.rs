//! The answer of a chat, as it comes.

use scaffold::{Arrived, Part, PartStream};
use serde_json::{Value, json};

use super::shapes::{Head, content, ends, finish, usage};
use super::sse;
use crate::fault::Fault;
use crate::sampling;
use crate::stream::{Form, Running};
use crate::tools;

/// Writes chunks.
pub(super) struct Chunks {
    head: Head,
    with_logprobs: bool,
    hides_ends: bool,
    with_usage: bool,
    /// Calls after the first are not told.
    one_call: bool,
    ends: Vec<u32>,
    /// Calls of each answer until now.
    calls: Vec<usize>,
}

impl Chunks {
    pub(super) fn new(
        head: Head,
        with_logprobs: bool,
        hides_ends: bool,
        with_usage: bool,
        one_call: bool,
    ) -> Self {
        let (ends, calls) = (Vec::new(), Vec::new());
        Self { head, with_logprobs, hides_ends, with_usage, one_call, ends, calls }
    }

    fn chunk(&self, index: usize, delta: &Value, logprobs: Option<&Value>, out: &mut Vec<u8>) {
        let choice =
            json!({"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": null});
        self.choice(&choice, out);
    }

    fn choice(&self, choice: &Value, out: &mut Vec<u8>) {
        sse::event(&self.head.object("chat.completion.chunk", &json!([choice])), out);
    }
}

impl Chunks {
    fn part(&mut self, index: usize, part: &Part, logprobs: Option<&Value>, out: &mut Vec<u8>) {
        let delta = match part {
            Part::Thought(text) => json!({"reasoning_content": text}),
            Part::Text(text) | Part::Broken { text, .. } => json!({"content": text}),
            Part::Call(_) if self.one_call && self.calls[index] > 0 => return,
            Part::Call(call) => {
                let mut one = tools::call(call);
                one["index"] = self.calls[index].into();
                self.calls[index] += 1;
                json!({"tool_calls": [one]})
            }
        };
        self.chunk(index, &delta, logprobs, out);
    }
}

impl Form for Chunks {
    fn begin(&mut self, running: &Running, out: &mut Vec<u8>) {
        self.ends = ends(running, self.hides_ends);
        self.calls = vec![0; running.streams.len()];
        for index in 0..running.streams.len() {
            self.chunk(index, &json!({"role": "assistant", "content": ""}), None, out);
        }
    }

    fn piece(&mut self, index: usize, arrived: &Arrived, out: &mut Vec<u8>) {
        let mut found = sampling::of_text(&arrived.piece.logprobs, &self.ends).peekable();
        let has_logprobs = self.with_logprobs && found.peek().is_some();
        let mut logprobs = has_logprobs.then(|| content(found.map(sampling::logprob)));
        for part in &arrived.parts {
            self.part(index, part, logprobs.take().as_ref(), out);
        }
        if logprobs.is_some() {
            self.chunk(index, &json!({"content": ""}), logprobs.as_ref(), out);
        }
    }

    fn finished(&mut self, index: usize, stream: &PartStream, out: &mut Vec<u8>) {
        let reason = finish(stream.answer(), self.calls[index] > 0);
        let mut choice =
            json!({"index": index, "delta": {}, "logprobs": null, "finish_reason": reason});
        sampling::add_thoughts(&mut choice, stream.thoughts_cut());
        self.choice(&choice, out);
    }

    fn end(&mut self, running: &Running, out: &mut Vec<u8>) {
        if self.with_usage {
            let answers = running.streams.iter().map(PartStream::answer);
            let mut object = self.head.object("chat.completion.chunk", &json!([]));
            object["usage"] = usage(answers, running.streams.len());
            sse::event(&object, out);
        }
        sse::done(out);
    }

    fn failed(&mut self, fault: &Fault, out: &mut Vec<u8>) {
        sse::failed(fault, out);
    }

    fn heartbeat(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(sse::HEARTBEAT);
    }

    fn content_type(&self) -> &'static str {
        sse::CONTENT_TYPE
    }
}
