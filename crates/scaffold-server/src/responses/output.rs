//! Responses and their items.

use std::sync::Arc;

use scaffold::{Answer, Call, Reply as Told};
use serde_json::{Map, Value, json};

use crate::clock;
use crate::random;
use crate::tools;

/// What is the same in all that is told of one response.
#[derive(Clone, Debug)]
pub(super) struct Head {
    id: String,
    created: u64,
    model: String,
    /// What the request said, as it is told again.
    said: Map<String, Value>,
    pub(super) one_call: bool,
    /// Tools that take a text in place of an object.
    custom: Arc<[Arc<str>]>,
}

impl Head {
    pub(super) fn new(
        model: &str,
        said: Map<String, Value>,
        one_call: bool,
        custom: Arc<[Arc<str>]>,
    ) -> Self {
        let (id, created) = (format!("resp_{}", random::digits()), clock::now_seconds());
        Self { id, created, model: model.to_owned(), said, one_call, custom }
    }

    /// The response, as far as it is.
    pub(super) fn response(&self, status: &str, output: &[Value], usage: &Value) -> Value {
        let cut = json!({"reason": "max_output_tokens"});
        let mut response = json!({
            "id": self.id,
            "object": "response",
            "created_at": self.created,
            "status": status,
            "model": self.model,
            "output": output,
            "usage": usage,
            "error": null,
            "incomplete_details": if status == "incomplete" { cut } else { Value::Null },
            "instructions": null,
            "metadata": {},
            "parallel_tool_calls": !self.one_call,
            "previous_response_id": null,
            "store": false,
            "temperature": null,
            "top_p": null,
            "text": {"format": {"type": "text"}},
            "tool_choice": "auto",
            "tools": [],
            "truncation": "disabled",
        });
        for (key, value) in &self.said {
            response[key] = value.clone();
        }
        response
    }

    /// The item of a call.
    pub(super) fn call(&self, call: &Call) -> Value {
        let id = tools::id();
        if self.custom.iter().any(|name| **name == *call.name) {
            let arguments: Value = serde_json::from_str(&call.arguments).unwrap_or_default();
            let input = arguments.get("input").and_then(Value::as_str).unwrap_or(&call.arguments);
            return json!({
                "id": format!("ctc_{}", random::digits()), "type": "custom_tool_call", "status": "completed",
                "call_id": id, "name": call.name, "input": input,
            });
        }
        json!({
            "id": format!("fc_{}", random::digits()), "type": "function_call", "status": "completed",
            "call_id": id, "name": call.name, "arguments": call.arguments,
        })
    }
}

/// How a response is that has come to its end.
pub(super) fn status(answer: &Answer) -> &'static str {
    if answer.finish.name() == "length" { "incomplete" } else { "completed" }
}

/// The tokens of an answer, so many of them thoughts.
pub(super) fn usage(answer: &Answer, thoughts: usize) -> Value {
    let usage = &answer.usage;
    json!({
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens},
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": thoughts},
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    })
}

/// The item of thoughts.
pub(super) fn reasoning(id: &str, text: &str) -> Value {
    let content =
        if text.is_empty() { json!([]) } else { json!([{"type": "reasoning_text", "text": text}]) };
    json!({"id": id, "type": "reasoning", "summary": [], "content": content})
}

/// The part of a message that is its text.
pub(super) fn text_part(text: &str) -> Value {
    json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
}

/// The item of a message.
pub(super) fn message(id: &str, status: &str, content: &[Value]) -> Value {
    json!({"id": id, "type": "message", "role": "assistant", "status": status, "content": content})
}

/// The items of a whole answer.
pub(super) fn items(head: &Head, told: &Told) -> Vec<Value> {
    let mut items = Vec::new();
    if !told.thoughts.is_empty() {
        items.push(reasoning(&format!("rs_{}", random::digits()), &told.thoughts));
    }
    if !told.text.is_empty() || told.calls.is_empty() {
        let id = format!("msg_{}", random::digits());
        items.push(message(&id, status(&told.answer), &[text_part(&told.text)]));
    }
    let most = if head.one_call { 1 } else { usize::MAX };
    items.extend(told.calls.iter().take(most).map(|call| head.call(call)));
    items
}
