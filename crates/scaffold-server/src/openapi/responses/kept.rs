//! Responses that are kept.

use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa::openapi::Type;
use utoipa::openapi::schema::{ObjectBuilder, Schema};

use super::told::{ResponseAnswer, ResponseObject};
use crate::openapi::describe::Described;
use crate::openapi::openai::TAG;
use crate::openapi::shared::ListWord;

/// That a response was forgotten.
#[derive(ToSchema)]
pub(super) struct ResponseDeleted {
    /// Its name.
    #[schema(example = "resp_5f1a")]
    id: String,
    /// Always `response`.
    #[schema(inline)]
    object: ResponseObject,
    /// Always true.
    #[schema(example = true)]
    deleted: bool,
}

/// Items that a request came with.
#[derive(ToSchema)]
pub(super) struct ResponseInputItems {
    /// Always `list`.
    #[schema(inline)]
    object: ListWord,
    /// The items as they were sent, each with its `id` and its `type`.
    #[schema(example = json!([{"id": "msg_5f1a", "type": "message", "role": "user", "content": "Why is the sky blue?"}]))]
    data: Vec<Map<String, Value>>,
    /// The name of the first.
    #[schema(required = true, example = "msg_5f1a")]
    first_id: Option<String>,
    /// The name of the last.
    #[schema(required = true, example = "msg_5f1a")]
    last_id: Option<String>,
    /// Whether there are more behind it.
    #[schema(example = false)]
    has_more: bool,
}

const KEPT: &str =
    "Responses are kept in memory, for some time, and only the client that asked finds them again.";
const NAME: &str = "The response's name.";

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

pub(super) fn operations() -> Vec<Described> {
    let number = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(1))
        .maximum(Some(100))
        .default(Some(20.into()));
    let events = ObjectBuilder::new().schema_type(Type::Boolean).enum_values(Some([false]));
    let order = text().enum_values(Some(["asc", "desc"])).default(Some("desc".into()));
    vec![
        Described::get("/v1/responses/{id}", "openaiResponse", TAG, "Give a response once more")
            .about(KEPT)
            .parameter("id", NAME, "resp_5f1a")
            .query(
                "stream",
                "Whether it comes in events: it is complete, so that true is refused.",
                Schema::from(events.build()),
            )
            .answers::<ResponseAnswer>("The response.")
            .fails(&[400, 404]),
        Described::delete_named(
            "/v1/responses/{id}",
            "openaiForgetResponse",
            TAG,
            "Forget a response",
        )
        .about("Those that go on from it still know what was said.")
        .parameter("id", NAME, "resp_5f1a")
        .answers::<ResponseDeleted>("It is forgotten.")
        .fails(&[404]),
        Described::get(
            "/v1/responses/{id}/input_items",
            "openaiResponseInput",
            TAG,
            "List the items that a response was asked with",
        )
        .about(&format!("Those of its own request, without those before it. {KEPT}"))
        .parameter("id", NAME, "resp_5f1a")
        .query("limit", "How many are given, at most.", Schema::from(number.build()))
        .query(
            "order",
            "Whether the first or the last ones come first.",
            Schema::from(order.build()),
        )
        .query(
            "after",
            "The name of an item: those behind it are given.",
            Schema::from(text().build()),
        )
        .answers::<ResponseInputItems>("The items.")
        .fails(&[400, 404]),
    ]
}
