//! Completions as they are written: the text, and log-probabilities in the shape that came before
//! chats, with the prompt in front where that is asked for.

use std::sync::Arc;

use scaffold::{Answer, Arrived, Candidate, Logprob, PartStream};
use serde_json::{Map, Value, json};

use super::shapes::{Head, ends, usage};
use super::sse;
use crate::fault::Fault;
use crate::sampling;
use crate::stream::{Form, Running};

/// How completions are written.
pub(super) struct Text {
    pub(super) head: Head,
    pub(super) echo: bool,
    /// The most probable tokens that are told beside each.
    pub(super) logprobs: Option<usize>,
    pub(super) hides_ends: bool,
}

/// What is known of a prompt: its text and its first token, where it is given back.
#[derive(Clone, Default)]
pub(super) struct Echo {
    text: String,
    first: String,
    ends: Vec<u32>,
}

impl Echo {
    /// One for each prompt.
    pub(super) fn of(running: &Running, echo: bool, hides_ends: bool) -> Result<Vec<Self>, Fault> {
        let ends = ends(running, hides_ends);
        let tokenizer = running.lease.tokenizer()?;
        let of = |ids: &Arc<[u32]>| {
            if !echo {
                return Ok(Self { ends: ends.clone(), ..Self::default() });
            }
            let bytes = ids.first().and_then(|&id| tokenizer.token_bytes(id)).unwrap_or_default();
            let first = String::from_utf8_lossy(&bytes).into_owned();
            Ok(Self { text: tokenizer.decode(ids, true)?, first, ends: ends.clone() })
        };
        running.prompts.iter().map(of).collect()
    }
}

/// Log-probabilities as lists.
#[derive(Default)]
struct Lists {
    tokens: Vec<Value>,
    token_logprobs: Vec<Value>,
    top_logprobs: Vec<Value>,
    text_offset: Vec<Value>,
    /// Characters before the next token.
    offset: usize,
}

impl Lists {
    fn push(&mut self, token: &str, logprob: Value, top: Value) {
        self.tokens.push(token.into());
        self.token_logprobs.push(logprob);
        self.top_logprobs.push(top);
        self.text_offset.push(self.offset.into());
        self.offset += token.chars().count();
    }

    fn add(&mut self, one: &Logprob) {
        let entry = |it: &Candidate| (it.token.clone(), it.logprob.into());
        let mut top: Map<String, Value> = one.top.iter().map(entry).collect();
        // The chosen one is always among them.
        if !one.top.is_empty() {
            top.entry(one.chosen.token.clone()).or_insert_with(|| one.chosen.logprob.into());
        }
        self.push(&one.chosen.token, one.chosen.logprob.into(), top.into());
    }

    fn value(self) -> Value {
        let Self { tokens, token_logprobs, top_logprobs, text_offset, .. } = self;
        json!({
            "tokens": tokens, "token_logprobs": token_logprobs, "top_logprobs": top_logprobs, "text_offset": text_offset,
        })
    }
}

impl Text {
    /// A complete answer.
    pub(super) fn choice(&self, index: usize, answer: &Answer, echo: &Echo) -> Value {
        let logprobs = self.logprobs.map(|_| {
            let mut lists = Lists::default();
            if self.echo {
                lists.push(&echo.first, Value::Null, Value::Null);
                answer.prompt_logprobs.iter().for_each(|one| lists.add(one));
            }
            sampling::of_text(&answer.logprobs, &echo.ends).for_each(|one| lists.add(one));
            lists.value()
        });
        json!({
            "index": index,
            "text": format!("{}{}", echo.text, answer.text),
            "logprobs": logprobs,
            "finish_reason": answer.finish.name(),
        })
    }
}

/// Writes completions as they come.
pub(super) struct TextChunks {
    text: Text,
    /// Answers to each prompt.
    n: usize,
    with_usage: bool,
    ends: Vec<u32>,
    /// What was said of each answer: characters of tokens.
    offsets: Vec<usize>,
}

impl TextChunks {
    pub(super) fn new(text: Text, n: usize, with_usage: bool) -> Self {
        Self { text, n, with_usage, ends: Vec::new(), offsets: Vec::new() }
    }

    fn chunk(
        &self,
        index: usize,
        text: &str,
        logprobs: Option<&Value>,
        finish: Option<&str>,
        out: &mut Vec<u8>,
    ) {
        let choices =
            json!([{"index": index, "text": text, "logprobs": logprobs, "finish_reason": finish}]);
        sse::event(&self.text.head.object("text_completion", &choices), out);
    }

    fn lists(&mut self, index: usize, fill: impl FnOnce(&mut Lists)) -> Option<Value> {
        self.text.logprobs?;
        let mut lists = Lists { offset: self.offsets[index], ..Lists::default() };
        fill(&mut lists);
        self.offsets[index] = lists.offset;
        (!lists.tokens.is_empty()).then(|| lists.value())
    }
}

impl Form for TextChunks {
    fn begin(&mut self, running: &Running, out: &mut Vec<u8>) {
        self.ends = ends(running, self.text.hides_ends);
        self.offsets = vec![0; running.streams.len()];
        if !self.text.echo {
            return;
        }
        match Echo::of(running, true, self.text.hides_ends) {
            Ok(echoes) => {
                for index in 0..running.streams.len() {
                    let echo = &echoes[index / self.n];
                    let first = self
                        .lists(index, |lists| lists.push(&echo.first, Value::Null, Value::Null));
                    self.chunk(index, &echo.text, first.as_ref(), None, out);
                }
            }
            Err(fault) => sse::failed(&fault, out),
        }
    }

    fn piece(&mut self, index: usize, arrived: &Arrived, out: &mut Vec<u8>) {
        let piece = &arrived.piece;
        let ends = std::mem::take(&mut self.ends);
        let logprobs = self.lists(index, |lists| {
            piece.prompt_logprobs.iter().for_each(|one| lists.add(one));
            sampling::of_text(&piece.logprobs, &ends).for_each(|one| lists.add(one));
        });
        self.ends = ends;
        if !piece.text.is_empty() || logprobs.is_some() {
            self.chunk(index, &piece.text, logprobs.as_ref(), None, out);
        }
    }

    fn finished(&mut self, index: usize, stream: &PartStream, out: &mut Vec<u8>) {
        self.chunk(index, "", None, Some(stream.answer().finish.name()), out);
    }

    fn end(&mut self, running: &Running, out: &mut Vec<u8>) {
        if self.with_usage {
            let answers = running.streams.iter().map(PartStream::answer);
            let mut object = self.text.head.object("text_completion", &json!([]));
            object["usage"] = usage(answers, self.n);
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
