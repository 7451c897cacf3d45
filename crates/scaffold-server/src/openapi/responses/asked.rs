//! What clients of OpenAI's responses ask.

use serde_json::Value;
use utoipa::ToSchema;

use crate::openapi::forms::{ResponseTextFormat, ResponseToolChoice};
use crate::openapi::shared::parameters;
use crate::openapi::words::words;

words! {
    /// Who speaks; `developer` is `system`.
    ResponseRole: "user", "assistant", "system", "developer";
    /// Always `message`.
    MessageWord: "message";
    /// Always `reasoning`.
    ReasoningWord: "reasoning";
    /// Always `function_call`.
    FunctionCallWord: "function_call";
    /// Always `custom_tool_call`.
    CustomCallWord: "custom_tool_call";
    /// Whose result it is.
    OutputWord: "function_call_output", "custom_tool_call_output";
    /// Always `item_reference`.
    ReferenceWord: "item_reference";
    /// The type of a part of text.
    PartWord: "input_text", "output_text", "text";
    /// The only way: nothing is ever cut off a prompt.
    Disabled: "disabled";
}

/// A part of text.
#[derive(ToSchema)]
pub(super) struct ResponsePart {
    /// That it is text, also where it is not said.
    #[schema(inline)]
    r#type: Option<PartWord>,
    /// The text.
    #[schema(example = "Why is the sky blue?")]
    text: String,
}

/// A text, or parts of text, which are put together with line breaks.
#[derive(ToSchema)]
#[serde(untagged)]
#[schema(example = "Why is the sky blue?")]
pub(super) enum ResponseTexts {
    /// A text.
    Text(String),
    /// Parts of text.
    Parts(Vec<ResponsePart>),
}

/// A message.
#[derive(ToSchema)]
#[schema(example = json!({"role": "user", "content": "Why is the sky blue?"}))]
pub(super) struct ResponseMessageIn {
    /// Always `message`, also where it is not said.
    #[schema(inline, required = false)]
    r#type: MessageWord,
    /// Who speaks.
    #[schema(inline)]
    role: ResponseRole,
    /// What is said.
    content: Option<ResponseTexts>,
}

/// A thought, in text.
#[derive(ToSchema)]
pub(super) struct ResponseThought {
    /// `reasoning_text` or `summary_text`; it says nothing.
    #[schema(value_type = Option<Value>)]
    r#type: Option<Value>,
    /// The text.
    #[schema(example = "The user asks about the sky.")]
    text: String,
}

/// What the model thought.
#[derive(ToSchema)]
pub(super) struct ResponseReasoningIn {
    /// Always `reasoning`.
    #[schema(inline)]
    r#type: ReasoningWord,
    /// The thoughts.
    #[schema(example = json!([{"type": "reasoning_text", "text": "The user asks about the sky."}]))]
    content: Option<Vec<ResponseThought>>,
    /// A summary of them; it counts where there are no thoughts.
    #[schema(example = json!([]))]
    summary: Option<Vec<ResponseThought>>,
}

/// A call of a function.
#[derive(ToSchema)]
pub(super) struct ResponseCallIn {
    /// Always `function_call`.
    #[schema(inline)]
    r#type: FunctionCallWord,
    /// By which its result is told.
    #[schema(example = "call_5f1a")]
    call_id: Option<String>,
    /// What is called.
    #[schema(example = "weather")]
    name: String,
    /// Its arguments: an object of JSON, in a text.
    #[schema(example = "{\"city\": \"Bonn\"}")]
    arguments: String,
}

/// A call of a tool that takes a text.
#[derive(ToSchema)]
pub(super) struct ResponseCustomCallIn {
    /// Always `custom_tool_call`.
    #[schema(inline)]
    r#type: CustomCallWord,
    /// By which its result is told.
    #[schema(example = "call_5f1a")]
    call_id: Option<String>,
    /// What is called.
    #[schema(example = "shell")]
    name: String,
    /// What it is given.
    #[schema(example = "ls")]
    input: String,
}

/// What a tool gave.
#[derive(ToSchema)]
pub(super) struct ResponseResultIn {
    /// Whose result it is.
    #[schema(inline)]
    r#type: OutputWord,
    /// The call whose result this is.
    #[schema(example = "call_5f1a")]
    call_id: Option<String>,
    /// What it gave.
    output: Option<ResponseTexts>,
}

/// An item of a response that is kept, by its name.
#[derive(ToSchema)]
pub(super) struct ResponseReferenceIn {
    /// Always `item_reference`.
    #[schema(inline)]
    r#type: ReferenceWord,
    /// Its name.
    #[schema(example = "msg_5f1a")]
    id: String,
}

/// An item of what went before.
#[derive(ToSchema)]
#[serde(untagged)]
pub(super) enum ResponseItemIn {
    /// A message.
    Message(ResponseMessageIn),
    /// What the model thought.
    Reasoning(ResponseReasoningIn),
    /// A call of a function.
    Call(ResponseCallIn),
    /// A call of a tool that takes a text.
    CustomCall(ResponseCustomCallIn),
    /// What a tool gave.
    Result(ResponseResultIn),
    /// An item of a response that is kept.
    Reference(ResponseReferenceIn),
}

/// What is asked: a text of the user's, or items.
#[derive(ToSchema)]
#[serde(untagged)]
#[schema(example = "Why is the sky blue?")]
pub(super) enum ResponseInput {
    /// A text of the user's.
    Text(String),
    /// Items, one or more.
    Items(Vec<ResponseItemIn>),
}

/// A tool.
#[derive(ToSchema)]
#[schema(example = json!({"type": "function", "name": "weather", "parameters": {"type": "object"}}))]
pub(super) struct ResponseTool {
    /// `function`, `custom` (it takes a text) or `namespace`; others are left out, with notice.
    #[schema(example = "function")]
    r#type: String,
    /// The name by which the model calls it.
    #[schema(min_length = 1, example = "weather")]
    name: Option<String>,
    /// What it does, for the model.
    #[schema(example = "The weather of a city.")]
    description: Option<String>,
    #[schema(schema_with = parameters, required = false)]
    parameters: Option<Value>,
    /// Whether its arguments are held to its parameters where the model need not call it: they always are where it has to.
    #[schema(example = true)]
    strict: Option<bool>,
    /// The tools in a namespace, which are called by their own names.
    #[schema(value_type = Option<Value>)]
    tools: Option<Value>,
}

/// How much to think.
#[derive(ToSchema)]
pub(super) struct ResponseEffort {
    /// How much, for models whose templates know that; `none` is not at all.
    #[schema(example = "low")]
    effort: Option<String>,
}

/// How the answer's text is to be.
#[derive(ToSchema)]
pub(super) struct ResponseText {
    /// Its form.
    format: Option<ResponseTextFormat>,
}

/// A response that is asked for.
#[derive(ToSchema)]
pub(super) struct ResponseRequest {
    /// The model's name.
    #[schema(pattern = r"\S", example = "starter")]
    model: String,
    /// What is asked.
    input: ResponseInput,
    /// What the model is told about itself.
    #[schema(example = "Be brief.")]
    instructions: Option<String>,
    /// Tokens of the answer, at most.
    #[schema(minimum = 1, example = 3)]
    max_output_tokens: Option<usize>,
    /// How far the choice of tokens is spread; 0 always takes the likeliest.
    #[schema(minimum = 0, example = 0.7)]
    temperature: Option<f32>,
    /// Draws from the likeliest tokens that make up this share.
    #[schema(minimum = 0, maximum = 1, example = 0.9)]
    top_p: Option<f32>,
    /// Whether the answer comes in events while it is made.
    #[schema(default = false, example = true)]
    stream: Option<bool>,
    /// Tools that the model may call.
    tools: Option<Vec<ResponseTool>>,
    /// Whether the model calls them, and which.
    tool_choice: Option<ResponseToolChoice>,
    /// Whether several calls in one answer are told, or the first alone.
    #[schema(default = true, example = false)]
    parallel_tool_calls: Option<bool>,
    /// How much to think.
    reasoning: Option<ResponseEffort>,
    /// How the answer's text is to be.
    text: Option<ResponseText>,
    /// What to do with a prompt that is too long: it is refused.
    #[schema(inline)]
    truncation: Option<Disabled>,
    /// A response that is gone on from: what was said there and before it stands before the input.
    #[schema(example = "resp_5f1a")]
    previous_response_id: Option<String>,
    /// Whether to keep the response for some time, so that one can go on from it. Where the server keeps none, true is ignored with notice.
    #[schema(default = true, example = false)]
    store: Option<bool>,
    /// Tokens that thoughts may have; then they are closed, and the answer begins.
    #[schema(minimum = 0, example = 4)]
    thinking_budget: Option<usize>,
}
