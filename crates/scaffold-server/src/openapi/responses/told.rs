//! What clients of OpenAI's responses are told.

use serde_json::Value;
use utoipa::ToSchema;

use super::asked::{CustomCallWord, FunctionCallWord, MessageWord, ReasoningWord, ResponseText};
use crate::openapi::shared::{AssistantWord, ThoughtsEnd};
use crate::openapi::words::words;

words! {
    /// Always `response`.
    ResponseObject: "response";
    /// How far it is, or how it ended: `incomplete` is at a limit of tokens.
    ResponseStatus: "completed", "incomplete", "in_progress", "failed";
    /// How far an item is.
    ItemStatus: "completed", "incomplete", "in_progress";
    /// Always `max_output_tokens`.
    LimitWord: "max_output_tokens";
    /// Always `output_text`.
    OutputText: "output_text";
    /// Always `reasoning_text`.
    ReasoningText: "reasoning_text";
}

/// A part of a message: its text.
#[derive(ToSchema)]
pub(super) struct ResponseTextPart {
    /// Always `output_text`.
    #[schema(inline)]
    r#type: OutputText,
    /// The text.
    #[schema(example = "Because light is scattered.")]
    text: String,
    /// Notes: there are none.
    #[schema(value_type = Vec<Value>, example = json!([]))]
    annotations: Vec<()>,
    /// How likely its tokens were: it is not told.
    #[schema(value_type = Vec<Value>, example = json!([]))]
    logprobs: Vec<()>,
}

/// A part of a thought.
#[derive(ToSchema)]
pub(super) struct ResponseThoughtPart {
    /// Always `reasoning_text`.
    #[schema(inline)]
    r#type: ReasoningText,
    /// The text.
    #[schema(example = "The user asks about the sky.")]
    text: String,
}

/// What the model thinks.
#[derive(ToSchema)]
pub(super) struct ResponseReasoning {
    /// Its name.
    #[schema(example = "rs_5f1a")]
    id: String,
    /// Always `reasoning`.
    #[schema(inline)]
    r#type: ReasoningWord,
    /// A summary: there is none.
    #[schema(value_type = Vec<Value>, example = json!([]))]
    summary: Vec<()>,
    /// The thoughts.
    content: Vec<ResponseThoughtPart>,
}

/// What the model says.
#[derive(ToSchema)]
pub(super) struct ResponseMessage {
    /// Its name.
    #[schema(example = "msg_5f1a")]
    id: String,
    /// Always `message`.
    #[schema(inline)]
    r#type: MessageWord,
    /// Always `assistant`.
    #[schema(inline)]
    role: AssistantWord,
    /// How far it is.
    #[schema(inline)]
    status: ItemStatus,
    /// What is said.
    content: Vec<ResponseTextPart>,
}

/// A call of a function.
#[derive(ToSchema)]
pub(super) struct ResponseCall {
    /// Its name.
    #[schema(example = "fc_5f1a")]
    id: String,
    /// Always `function_call`.
    #[schema(inline)]
    r#type: FunctionCallWord,
    /// How far it is.
    #[schema(inline)]
    status: ItemStatus,
    /// By which its result is told.
    #[schema(example = "call_5f1a")]
    call_id: String,
    /// What is called.
    #[schema(example = "weather")]
    name: String,
    /// Its arguments: an object of JSON, in a text.
    #[schema(example = "{\"city\": \"Bonn\"}")]
    arguments: String,
}

/// A call of a tool that takes a text.
#[derive(ToSchema)]
pub(super) struct ResponseCustomCall {
    /// Its name.
    #[schema(example = "ctc_5f1a")]
    id: String,
    /// Always `custom_tool_call`.
    #[schema(inline)]
    r#type: CustomCallWord,
    /// How far it is.
    #[schema(inline)]
    status: ItemStatus,
    /// By which its result is told.
    #[schema(example = "call_5f1a")]
    call_id: String,
    /// What is called.
    #[schema(example = "shell")]
    name: String,
    /// What it is given.
    #[schema(example = "ls")]
    input: String,
}

/// An item of an answer.
#[derive(ToSchema)]
#[serde(untagged)]
pub(super) enum ResponseItem {
    /// What the model thinks.
    Reasoning(ResponseReasoning),
    /// What it says.
    Message(ResponseMessage),
    /// A call of a function.
    Call(ResponseCall),
    /// A call of a tool that takes a text.
    CustomCall(ResponseCustomCall),
}

/// How many tokens there were.
#[derive(ToSchema)]
pub(super) struct ResponseUsage {
    /// Tokens of the prompt.
    #[schema(example = 12)]
    input_tokens: usize,
    /// Those in detail.
    input_tokens_details: ResponseInputTokens,
    /// Tokens of the answer.
    #[schema(example = 3)]
    output_tokens: usize,
    /// Those in detail.
    output_tokens_details: ResponseOutputTokens,
    /// Both together.
    #[schema(example = 15)]
    total_tokens: usize,
}

/// Tokens of the prompt, in detail.
#[derive(ToSchema)]
pub(super) struct ResponseInputTokens {
    /// Those that were found in the cache.
    #[schema(example = 8)]
    cached_tokens: usize,
}

/// Tokens of the answer, in detail.
#[derive(ToSchema)]
pub(super) struct ResponseOutputTokens {
    /// Those that are thoughts.
    #[schema(example = 0)]
    reasoning_tokens: usize,
}

/// What went wrong on the way.
#[derive(ToSchema)]
pub(super) struct ResponseFault {
    /// What programs decide by.
    #[schema(example = "server_error")]
    code: String,
    /// What happened, and what to do.
    #[schema(example = "the model is being unloaded")]
    message: String,
}

/// Why an answer is not complete.
#[derive(ToSchema)]
pub(super) struct ResponseCut {
    /// Always `max_output_tokens`.
    #[schema(inline)]
    reason: LimitWord,
}

/// A response, as far as it is.
#[derive(ToSchema)]
pub(super) struct ResponseAnswer {
    /// Its name.
    #[schema(example = "resp_5f1a")]
    id: String,
    /// Always `response`.
    #[schema(inline)]
    object: ResponseObject,
    /// When it was begun, in seconds since 1970.
    #[schema(example = 1767268800)]
    created_at: u64,
    /// How far it is, or how it ended.
    #[schema(inline)]
    status: ResponseStatus,
    /// The model's name, as it was asked for.
    #[schema(example = "starter")]
    model: String,
    /// What the model thinks, says and calls.
    output: Vec<ResponseItem>,
    /// How many tokens there were; null until the end.
    #[schema(required = true)]
    usage: Option<ResponseUsage>,
    /// What went wrong on the way, if something did.
    #[schema(required = true)]
    error: Option<ResponseFault>,
    /// That its thoughts were closed by force, where they were.
    #[schema(required = false, inline)]
    thinking_finish_reason: ThoughtsEnd,
    /// Why it is not complete, if it is not.
    #[schema(required = true)]
    incomplete_details: Option<ResponseCut>,
    /// As the request had it.
    #[schema(required = true, example = "Be brief.")]
    instructions: Option<String>,
    /// As the request had it; it has no meaning.
    #[schema(value_type = Value, example = json!({}))]
    metadata: Value,
    /// Whether several calls in one answer are told.
    #[schema(example = true)]
    parallel_tool_calls: bool,
    /// The response that it goes on from.
    #[schema(required = true, example = "resp_5f1a")]
    previous_response_id: Option<String>,
    /// Whether it is kept.
    #[schema(example = true)]
    store: bool,
    /// As the request had it.
    #[schema(required = true, example = 0.7)]
    temperature: Option<f64>,
    /// As the request had it.
    #[schema(required = true, example = 0.9)]
    top_p: Option<f64>,
    /// As the request had it.
    text: ResponseText,
    /// As the request had it.
    #[schema(value_type = Value, example = "auto")]
    tool_choice: Value,
    /// As the request had them.
    #[schema(value_type = Vec<Value>, example = json!([]))]
    tools: Vec<Value>,
    /// Always `disabled`.
    #[schema(example = "disabled")]
    truncation: String,
}
