//! Answers in blocks.

use scaffold::engine::FinishReason;
use scaffold::{Answer, Call, Reply as Told};
use serde_json::{Map, Value, json};

use crate::random;

/// What every answer begins with.
#[derive(Clone, Debug)]
pub(super) struct Head {
    id: String,
    model: String,
    /// Texts that end an answer.
    stop: Vec<String>,
}

impl Head {
    pub(super) fn new(model: &str, stop: Vec<String>) -> Self {
        Self { id: format!("msg_{}", random::digits()), model: model.to_owned(), stop }
    }

    /// A message with these blocks.
    pub(super) fn message(&self, content: &Value, ended: &Value, usage: &Value) -> Value {
        let mut message = json!({
            "id": self.id,
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": content,
        });
        for (key, value) in ended.as_object().into_iter().flatten() {
            message[key] = value.clone();
        }
        message["usage"] = usage.clone();
        message
    }

    /// Why an answer ended.
    pub(super) fn ended(&self, answer: &Answer, calls: bool) -> Value {
        let (reason, sequence) = match answer.finish {
            _ if calls && answer.finish.name() == "stop" => ("tool_use", None),
            FinishReason::StopString { index } => ("stop_sequence", self.stop.get(index)),
            FinishReason::Length | FinishReason::ContextFull => ("max_tokens", None),
            _ => ("end_turn", None),
        };
        json!({"stop_reason": reason, "stop_sequence": sequence})
    }
}

/// The tokens of an answer; those of the prompt that were found in the cache stand by themselves.
pub(super) fn usage(answer: &Answer) -> Value {
    let usage = &answer.usage;
    json!({
        "input_tokens": usage.prompt_tokens - usage.cached_tokens.min(usage.prompt_tokens),
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": usage.cached_tokens,
        "output_tokens": usage.completion_tokens,
    })
}

/// A call of a tool, its input as an object.
pub(super) fn tool_use(call: &Call) -> Value {
    let input: Option<Map<String, Value>> = serde_json::from_str(&call.arguments).ok();
    json!({
        "type": "tool_use",
        "id": format!("toolu_{}", random::digits()),
        "name": call.name,
        "input": input.unwrap_or_default(),
    })
}

/// The blocks of a whole answer.
pub(super) fn blocks(told: &Told, one_call: bool) -> Value {
    let mut blocks = Vec::new();
    if !told.thoughts.is_empty() {
        blocks.push(json!({"type": "thinking", "thinking": told.thoughts, "signature": ""}));
    }
    if !told.text.is_empty() || told.calls.is_empty() {
        blocks.push(json!({"type": "text", "text": told.text}));
    }
    let most = if one_call { 1 } else { usize::MAX };
    blocks.extend(told.calls.iter().take(most).map(tool_use));
    blocks.into()
}
