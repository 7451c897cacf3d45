//! What clients of Ollama are told.

use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::asked::OllamaCall;
use crate::openapi::errors::OllamaError;
use crate::openapi::shared::{AssistantWord, Capability, Logprob, ThoughtsEnd, TokenId};
use crate::openapi::words::words;

words! {
    /// Why an answer ended: of its own, at a limit of tokens, because it was stopped; or that nothing was
    /// asked, and the model loaded or let go.
    OllamaDoneReason: "stop", "length", "cancelled", "load", "unload";
}

/// A message of the model's.
#[derive(ToSchema)]
pub(super) struct OllamaSaid {
    /// Always `assistant`.
    #[schema(inline)]
    role: AssistantWord,
    /// What it says.
    #[schema(example = "Because light is scattered.")]
    content: String,
    /// What it thinks.
    #[schema(required = false, example = "The user asks about the sky.")]
    thinking: String,
    /// Tools that it calls.
    #[schema(required = false)]
    tool_calls: Vec<OllamaCall>,
}

/// A part of an answer to a chat, or all of it; the counts stand in the last one.
#[derive(ToSchema)]
pub(super) struct OllamaChatAnswer {
    /// The model's name, as it was asked for.
    #[schema(example = "starter")]
    model: String,
    /// When it was made.
    #[schema(format = DateTime, example = "2026-01-01T12:00:00.000000000Z")]
    created_at: String,
    /// What the model says.
    message: OllamaSaid,
    /// Whether it is the last one.
    #[schema(example = true)]
    done: bool,
    /// Why the answer ended.
    #[schema(required = false, inline)]
    done_reason: OllamaDoneReason,
    /// That thoughts were closed by force, where they were; in the last one.
    #[schema(required = false, inline)]
    thinking_finish_reason: ThoughtsEnd,
    /// Nanoseconds from the request to the end.
    #[schema(required = false, example = 5000000)]
    total_duration: u64,
    /// Nanoseconds until the model was in memory.
    #[schema(required = false, example = 1000)]
    load_duration: u64,
    /// Tokens of the prompt.
    #[schema(required = false, example = 12)]
    prompt_eval_count: u64,
    /// Nanoseconds that the prompt took.
    #[schema(required = false, example = 2000000)]
    prompt_eval_duration: u64,
    /// Tokens of the answer.
    #[schema(required = false, example = 3)]
    eval_count: u64,
    /// Nanoseconds that the answer took.
    #[schema(required = false, example = 3000000)]
    eval_duration: u64,
    /// How likely each token was.
    #[schema(required = false)]
    logprobs: Vec<Logprob>,
}

/// A part of an answer to a prompt, or all of it; the counts stand in the last one.
#[derive(ToSchema)]
pub(super) struct OllamaGenerateAnswer {
    /// The model's name, as it was asked for.
    #[schema(example = "starter")]
    model: String,
    /// When it was made.
    #[schema(format = DateTime, example = "2026-01-01T12:00:00.000000000Z")]
    created_at: String,
    /// What the model says.
    #[schema(example = "Because light is scattered.")]
    response: String,
    /// What it thinks.
    #[schema(required = false, example = "The user asks about the sky.")]
    thinking: String,
    /// Whether it is the last one.
    #[schema(example = true)]
    done: bool,
    /// Why the answer ended.
    #[schema(required = false, inline)]
    done_reason: OllamaDoneReason,
    /// That thoughts were closed by force, where they were; in the last one.
    #[schema(required = false, inline)]
    thinking_finish_reason: ThoughtsEnd,
    /// Prompt and answer in tokens, for a request that goes on from there.
    #[schema(required = false, example = json!([70, 71]))]
    context: Vec<TokenId>,
    /// Nanoseconds from the request to the end.
    #[schema(required = false, example = 5000000)]
    total_duration: u64,
    /// Nanoseconds until the model was in memory.
    #[schema(required = false, example = 1000)]
    load_duration: u64,
    /// Tokens of the prompt.
    #[schema(required = false, example = 12)]
    prompt_eval_count: u64,
    /// Nanoseconds that the prompt took.
    #[schema(required = false, example = 2000000)]
    prompt_eval_duration: u64,
    /// Tokens of the answer.
    #[schema(required = false, example = 3)]
    eval_count: u64,
    /// Nanoseconds that the answer took.
    #[schema(required = false, example = 3000000)]
    eval_duration: u64,
    /// How likely each token was.
    #[schema(required = false)]
    logprobs: Vec<Logprob>,
}

/// A line of an answer to a chat.
#[derive(ToSchema)]
#[serde(untagged)]
pub(super) enum OllamaChatLine {
    /// A part of the answer.
    Part(OllamaChatAnswer),
    /// What went wrong on the way; it is the last line.
    Failed(OllamaError),
}

/// A line of an answer to a prompt.
#[derive(ToSchema)]
#[serde(untagged)]
pub(super) enum OllamaGenerateLine {
    /// A part of the answer.
    Part(OllamaGenerateAnswer),
    /// What went wrong on the way; it is the last line.
    Failed(OllamaError),
}

/// Embeddings, each of length 1.
#[derive(ToSchema)]
pub(super) struct OllamaEmbedAnswer {
    /// The model's name, as it was asked for.
    #[schema(example = "all-minilm")]
    model: String,
    /// A vector for each text.
    #[schema(example = json!([[0.6, 0.8]]))]
    embeddings: Vec<Vec<f32>>,
    /// Nanoseconds from the request to the end.
    #[schema(example = 5000000)]
    total_duration: u64,
    /// Nanoseconds until the model was in memory.
    #[schema(example = 1000)]
    load_duration: u64,
    /// Tokens of the texts.
    #[schema(example = 5)]
    prompt_eval_count: u64,
}

/// An embedding as the model gives it.
#[derive(ToSchema)]
pub(super) struct OllamaEmbeddingsAnswer {
    /// The vector; it is empty where there is no text.
    #[schema(example = json!([0.6, 0.8]))]
    embedding: Vec<f32>,
}

/// What a model is, in short.
#[derive(ToSchema)]
pub(super) struct OllamaDetails {
    /// What it was made from, if it is one of one's own; else empty.
    #[schema(example = "")]
    parent_model: String,
    /// The format of its files: `safetensors` or `gguf`.
    #[schema(example = "gguf")]
    format: String,
    /// Its architecture.
    #[schema(example = "llama")]
    family: String,
    /// Its architecture, once more.
    #[schema(example = json!(["llama"]))]
    families: Vec<String>,
    /// How many parameters it has.
    #[schema(example = "134.5M")]
    parameter_size: String,
    /// The type of its weights.
    #[schema(example = "Q8_0")]
    quantization_level: String,
    /// Tokens that its context holds.
    #[schema(required = false, example = 2048)]
    context_length: usize,
    /// The width of its hidden states.
    #[schema(required = false, example = 576)]
    embedding_length: usize,
}

/// A model on this disk.
#[derive(ToSchema)]
pub(super) struct OllamaListed {
    /// Its name.
    #[schema(example = "starter")]
    name: String,
    /// Its name, once more.
    #[schema(example = "starter")]
    model: String,
    /// When its files changed.
    #[schema(format = DateTime, example = "2026-01-01T12:00:00.000000000Z")]
    modified_at: String,
    /// Bytes of its files.
    #[schema(example = 144811584)]
    size: u64,
    /// Digits that tell one state of the model from another; they are no hash of its files.
    #[schema(example = "0f3c9a2e")]
    digest: String,
    /// What it is.
    details: OllamaDetails,
    /// What can be asked of it here.
    #[schema(inline, example = json!(["completion"]))]
    capabilities: Vec<Capability>,
}

/// The models on this disk.
#[derive(ToSchema)]
pub(super) struct OllamaTags {
    /// Those that changed last come first.
    models: Vec<OllamaListed>,
}

/// A model in memory.
#[derive(ToSchema)]
pub(super) struct OllamaLoaded {
    /// Its name, as it was asked for.
    #[schema(example = "starter")]
    name: String,
    /// Its name, once more.
    #[schema(example = "starter")]
    model: String,
    /// Bytes of memory that it takes.
    #[schema(example = 200000000)]
    size: u64,
    /// Digits that tell one state of the model from another; they are no hash of its files.
    #[schema(example = "0f3c9a2e")]
    digest: String,
    /// What it is.
    details: OllamaDetails,
    /// When it goes if nobody uses it.
    #[schema(format = DateTime, example = "2026-01-01T12:05:00.000000000Z")]
    expires_at: String,
    /// Bytes of a graphics card's memory: it takes none.
    #[schema(example = 0)]
    size_vram: u64,
    /// Tokens that its context holds.
    #[schema(example = 2048)]
    context_length: usize,
}

/// The models in memory.
#[derive(ToSchema)]
pub(super) struct OllamaPs {
    /// Those that stay longest come first.
    models: Vec<OllamaLoaded>,
}

/// A message that chats begin with.
#[derive(ToSchema)]
pub(super) struct OllamaShownMessage {
    /// Who speaks: `system`, `user` or `assistant`.
    #[schema(example = "user")]
    role: String,
    /// What is said.
    #[schema(example = "Who are you?")]
    content: String,
}

/// What a model is.
#[derive(ToSchema)]
pub(super) struct OllamaShown {
    /// The licence of its files, where they name one.
    #[schema(example = "apache-2.0")]
    license: String,
    /// Where it is from, as a Modelfile says it.
    #[schema(example = "FROM starter\n")]
    modelfile: String,
    /// Parameters that a model of one's own has, as a Modelfile says them; else empty.
    #[schema(example = "temperature 0.7")]
    parameters: String,
    /// Its chat template, in Jinja.
    #[schema(example = "{% for message in messages %}{{ message.content }}{% endfor %}")]
    template: String,
    /// What it is, in short.
    details: OllamaDetails,
    /// What a model of one's own is told about itself.
    #[schema(required = false, example = "Be brief.")]
    system: String,
    /// What chats with a model of one's own begin with.
    #[schema(required = false)]
    messages: Vec<OllamaShownMessage>,
    /// Numbers of its architecture.
    #[schema(example = json!({"general.architecture": "llama", "llama.context_length": 2048}))]
    model_info: Map<String, Value>,
    /// What can be asked of it here.
    #[schema(inline, example = json!(["completion"]))]
    capabilities: Vec<Capability>,
    /// When its files changed.
    #[schema(format = DateTime, example = "2026-01-01T12:00:00.000000000Z")]
    modified_at: String,
}

/// Versions.
#[derive(ToSchema)]
pub(super) struct OllamaVersion {
    /// The version of Ollama whose interface this is.
    #[schema(example = "0.30.0")]
    version: String,
    /// The server's own version.
    #[schema(example = "0.1.0")]
    scaffold: String,
}

/// How far a download is.
#[derive(ToSchema)]
pub(super) struct OllamaProgress {
    /// What is being done; `success` at the end.
    #[schema(example = "success")]
    status: String,
    /// The file that is on its way: a hash of its name.
    #[schema(required = false, example = "sha256:0f3c")]
    digest: String,
    /// Bytes that it has.
    #[schema(required = false, example = 1000)]
    total: u64,
    /// Bytes that are here.
    #[schema(required = false, example = 500)]
    completed: u64,
}

/// A line about a download.
#[derive(ToSchema)]
#[serde(untagged)]
pub(super) enum OllamaPullLine {
    /// How far it is.
    Progress(OllamaProgress),
    /// What went wrong; it is the last line.
    Failed(OllamaError),
}
