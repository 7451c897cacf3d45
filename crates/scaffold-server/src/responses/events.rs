//! A response in events, as it comes: clients want all of them, in this order.

use scaffold::{Arrived, Part, PartStream};
use serde_json::{Value, json};

use super::keeping::Keeping;
use super::output::{Head, message, reasoning, status, text_part, usage};
use crate::fault::Fault;
use crate::random;
use crate::sampling;
use crate::stream::{Form, Running};

/// Writes events.
pub(super) struct Events {
    head: Head,
    number: u64,
    is_begun: bool,
    /// The item that is open: its id and its text until now.
    open: Option<(Kind, String, String)>,
    /// Those that are complete.
    items: Vec<Value>,
    calls: usize,
    /// Where it is kept when it is complete.
    keeping: Option<Keeping>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Reasoning,
    Message,
}

impl Events {
    pub(super) fn new(head: Head, keeping: Option<Keeping>) -> Self {
        Self { head, number: 0, is_begun: false, open: None, items: Vec::new(), calls: 0, keeping }
    }

    fn event(&mut self, name: &str, mut value: Value, out: &mut Vec<u8>) {
        value["type"] = name.into();
        value["sequence_number"] = self.number.into();
        self.number += 1;
        out.extend_from_slice(format!("event: {name}\ndata: {value}\n\n").as_bytes());
    }

    fn start(&mut self, out: &mut Vec<u8>) {
        let response = self.head.response("in_progress", &[], &Value::Null);
        if !std::mem::replace(&mut self.is_begun, true) {
            self.event("response.created", json!({"response": response.clone()}), out);
        }
        self.event("response.in_progress", json!({"response": response}), out);
    }

    /// Of the item that is open.
    fn of_item(&mut self, name: &str, mut value: Value, out: &mut Vec<u8>) {
        value["output_index"] = self.items.len().into();
        self.event(name, value, out);
    }

    fn close(&mut self, state: &str, out: &mut Vec<u8>) {
        let Some((kind, id, text)) = self.open.take() else {
            return;
        };
        let at = |mut value: Value| {
            value["item_id"] = id.as_str().into();
            value["content_index"] = 0.into();
            value
        };
        let item = match kind {
            Kind::Reasoning => {
                self.of_item("response.reasoning_text.done", at(json!({"text": text})), out);
                reasoning(&id, &text)
            }
            Kind::Message => {
                let done = at(json!({"text": text, "logprobs": []}));
                self.of_item("response.output_text.done", done, out);
                let part = at(json!({"part": text_part(&text)}));
                self.of_item("response.content_part.done", part, out);
                message(&id, state, &[text_part(&text)])
            }
        };
        self.of_item("response.output_item.done", json!({"item": item}), out);
        self.items.push(item);
    }

    /// Sees to it that an item of this kind is open.
    fn be_in(&mut self, kind: Kind, out: &mut Vec<u8>) -> String {
        if let Some((_, id, _)) = self.open.as_ref().filter(|(open, ..)| *open == kind) {
            return id.clone();
        }
        self.close("completed", out);
        let mark = if kind == Kind::Reasoning { "rs" } else { "msg" };
        let id = format!("{mark}_{}", random::digits());
        let item = match kind {
            Kind::Reasoning => reasoning(&id, ""),
            Kind::Message => message(&id, "in_progress", &[]),
        };
        self.of_item("response.output_item.added", json!({"item": item}), out);
        if kind == Kind::Message {
            let part = json!({"item_id": id, "content_index": 0, "part": text_part("")});
            self.of_item("response.content_part.added", part, out);
        }
        self.open = Some((kind, id.clone(), String::new()));
        id
    }

    fn text(&mut self, kind: Kind, more: &str, out: &mut Vec<u8>) {
        let id = self.be_in(kind, out);
        if let Some((_, _, text)) = &mut self.open {
            text.push_str(more);
        }
        let mut delta = json!({"item_id": id, "content_index": 0, "delta": more});
        let name = match kind {
            Kind::Reasoning => "response.reasoning_text.delta",
            Kind::Message => {
                delta["logprobs"] = json!([]);
                "response.output_text.delta"
            }
        };
        self.of_item(name, delta, out);
    }

    fn call(&mut self, item: Value, out: &mut Vec<u8>) {
        self.close("completed", out);
        let (id, key, of) = match item["type"].as_str() {
            Some("custom_tool_call") => (item["id"].clone(), "input", "custom_tool_call_input"),
            _ => (item["id"].clone(), "arguments", "function_call_arguments"),
        };
        let mut begun = item.clone();
        let whole = std::mem::replace(&mut begun[key], "".into());
        begun["status"] = "in_progress".into();
        self.of_item("response.output_item.added", json!({"item": begun}), out);
        let delta = json!({"item_id": id, "delta": whole});
        self.of_item(&format!("response.{of}.delta"), delta, out);
        let mut done = json!({"item_id": id, "name": item["name"]});
        done[key] = whole;
        self.of_item(&format!("response.{of}.done"), done, out);
        self.of_item("response.output_item.done", json!({"item": item}), out);
        self.items.push(item);
    }
}

impl Form for Events {
    fn begin(&mut self, _: &Running, out: &mut Vec<u8>) {
        if !self.is_begun {
            self.start(out);
        }
    }

    fn piece(&mut self, _: usize, arrived: &Arrived, out: &mut Vec<u8>) {
        for part in &arrived.parts {
            match part {
                Part::Thought(text) => self.text(Kind::Reasoning, text, out),
                Part::Text(text) | Part::Broken { text, .. } => self.text(Kind::Message, text, out),
                Part::Call(_) if self.head.one_call && self.calls > 0 => {}
                Part::Call(call) => {
                    self.calls += 1;
                    let item = self.head.call(call);
                    self.call(item, out);
                }
            }
        }
    }

    fn end(&mut self, running: &Running, out: &mut Vec<u8>) {
        let Some(stream) = running.streams.first() else {
            return;
        };
        let answer = stream.answer();
        if self.items.is_empty() && self.open.is_none() {
            self.be_in(Kind::Message, out);
        }
        let status = status(answer);
        self.close(status, out);
        let used = usage(answer, stream.thought_tokens());
        let mut response = self.head.response(status, &self.items, &used);
        sampling::add_thoughts(&mut response, stream.thoughts_cut());
        // Before it is told, so that whoever has heard of it can go on from it.
        if let Some(keeping) = self.keeping.take() {
            keeping.keep(&response);
        }
        self.event(&format!("response.{status}"), json!({"response": response}), out);
    }

    fn finished(&mut self, _: usize, _: &PartStream, _: &mut Vec<u8>) {}

    fn failed(&mut self, fault: &Fault, out: &mut Vec<u8>) {
        if !self.is_begun {
            self.start(out);
        }
        let mut response = self.head.response("failed", &self.items, &Value::Null);
        // The words that programs decide by.
        let code = match fault.status {
            _ if fault.code.is_some() => fault.code.unwrap_or_default(),
            429 | 503 => "rate_limit_exceeded",
            400..500 => "invalid_prompt",
            _ => "server_error",
        };
        response["error"] = json!({"code": code, "message": fault.message});
        self.event("response.failed", json!({"response": response}), out);
    }

    /// An event of the protocol: comments do not count for some clients.
    fn heartbeat(&mut self, out: &mut Vec<u8>) {
        self.start(out);
    }

    fn content_type(&self) -> &'static str {
        "text/event-stream; charset=utf-8"
    }
}
