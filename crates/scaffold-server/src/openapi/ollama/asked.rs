//! What clients of Ollama ask.

use serde_json::{Map, Value};
use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder, OneOfBuilder, Schema};
use utoipa::openapi::{RefOr, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::openapi::forms::{OllamaFormat, ToolChoice};
use crate::openapi::shared::{EarlierCall, KeepAlive, Texts, TokenId, Tool};

/// Whether the model is to think before it answers: a switch, or how much.
pub(super) struct Think;

impl PartialSchema for Think {
    fn schema() -> RefOr<Schema> {
        let levels = ["low", "medium", "high", "max"];
        OneOfBuilder::new()
            .item(ObjectBuilder::new().schema_type(Type::Boolean))
            .item(ObjectBuilder::new().schema_type(Type::String).enum_values(Some(levels)))
            .description(Some("Whether the model is to think before it answers, or how much."))
            .examples([true])
            .into()
    }
}

impl ToSchema for Think {}

/// A limit of new tokens: a number, or none at all.
fn limit() -> RefOr<Schema> {
    AnyOfBuilder::new()
        .item(ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)))
        .item(ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(-2)).maximum(Some(-1)))
        .item(ObjectBuilder::new().schema_type(Type::Null))
        .description(Some(
            "New tokens of an answer, at most; -1 and -2 are as many as the context holds.",
        ))
        .examples([3])
        .into()
}

/// How an answer is made.
#[derive(ToSchema)]
pub(super) struct OllamaOptions {
    #[schema(schema_with = limit, required = false)]
    num_predict: Option<i64>,
    /// How far the choice of tokens is spread; 0 always takes the likeliest.
    #[schema(minimum = 0, example = 0.7)]
    temperature: Option<f32>,
    /// Draws from so many of the likeliest tokens; below 1 from all.
    #[schema(example = 40)]
    top_k: Option<i64>,
    /// Draws from the likeliest tokens that make up this share.
    #[schema(minimum = 0, maximum = 1, example = 0.9)]
    top_p: Option<f32>,
    /// Draws from tokens that are at least this fraction as likely as the likeliest.
    #[schema(minimum = 0, maximum = 1, example = 0.05)]
    min_p: Option<f32>,
    /// Draws from the tokens nearest to the expected surprise, up to this share.
    #[schema(exclusive_minimum = 0, maximum = 1, example = 0.95)]
    typical_p: Option<f32>,
    /// The same seed gives the same answer; -1 is another one each time.
    #[schema(minimum = -1, example = 42)]
    seed: Option<i64>,
    /// Texts that end an answer and are no part of it.
    #[schema(example = "\n\n")]
    stop: Option<Texts>,
    /// Makes tokens that occurred less likely by this factor.
    #[schema(exclusive_minimum = 0, example = 1.1)]
    repeat_penalty: Option<f32>,
    /// How far back that looks: -1 is everything, as it does.
    #[schema(example = -1)]
    repeat_last_n: Option<i64>,
    /// Taken from the score of every token that the answer has.
    #[schema(example = 0.5)]
    presence_penalty: Option<f32>,
    /// Taken from a token's score for each time the answer has it.
    #[schema(example = 0.5)]
    frequency_penalty: Option<f32>,
    /// Tokens that thoughts may have; then they are closed, and the answer begins.
    #[schema(minimum = 0, example = 4)]
    thinking_budget: Option<usize>,
}

/// A message of a chat. Fields that are not described reach the model's template, too.
#[derive(ToSchema)]
#[schema(example = json!({"role": "user", "content": "Why is the sky blue?"}))]
pub(super) struct OllamaMessage {
    /// Who speaks: `system`, `user`, `assistant`, `tool`, or what the model's template knows.
    #[schema(example = "user")]
    role: String,
    /// What is said.
    #[schema(example = "Why is the sky blue?")]
    content: Option<String>,
    /// What the model thought before it said that.
    #[schema(example = "Light is scattered.")]
    thinking: Option<String>,
    /// Calls of tools.
    #[schema(example = json!([]))]
    tool_calls: Option<Vec<EarlierCall>>,
    /// The tool whose result this is.
    #[schema(example = "weather")]
    tool_name: Option<String>,
}

/// A call of a tool.
#[derive(ToSchema)]
pub(super) struct OllamaCall {
    /// By which its result is told.
    #[schema(example = "call_5f1a")]
    id: String,
    /// What is called.
    function: OllamaCalled,
}

/// A function that is called.
#[derive(ToSchema)]
pub(super) struct OllamaCalled {
    /// Its place among the calls of the answer.
    #[schema(example = 0)]
    index: usize,
    /// Its name.
    #[schema(example = "weather")]
    name: String,
    /// Its arguments.
    #[schema(example = json!({"city": "Bonn"}))]
    arguments: Map<String, Value>,
}

/// A chat to be gone on with.
#[derive(ToSchema)]
pub(super) struct OllamaChatRequest {
    /// The model's name.
    #[schema(pattern = r"\S", example = "starter")]
    model: String,
    /// The chat until now. Without any, the model is loaded, or let go with `"keep_alive": 0`.
    messages: Option<Vec<OllamaMessage>>,
    /// Tools that the model may call.
    tools: Option<Vec<Tool>>,
    /// Whether it has to call, and what: as in `/v1/chat/completions`; Ollama has no such field.
    tool_choice: Option<ToolChoice>,
    /// Whether it may call several at once; Ollama has no such field.
    #[schema(default = true, example = true)]
    parallel_tool_calls: Option<bool>,
    /// What the answer has to be.
    format: Option<OllamaFormat>,
    /// Whether the model is to think before it answers.
    think: Option<Think>,
    /// Whether the answer comes in lines while it is made: it does unless this is false.
    #[schema(default = true, example = false)]
    stream: Option<bool>,
    /// How long the model stays in memory.
    keep_alive: Option<KeepAlive>,
    /// How the answer is made.
    options: Option<OllamaOptions>,
    /// Whether to tell how likely each token was.
    #[schema(default = false, example = true)]
    logprobs: Option<bool>,
    /// How many likely tokens to tell beside each; needs `logprobs`.
    #[schema(minimum = 0, maximum = 20, example = 2)]
    top_logprobs: Option<u8>,
    /// Whether a chat that is too long may be cut: it is not, so that only false is what happens.
    #[schema(example = false)]
    truncate: Option<bool>,
    /// Whether the context may be shifted: it is not, so that only false is what happens.
    #[schema(example = false)]
    shift: Option<bool>,
}

/// A prompt to be answered.
#[derive(ToSchema)]
pub(super) struct OllamaGenerateRequest {
    /// The model's name.
    #[schema(pattern = r"\S", example = "starter")]
    model: String,
    /// What the user says. Without it, the model is loaded, or let go with `"keep_alive": 0`.
    #[schema(example = "Why is the sky blue?")]
    prompt: Option<String>,
    /// What stands after what is to be written, between it and the prompt: for models that can `insert`.
    #[schema(example = "end")]
    suffix: Option<String>,
    /// What the answer has to be.
    format: Option<OllamaFormat>,
    /// What the model is told about itself.
    #[schema(example = "Be brief.")]
    system: Option<String>,
    /// Whether the prompt is continued as it is, without the model's chat format.
    #[schema(default = false, example = true)]
    raw: Option<bool>,
    /// The tokens of what went before: `context` of an earlier answer.
    #[schema(example = json!([70, 71]))]
    context: Option<Vec<TokenId>>,
    /// Whether the model is to think before it answers.
    think: Option<Think>,
    /// Whether the answer comes in lines while it is made: it does unless this is false.
    #[schema(default = true, example = false)]
    stream: Option<bool>,
    /// How long the model stays in memory.
    keep_alive: Option<KeepAlive>,
    /// How the answer is made.
    options: Option<OllamaOptions>,
    /// Whether to tell how likely each token was.
    #[schema(default = false, example = true)]
    logprobs: Option<bool>,
    /// How many likely tokens to tell beside each; needs `logprobs`.
    #[schema(minimum = 0, maximum = 20, example = 2)]
    top_logprobs: Option<u8>,
    /// Whether a prompt that is too long may be cut: it is not, so that only false is what happens.
    #[schema(example = false)]
    truncate: Option<bool>,
    /// Whether the context may be shifted: it is not, so that only false is what happens.
    #[schema(example = false)]
    shift: Option<bool>,
}

/// Texts to be embedded.
#[derive(ToSchema)]
pub(super) struct OllamaEmbedRequest {
    /// The model's name.
    #[schema(pattern = r"\S", example = "all-minilm")]
    model: String,
    /// A text, or up to 8192.
    #[schema(example = "A sentence.")]
    input: Option<Texts>,
    /// Whether texts that are too long are cut: they are unless this is false.
    #[schema(default = true, example = true)]
    truncate: Option<bool>,
    /// How many numbers of each vector are kept; 0 keeps all.
    #[schema(minimum = 0, example = 4)]
    dimensions: Option<usize>,
    /// How long the model stays in memory.
    keep_alive: Option<KeepAlive>,
}

/// A text to be embedded, as it was asked for of old.
#[derive(ToSchema)]
pub(super) struct OllamaEmbeddingsRequest {
    /// The model's name.
    #[schema(pattern = r"\S", example = "all-minilm")]
    model: String,
    /// The text.
    #[schema(example = "A sentence.")]
    prompt: Option<String>,
    /// How long the model stays in memory.
    keep_alive: Option<KeepAlive>,
}

/// A model to be looked at.
#[derive(ToSchema)]
pub(super) struct OllamaShowRequest {
    /// The model's name.
    #[schema(pattern = r"\S", example = "starter")]
    model: String,
    /// Whether to tell everything: it always is.
    #[schema(example = false)]
    verbose: Option<bool>,
}

/// A model to be fetched.
#[derive(ToSchema)]
pub(super) struct OllamaPullRequest {
    /// The model's name.
    #[schema(pattern = r"\S", example = "starter")]
    model: String,
    /// Whether it is told in lines how far it is: it is unless this is false.
    #[schema(default = true, example = false)]
    stream: Option<bool>,
    /// Whether sources that cannot be trusted will do: they will not, so that only false is what happens.
    #[schema(example = false)]
    insecure: Option<bool>,
}

/// A model to be removed.
#[derive(ToSchema)]
pub(super) struct OllamaDeleteRequest {
    /// The model's name.
    #[schema(pattern = r"\S", example = "org/name")]
    model: String,
}
