//! OpenAI's responses.

mod asked;
mod events;
mod kept;
mod told;

use super::describe::{Described, Fields};
use super::openai::TAG;
use asked::ResponseRequest;
use events::ResponseStreamEvent;
use told::ResponseAnswer;

const REFUSED: Fields = &[
    ("conversation", r#""conv_5f1a""#),
    ("background", "true"),
    ("prompt", r#"{"id": "pmpt_5f1a"}"#),
    ("truncation", r#""auto""#),
];
const IGNORED: Fields = &[
    ("tools[0]", r#"{"type": "web_search"}"#),
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
    .about("Answers in server-sent events where `stream` is true.")
    .answers::<ResponseAnswer>("The response, or events of its coming.")
    .events::<ResponseStreamEvent>(None)
    .with_model()
    .notices()
    .refuses(REFUSED)
    .ignores(IGNORED);
    let mut operations = vec![create];
    operations.extend(kept::operations());
    operations
}
