//! What answers of chats and completions have in common.

use scaffold::Answer;
use serde_json::{Value, json};

use crate::clock;
use crate::random;
use crate::stream::Running;

/// What every object of one answer begins with.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) id: String,
    pub(crate) created: u64,
    pub(crate) model: String,
}

impl Head {
    pub(crate) fn new(prefix: &str, model: &str) -> Self {
        let id = format!("{prefix}-{}", random::digits());
        Self { id, created: clock::now_seconds(), model: model.to_owned() }
    }

    /// The object, with these choices.
    pub(crate) fn object(&self, object: &str, choices: &Value) -> Value {
        json!({
            "id": self.id,
            "object": object,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": concat!("scaffold-", env!("CARGO_PKG_VERSION")),
            "choices": choices,
        })
    }
}

/// Tokens of answers, of which so many belong to one prompt; a prompt counts once.
pub(crate) fn usage<'a>(answers: impl IntoIterator<Item = &'a Answer>, of_prompt: usize) -> Value {
    let (mut prompt, mut cached, mut completion) = (0, 0, 0);
    for (index, answer) in answers.into_iter().enumerate() {
        if index % of_prompt.max(1) == 0 {
            prompt += answer.usage.prompt_tokens;
            cached += answer.usage.cached_tokens;
        }
        completion += answer.usage.completion_tokens;
    }
    json!({
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": cached},
    })
}

/// Tokens of texts that were not answered.
pub(crate) fn usage_of_prompt(tokens: usize) -> Value {
    json!({"prompt_tokens": tokens, "total_tokens": tokens})
}

/// Why an answer ended: one that calls tools waits for what they give.
pub(crate) fn finish(answer: &Answer, calls: bool) -> &'static str {
    match answer.finish.name() {
        "stop" if calls => "tool_calls",
        name => name,
    }
}

/// The tokens that end an answer and are none of its text.
pub(crate) fn ends(running: &Running, hidden: bool) -> Vec<u32> {
    let engine = running.lease.engine();
    engine.map_or_else(
        |_| Vec::new(),
        |engine| if hidden { engine.config().eos.clone() } else { Vec::new() },
    )
}

/// Log-probabilities of an answer's text.
pub(crate) fn content(logprobs: impl Iterator<Item = Value>) -> Value {
    json!({"content": logprobs.collect::<Value>(), "refusal": null})
}
