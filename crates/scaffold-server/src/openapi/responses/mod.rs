//! OpenAI's responses.

mod asked;
mod events;
mod told;

use super::describe::{Described, Fields};
use super::openai::TAG;
use asked::ResponseRequest;
use events::ResponseStreamEvent;
use told::ResponseAnswer;

const REFUSED: Fields = &[
    ("previous_response_id", r#""resp_5f1a""#),
    ("conversation", r#""conv_5f1a""#),
    ("background", "true"),
    ("prompt", r#"{"id": "pmpt_5f1a"}"#),
    ("text.format", r#"{"type": "json_object"}"#),
    ("text.format", r#"{"type": "json_schema", "name": "f", "schema": {}}"#),
    ("truncation", r#""auto""#),
    ("tool_choice", r#""required""#),
    ("tool_choice", r#"{"type": "function", "name": "f"}"#),
    ("input[0]", r#"{"type": "item_reference", "id": "msg_5f1a"}"#),
];
const IGNORED: Fields = &[
    ("tools[0]", r#"{"type": "web_search"}"#),
    ("store", "true"),
    ("metadata", r#"{"task": "test"}"#),
    ("include", r#"["reasoning.encrypted_content"]"#),
    ("user", r#""somebody""#),
    ("reasoning.summary", r#""auto""#),
    ("stream_options.include_obfuscation", "true"),
];

pub(super) fn operations() -> Vec<Described> {
    let create = Described::post::<ResponseRequest>(
        "/v1/responses",
        "openaiResponses",
        TAG,
        "Make a response",
    )
    .about("Answers in server-sent events where `stream` is true. Nothing is kept from one request to the next.")
    .answers::<ResponseAnswer>("The response, or events of its coming.")
    .events::<ResponseStreamEvent>(None)
    .with_model()
    .refuses(REFUSED)
    .ignores(IGNORED);
    vec![create]
}
