//! Answers in lines of JSON, and what stands in the last one.

use std::time::{Duration, Instant};

use scaffold::{Answer, Arrived, Call, Logprob, Part, PartStream, Reply as Told};
use serde_json::{Map, Value, json};

use crate::clock::{nanoseconds, now_text};
use crate::dialect::Dialect;
use crate::fault::Fault;
use crate::sampling;
use crate::stream::{Form, Running};
use crate::tools;

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
    /// Calls until now.
    calls: usize,
}

/// What a line says.
#[derive(Clone, Debug, Default, PartialEq)]
struct Said {
    thought: String,
    text: String,
    calls: Vec<Value>,
}

/// Arguments that are no object have no names.
fn arguments_of(arguments: Value) -> Map<String, Value> {
    match arguments {
        Value::Object(map) => map,
        _ => Map::new(),
    }
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
            calls: 0,
        }
    }

    pub(super) fn note(&mut self, running: &Running) {
        let engine = running.lease.engine();
        self.ends = engine.map_or_else(|_| Vec::new(), |engine| engine.config().eos.clone());
        self.load = running.load;
    }

    fn object(&self, said: &Said, done: bool) -> Map<String, Value> {
        let Said { thought, text, calls } = said;
        let mut map = Map::new();
        map.insert("model".to_owned(), self.model.as_str().into());
        map.insert("created_at".to_owned(), now_text().into());
        let add = |map: &mut Map<String, Value>| {
            if !thought.is_empty() {
                map.insert("thinking".to_owned(), thought.as_str().into());
            }
            if !calls.is_empty() {
                map.insert("tool_calls".to_owned(), calls.clone().into());
            }
        };
        if self.is_chat {
            let mut message = Map::new();
            message.insert("role".to_owned(), "assistant".into());
            message.insert("content".to_owned(), text.as_str().into());
            add(&mut message);
            map.insert("message".to_owned(), message.into());
        } else {
            map.insert("response".to_owned(), text.as_str().into());
            add(&mut map);
        }
        map.insert("done".to_owned(), done.into());
        map
    }

    /// A call, its arguments as an object.
    fn call(&mut self, call: &Call) -> Value {
        let index = self.calls;
        self.calls += 1;
        let arguments = serde_json::from_str(&call.arguments).unwrap_or_else(|_| json!({}));
        json!({
            "id": tools::id(),
            "function": {"index": index, "name": call.name, "arguments": Value::Object(arguments_of(arguments))},
        })
    }

    fn said(&mut self, parts: &[Part]) -> Said {
        let mut said = Said::default();
        for part in parts {
            match part {
                Part::Thought(text) => said.thought.push_str(text),
                Part::Text(text) | Part::Broken { text, .. } => said.text.push_str(text),
                Part::Call(call) => said.calls.push(self.call(call)),
            }
        }
        said
    }

    fn add_logprobs(&self, map: &mut Map<String, Value>, logprobs: &[Logprob]) {
        if self.with_logprobs {
            let of_text = sampling::of_text(logprobs, &self.ends).map(sampling::logprob);
            map.insert("logprobs".to_owned(), of_text.collect());
        }
    }

    /// The last line: `said` is what the lines before it did not have.
    fn last(&self, said: &Said, answer: &Answer, prompt: &[u32]) -> Map<String, Value> {
        let mut map = self.object(said, true);
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
    pub(super) fn whole(&mut self, told: &Told, prompt: &[u32]) -> Value {
        let calls = told.calls.iter().map(|call| self.call(call)).collect();
        let said = Said { thought: told.thoughts.clone(), text: told.text.clone(), calls };
        let mut map = self.last(&said, &told.answer, prompt);
        self.add_logprobs(&mut map, &told.answer.logprobs);
        let mut whole = map.into();
        sampling::add_thoughts(&mut whole, told.thoughts_cut);
        whole
    }

    /// The answer to a request that asks nothing: the model was loaded, or let go.
    pub(super) fn nothing(&self, reason: &str) -> Value {
        let mut map = self.object(&Said::default(), true);
        map.insert("done_reason".to_owned(), reason.into());
        map.into()
    }
}

impl Form for Lines {
    fn begin(&mut self, running: &Running, _: &mut Vec<u8>) {
        self.note(running);
    }

    fn piece(&mut self, _: usize, arrived: &Arrived, out: &mut Vec<u8>) {
        let logprobs = &arrived.piece.logprobs;
        let has_logprobs =
            self.with_logprobs && sampling::of_text(logprobs, &self.ends).next().is_some();
        let said = self.said(&arrived.parts);
        if said == Said::default() && !has_logprobs {
            return;
        }
        let mut map = self.object(&said, false);
        self.add_logprobs(&mut map, logprobs);
        line(&map.into(), out);
    }

    fn finished(&mut self, _: usize, _: &PartStream, _: &mut Vec<u8>) {}

    fn end(&mut self, running: &Running, out: &mut Vec<u8>) {
        let prompt = running.prompts.first().map(|prompt| &**prompt).unwrap_or_default();
        if let Some(stream) = running.streams.first() {
            let mut last = self.last(&Said::default(), stream.answer(), prompt).into();
            sampling::add_thoughts(&mut last, stream.thoughts_cut());
            line(&last, out);
        }
    }

    fn failed(&mut self, fault: &Fault, out: &mut Vec<u8>) {
        line(&Dialect::Ollama.error(fault), out);
    }

    fn content_type(&self) -> &'static str {
        CONTENT_TYPE
    }
}
