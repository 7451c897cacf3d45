//! What clients of OpenAI are told.

use std::collections::BTreeMap;

use utoipa::ToSchema;

use crate::openapi::errors::OpenAiError;
use crate::openapi::shared::{
    AssistantWord, FinishReason, FunctionWord, ListWord, Logprob, TextCall, TextCalled,
    ThoughtsEnd, nothing,
};
use crate::openapi::words::words;

words! {
    /// Always `chat.completion`.
    ChatObject: "chat.completion";
    /// Always `chat.completion.chunk`.
    ChunkObject: "chat.completion.chunk";
    /// Always `text_completion`.
    TextObject: "text_completion";
    /// Always `embedding`.
    EmbeddingObject: "embedding";
    /// Always `model`.
    ModelObject: "model";
    /// How far a model is on its way into memory.
    ModelStatusWord: "unloaded", "downloading", "loading", "loaded";
}

/// How many tokens there were.
#[derive(ToSchema)]
pub(super) struct OpenAiUsage {
    /// Tokens of the prompts.
    #[schema(example = 12)]
    prompt_tokens: usize,
    /// Tokens of the answers.
    #[schema(example = 3)]
    completion_tokens: usize,
    /// Both together.
    #[schema(example = 15)]
    total_tokens: usize,
    /// Those of the prompts, in detail.
    prompt_tokens_details: OpenAiPromptTokens,
}

/// Tokens of prompts, in detail.
#[derive(ToSchema)]
pub(super) struct OpenAiPromptTokens {
    /// Those that were found in the cache.
    #[schema(example = 8)]
    cached_tokens: usize,
}

/// How likely the tokens of an answer were.
#[derive(ToSchema)]
pub(super) struct OpenAiLogprobs {
    /// Those of its text.
    content: Vec<Logprob>,
    #[schema(schema_with = nothing)]
    refusal: (),
}

/// A message of the model's.
#[derive(ToSchema)]
pub(super) struct OpenAiSaid {
    /// Always `assistant`.
    #[schema(inline)]
    role: AssistantWord,
    /// What it says; null where it calls tools and says nothing.
    #[schema(required = true, example = "Because light is scattered.")]
    content: Option<String>,
    /// What it thinks.
    #[schema(required = false, example = "The user asks about the sky.")]
    reasoning_content: String,
    /// Tools that it calls.
    #[schema(required = false)]
    tool_calls: Vec<TextCall>,
    #[schema(schema_with = nothing)]
    refusal: (),
}

/// An answer to a chat.
#[derive(ToSchema)]
pub(super) struct OpenAiChatChoice {
    /// Its number.
    #[schema(example = 0)]
    index: usize,
    /// What the model says.
    message: OpenAiSaid,
    /// How likely its tokens were, where that is asked for.
    #[schema(required = true)]
    logprobs: Option<OpenAiLogprobs>,
    /// Why it ended.
    #[schema(inline)]
    finish_reason: FinishReason,
    /// That its thoughts were closed by force, where they were.
    #[schema(required = false, inline)]
    thinking_finish_reason: ThoughtsEnd,
}

/// The answers to a chat.
#[derive(ToSchema)]
pub(super) struct OpenAiChatAnswer {
    /// Its name.
    #[schema(example = "chatcmpl-5f1a")]
    id: String,
    /// Always `chat.completion`.
    #[schema(inline)]
    object: ChatObject,
    /// When it was made, in seconds since 1970.
    #[schema(example = 1767268800)]
    created: u64,
    /// The model's name, as it was asked for.
    #[schema(example = "starter")]
    model: String,
    /// The server and its version.
    #[schema(example = "scaffold-0.1.0")]
    system_fingerprint: String,
    /// The answers.
    choices: Vec<OpenAiChatChoice>,
    /// How many tokens there were.
    usage: OpenAiUsage,
}

/// A call of a tool in a stream: it comes whole.
#[derive(ToSchema)]
pub(super) struct OpenAiDeltaCall {
    /// Its place among the calls of the answer.
    #[schema(example = 0)]
    index: usize,
    /// By which its result is told.
    #[schema(example = "call_5f1a")]
    id: String,
    /// Always `function`.
    #[schema(inline)]
    r#type: FunctionWord,
    /// What is called.
    function: TextCalled,
}

/// What comes of a message.
#[derive(ToSchema)]
pub(super) struct OpenAiDelta {
    /// Always `assistant`; it stands in the first one.
    #[schema(required = false, inline)]
    role: AssistantWord,
    /// More of what the model says.
    #[schema(required = false, example = " light")]
    content: String,
    /// More of what it thinks.
    #[schema(required = false, example = " sky")]
    reasoning_content: String,
    /// Tools that it calls.
    #[schema(required = false)]
    tool_calls: Vec<OpenAiDeltaCall>,
}

/// What comes of an answer to a chat.
#[derive(ToSchema)]
pub(super) struct OpenAiChatPiece {
    /// The answer's number.
    #[schema(example = 0)]
    index: usize,
    /// What comes.
    delta: OpenAiDelta,
    /// How likely the tokens were, where that is asked for.
    #[schema(required = true)]
    logprobs: Option<OpenAiLogprobs>,
    /// Why the answer ended; null until then.
    #[schema(required = true, inline)]
    finish_reason: Option<FinishReason>,
    /// That its thoughts were closed by force, where they were; at its end.
    #[schema(required = false, inline)]
    thinking_finish_reason: ThoughtsEnd,
}

/// What comes of the answers to a chat.
#[derive(ToSchema)]
pub(super) struct OpenAiChatChunk {
    /// The same in all events of an answer.
    #[schema(example = "chatcmpl-5f1a")]
    id: String,
    /// Always `chat.completion.chunk`.
    #[schema(inline)]
    object: ChunkObject,
    /// When the answer was begun, in seconds since 1970.
    #[schema(example = 1767268800)]
    created: u64,
    /// The model's name, as it was asked for.
    #[schema(example = "starter")]
    model: String,
    /// The server and its version.
    #[schema(example = "scaffold-0.1.0")]
    system_fingerprint: String,
    /// What comes; nothing in the event with `usage`.
    choices: Vec<OpenAiChatPiece>,
    /// How many tokens there were, in an event of its own where that is asked for.
    #[schema(required = false)]
    usage: OpenAiUsage,
}

/// The data of an event; the last one is `[DONE]`, which is no JSON.
#[derive(ToSchema)]
#[serde(untagged)]
pub(super) enum OpenAiChatEvent {
    /// What comes of the answers.
    Chunk(OpenAiChatChunk),
    /// What went wrong on the way.
    Failed(OpenAiError),
}

/// How likely tokens were, in lists.
#[derive(ToSchema)]
pub(super) struct OpenAiLists {
    /// The tokens' texts.
    #[schema(example = json!(["The", " sky"]))]
    tokens: Vec<String>,
    /// The logarithms of their probabilities; null for the first token of a prompt.
    #[schema(example = json!([null, -0.5]))]
    token_logprobs: Vec<Option<f64>>,
    /// The likeliest tokens in their places, with the chosen ones.
    #[schema(example = json!([null, {" sky": -0.5}]))]
    top_logprobs: Vec<Option<BTreeMap<String, f64>>>,
    /// Characters before each token.
    #[schema(example = json!([0, 3]))]
    text_offset: Vec<usize>,
}

/// A continued prompt.
#[derive(ToSchema)]
pub(super) struct OpenAiTextChoice {
    /// Its number.
    #[schema(example = 0)]
    index: usize,
    /// What comes after the prompt; with `echo`, the prompt too.
    #[schema(example = " blue")]
    text: String,
    /// How likely the tokens were, where that is asked for.
    #[schema(required = true)]
    logprobs: Option<OpenAiLists>,
    /// Why it ended; null in a stream until then.
    #[schema(required = true, inline)]
    finish_reason: Option<FinishReason>,
}

/// Continued prompts, or what comes of them.
#[derive(ToSchema)]
pub(super) struct OpenAiCompletionAnswer {
    /// Its name.
    #[schema(example = "cmpl-5f1a")]
    id: String,
    /// Always `text_completion`.
    #[schema(inline)]
    object: TextObject,
    /// When it was begun, in seconds since 1970.
    #[schema(example = 1767268800)]
    created: u64,
    /// The model's name, as it was asked for.
    #[schema(example = "starter")]
    model: String,
    /// The server and its version.
    #[schema(example = "scaffold-0.1.0")]
    system_fingerprint: String,
    /// What comes after the prompts; nothing in the event with `usage`.
    choices: Vec<OpenAiTextChoice>,
    /// How many tokens there were; in a stream in an event of its own, where that is asked for.
    #[schema(required = false)]
    usage: OpenAiUsage,
}

/// The data of an event; the last one is `[DONE]`, which is no JSON.
#[derive(ToSchema)]
#[serde(untagged)]
pub(super) enum OpenAiCompletionEvent {
    /// What comes of the prompts.
    Chunk(OpenAiCompletionAnswer),
    /// What went wrong on the way.
    Failed(OpenAiError),
}

/// A vector: a list of numbers, or base64.
#[derive(ToSchema)]
#[serde(untagged)]
pub(super) enum OpenAiVector {
    /// A list of numbers.
    Numbers(Vec<f32>),
    /// Little-endian numbers of 32 bits, in base64.
    Base64(String),
}

/// An embedding.
#[derive(ToSchema)]
pub(super) struct OpenAiEmbedding {
    /// Always `embedding`.
    #[schema(inline)]
    object: EmbeddingObject,
    /// The number of its text.
    #[schema(example = 0)]
    index: usize,
    /// The vector, of length 1.
    embedding: OpenAiVector,
}

/// Tokens of texts.
#[derive(ToSchema)]
pub(super) struct OpenAiTextUsage {
    /// Tokens of the texts.
    #[schema(example = 5)]
    prompt_tokens: usize,
    /// The same.
    #[schema(example = 5)]
    total_tokens: usize,
}

/// Embeddings.
#[derive(ToSchema)]
pub(super) struct OpenAiEmbeddingAnswer {
    /// Always `list`.
    #[schema(inline)]
    object: ListWord,
    /// One for each text.
    data: Vec<OpenAiEmbedding>,
    /// The model's name, as it was asked for.
    #[schema(example = "all-minilm")]
    model: String,
    /// How many tokens there were.
    usage: OpenAiTextUsage,
}

/// Whether a model is in memory.
#[derive(ToSchema)]
pub(super) struct OpenAiModelStatus {
    /// In the words of llama.cpp's router.
    #[schema(inline)]
    value: ModelStatusWord,
}

/// A model, as clients of OpenAI and of Anthropic read it.
#[derive(ToSchema)]
pub(super) struct OpenAiModel {
    /// Its name.
    #[schema(example = "starter")]
    id: String,
    /// Always `model`.
    #[schema(inline)]
    object: ModelObject,
    /// When its files changed, in seconds since 1970.
    #[schema(example = 1767268800)]
    created: u64,
    /// Who made it, as its name says.
    #[schema(example = "scaffold")]
    owned_by: String,
    /// Always `model`.
    #[schema(inline)]
    r#type: ModelObject,
    /// Its name.
    #[schema(example = "starter")]
    display_name: String,
    /// When its files changed.
    #[schema(format = DateTime, example = "2026-01-01T12:00:00.000000000Z")]
    created_at: String,
    /// Tokens that its context holds; in lists alone.
    #[schema(required = false, example = 2048)]
    max_model_len: usize,
    /// Whether it is in memory; in lists alone.
    #[schema(required = false)]
    status: OpenAiModelStatus,
}

/// The models on this disk.
#[derive(ToSchema)]
pub(super) struct OpenAiModels {
    /// Always `list`.
    #[schema(inline)]
    object: ListWord,
    /// Those that changed last come first.
    data: Vec<OpenAiModel>,
    /// Whether there are more: there are none.
    #[schema(example = false)]
    has_more: bool,
    /// The name of the first.
    #[schema(required = true, example = "starter")]
    first_id: Option<String>,
    /// The name of the last.
    #[schema(required = true, example = "starter")]
    last_id: Option<String>,
}
