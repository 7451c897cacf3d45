//! The interface of Anthropic.

mod asked;
mod told;

use super::describe::{Described, Fields};
use asked::{AnthropicCountRequest, AnthropicRequest};
use told::{AnthropicAnswer, AnthropicCount, AnthropicEvent};

pub(super) const TAG: &str = "Anthropic";

const REFUSED: Fields = &[
    ("messages[0].content[0]", r#"{"type": "image", "source": {"type": "url", "url": "data:,"}}"#),
    ("thread", r#"{"type": "create"}"#),
];
const IGNORED: Fields = &[
    ("tools[0]", r#"{"type": "web_search_20250305", "name": "web_search"}"#),
    ("metadata", r#"{"user_id": "somebody"}"#),
    ("context_management", r#"{"edits": []}"#),
    ("service_tier", r#""auto""#),
];

/// How an answer is made, where none is.
const NOT_COUNTED: Fields = &[
    ("max_tokens", "3"),
    ("stream", "true"),
    ("stop_sequences", r#"["a"]"#),
    ("temperature", "0.7"),
    ("top_p", "0.9"),
    ("top_k", "40"),
    ("thinking_budget", "4"),
    ("output_format", r#"{"type": "text"}"#),
];

pub(super) fn operations() -> Vec<Described> {
    vec![
        Described::post::<AnthropicRequest>(
            "/v1/messages",
            "anthropicMessages",
            TAG,
            "Go on with a chat",
        )
        .about("Answers in server-sent events where `stream` is true.")
        .answers::<AnthropicAnswer>("The answer, or events of its coming.")
        .events::<AnthropicEvent>(None)
        .with_model()
        .notices()
        .refuses(REFUSED)
        .ignores(IGNORED),
        Described::post::<AnthropicCountRequest>(
            "/v1/messages/count_tokens",
            "anthropicCountTokens",
            TAG,
            "Count the tokens of a chat",
        )
        .answers::<AnthropicCount>("How many there are.")
        .with_model()
        .notices()
        .refuses(REFUSED)
        .ignores(IGNORED)
        .ignores(NOT_COUNTED),
    ]
}
