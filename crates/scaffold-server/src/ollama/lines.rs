//! Answers in lines of JSON, and what stands in the last one.

use std::time::{Duration, Instant};

use scaffold::{Answer, Logprob, Piece};
use serde_json::{Map, Value, json};

use crate::clock::{nanoseconds, now_text};
use crate::dialect::Dialect;
use crate::fault::Fault;
use crate::sampling;
use crate::stream::{Form, Running};
use crate::thoughts::{Beginning, Parts, Thoughts};

pub(super) const CONTENT_TYPE: &str = "application/x-ndjson";

/// A line.
pub(super) fn line(value: &Value, out: &mut Vec<u8>) {
    out.extend_from_slice(value.to_string().as_bytes());
    out.push(b'\n');
}

/// What is written of an answer: whose it is, and where its text stands.
#[derive(Clone)]
pub(super) struct Lines {
    pub(super) model: String,
    pub(super) is_chat: bool,
    pub(super) begun: Instant,
    pub(super) with_logprobs: bool,
    /// Prompt and answer in tokens, for a client that goes on with them.
    pub(super) with_context: bool,
    ends: Vec<u32>,
    load: Duration,
    thoughts: Thoughts,
    beginning: Beginning,
}

impl Lines {
    pub(super) fn new(model: &str, is_chat: bool, begun: Instant, with_logprobs: bool) -> Self {
        let (model, with_context) = (model.to_owned(), !is_chat);
        Self {
            model,
            is_chat,
            begun,
            with_logprobs,
            with_context,
            ends: Vec::new(),
            load: Duration::ZERO,
            thoughts: Thoughts::new(Beginning::Words),
            beginning: Beginning::Words,
        }
    }

    pub(super) fn note(&mut self, running: &Running) {
        let engine = running.lease.engine();
        self.ends = engine.map_or_else(|_| Vec::new(), |engine| engine.config().eos.clone());
        self.load = running.load;
        self.beginning = running.beginning;
        self.thoughts = Thoughts::new(running.beginning);
    }

    fn object(&self, parts: &Parts, done: bool) -> Map<String, Value> {
        let Parts { thought, text } = parts;
        let mut map = Map::new();
        map.insert("model".to_owned(), self.model.as_str().into());
        map.insert("created_at".to_owned(), now_text().into());
        if self.is_chat {
            let mut message = json!({"role": "assistant", "content": text});
            if !thought.is_empty() {
                message["thinking"] = thought.as_str().into();
            }
            map.insert("message".to_owned(), message);
        } else {
            map.insert("response".to_owned(), text.as_str().into());
            if !thought.is_empty() {
                map.insert("thinking".to_owned(), thought.as_str().into());
            }
        }
        map.insert("done".to_owned(), done.into());
        map
    }

    fn add_logprobs(&self, map: &mut Map<String, Value>, logprobs: &[Logprob]) {
        if self.with_logprobs {
            let of_text = sampling::of_text(logprobs, &self.ends).map(sampling::logprob);
            map.insert("logprobs".to_owned(), of_text.collect());
        }
    }

    /// The last line: `parts` are what the lines before it did not have.
    fn last(&self, parts: &Parts, answer: &Answer, prompt: &[u32]) -> Map<String, Value> {
        let mut map = self.object(parts, true);
        map.insert("done_reason".to_owned(), answer.finish.name().into());
        if self.with_context {
            let written = answer.ids.iter().filter(|id| !self.ends.contains(id));
            let context: Vec<u32> = prompt.iter().chain(written).copied().collect();
            map.insert("context".to_owned(), context.into());
        }
        // What was computed in no time at all is divided by.
        let time = |time: Duration| nanoseconds(time).max(1);
        for (key, value) in [
            ("total_duration", time(self.begun.elapsed())),
            ("load_duration", time(self.load)),
            ("prompt_eval_count", answer.usage.prompt_tokens as u64),
            ("prompt_eval_duration", time(answer.timings.prefill)),
            ("eval_count", answer.usage.completion_tokens as u64),
            ("eval_duration", time(answer.timings.decode)),
        ] {
            map.insert(key.to_owned(), value.into());
        }
        map
    }

    /// The whole answer in one object.
    pub(super) fn whole(&self, answer: &Answer, prompt: &[u32]) -> Value {
        let parts = Thoughts::split(self.beginning, &answer.text);
        let mut map = self.last(&parts, answer, prompt);
        self.add_logprobs(&mut map, &answer.logprobs);
        map.into()
    }

    /// The answer to a request that asks nothing: the model was loaded, or let go.
    pub(super) fn nothing(&self, reason: &str) -> Value {
        let mut map = self.object(&Parts::default(), true);
        map.insert("done_reason".to_owned(), reason.into());
        map.into()
    }
}

impl Form for Lines {
    fn begin(&mut self, running: &Running, _: &mut Vec<u8>) {
        self.note(running);
    }

    fn piece(&mut self, _: usize, piece: &Piece, out: &mut Vec<u8>) {
        let has_logprobs = sampling::of_text(&piece.logprobs, &self.ends).next().is_some();
        let parts = self.thoughts.feed(&piece.text);
        if parts == Parts::default() && !has_logprobs {
            return;
        }
        let mut map = self.object(&parts, false);
        self.add_logprobs(&mut map, &piece.logprobs);
        line(&map.into(), out);
    }

    fn finished(&mut self, _: usize, _: &Answer, out: &mut Vec<u8>) {
        let rest = self.thoughts.finish();
        if rest != Parts::default() {
            line(&self.object(&rest, false).into(), out);
        }
    }

    fn end(&mut self, running: &Running, out: &mut Vec<u8>) {
        let prompt = running.prompts.first().map(|prompt| &**prompt).unwrap_or_default();
        if let Some(stream) = running.streams.first() {
            line(&self.last(&Parts::default(), stream.answer(), prompt).into(), out);
        }
    }

    fn failed(&mut self, fault: &Fault, out: &mut Vec<u8>) {
        line(&Dialect::Ollama.error(fault), out);
    }

    fn content_type(&self) -> &'static str {
        CONTENT_TYPE
    }
}
