//! An answer in events, as it comes.

use scaffold::{Arrived, Part, PartStream};
use serde_json::{Value, json};

use super::answers::{Head, tool_use, usage};
use crate::dialect::Dialect;
use crate::fault::Fault;
use crate::sampling;
use crate::stream::{Form, Running};

/// Writes events.
pub(super) struct Events {
    head: Head,
    one_call: bool,
    /// The block that is open, and how many there were.
    open: Option<Block>,
    blocks: usize,
    calls: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Block {
    Thinking,
    Text,
}

fn event(name: &str, mut value: Value, out: &mut Vec<u8>) {
    if value.get("type").is_none() {
        value["type"] = name.into();
    }
    out.extend_from_slice(format!("event: {name}\ndata: {value}\n\n").as_bytes());
}

impl Events {
    pub(super) fn new(head: Head, one_call: bool) -> Self {
        Self { head, one_call, open: None, blocks: 0, calls: 0 }
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        if self.open.take().is_some() {
            event("content_block_stop", json!({"index": self.blocks}), out);
            self.blocks += 1;
        }
    }

    /// Sees to it that a block of this kind is open.
    fn be_in(&mut self, block: Block, out: &mut Vec<u8>) {
        if self.open == Some(block) {
            return;
        }
        self.close(out);
        let empty = match block {
            Block::Thinking => json!({"type": "thinking", "thinking": "", "signature": ""}),
            Block::Text => json!({"type": "text", "text": ""}),
        };
        let start = json!({"index": self.blocks, "content_block": empty});
        event("content_block_start", start, out);
        self.open = Some(block);
    }

    fn delta(&self, delta: &Value, out: &mut Vec<u8>) {
        event("content_block_delta", json!({"index": self.blocks, "delta": delta}), out);
    }

    fn part(&mut self, part: &Part, out: &mut Vec<u8>) {
        match part {
            Part::Thought(text) => {
                self.be_in(Block::Thinking, out);
                self.delta(&json!({"type": "thinking_delta", "thinking": text}), out);
            }
            Part::Text(text) | Part::Broken { text, .. } => {
                self.be_in(Block::Text, out);
                self.delta(&json!({"type": "text_delta", "text": text}), out);
            }
            Part::Call(_) if self.one_call && self.calls > 0 => {}
            Part::Call(call) => {
                self.close(out);
                self.calls += 1;
                let mut block = tool_use(call);
                let input = std::mem::replace(&mut block["input"], json!({}));
                let start = json!({"index": self.blocks, "content_block": block});
                event("content_block_start", start, out);
                let partial =
                    json!({"type": "input_json_delta", "partial_json": input.to_string()});
                self.delta(&partial, out);
                event("content_block_stop", json!({"index": self.blocks}), out);
                self.blocks += 1;
            }
        }
    }
}

impl Form for Events {
    fn begin(&mut self, running: &Running, out: &mut Vec<u8>) {
        let tokens = running.prompts.first().map_or(0, |prompt| prompt.len());
        let usage = json!({"input_tokens": tokens, "output_tokens": 0});
        let ended = json!({"stop_reason": null, "stop_sequence": null});
        let message = self.head.message(&json!([]), &ended, &usage);
        event("message_start", json!({"message": message}), out);
        out.extend_from_slice(PING);
    }

    fn piece(&mut self, _: usize, arrived: &Arrived, out: &mut Vec<u8>) {
        for part in &arrived.parts {
            self.part(part, out);
        }
    }

    fn finished(&mut self, _: usize, stream: &PartStream, out: &mut Vec<u8>) {
        let answer = stream.answer();
        if self.blocks == 0 && self.open.is_none() {
            self.be_in(Block::Text, out);
        }
        self.close(out);
        let mut ended = self.head.ended(answer, self.calls > 0);
        sampling::add_thoughts(&mut ended, stream.thoughts_cut());
        event("message_delta", json!({"delta": ended, "usage": usage(answer)}), out);
    }

    fn end(&mut self, _: &Running, out: &mut Vec<u8>) {
        event("message_stop", json!({}), out);
    }

    fn failed(&mut self, fault: &Fault, out: &mut Vec<u8>) {
        event("error", Dialect::Anthropic.error(fault), out);
    }

    fn heartbeat(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(PING);
    }

    fn content_type(&self) -> &'static str {
        "text/event-stream; charset=utf-8"
    }
}

/// What clients wait for while nothing comes.
const PING: &[u8] = b"event: ping\ndata: {\"type\":\"ping\"}\n\n";
