//! What is the server's own.

use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::describe::Described;
use super::openai::OpenAiMessage;
use super::shared::{TokenId, Tool, template_variables};
use super::words::words;

pub(super) const TAG: &str = "Server";

words! {
    /// Whether the models of the start are in memory: they are, are being loaded, or the server is being
    /// stopped.
    Readiness: "ready", "loading", "draining";
    /// Always `ok`.
    Ok: "ok";
    /// What a model does: it answers, embeds or ranks.
    Kind: "language", "embedder", "cross_encoder";
    /// How far a model is.
    StageWord: "fetching", "waiting", "loading", "ready", "draining", "failed";
}

/// A text or a chat to be split into tokens; one of the two.
#[derive(ToSchema)]
pub(super) struct TokenizeRequest {
    /// The model's name.
    #[schema(pattern = r"\S", example = "starter")]
    model: String,
    /// The text.
    #[schema(example = "Why is the sky blue?")]
    prompt: Option<String>,
    /// The text, as llama.cpp calls it.
    #[schema(example = "Why is the sky blue?")]
    content: Option<String>,
    /// The chat, which is written in the model's format first.
    #[schema(min_items = 1)]
    messages: Option<Vec<OpenAiMessage>>,
    /// Whether a text has the tokens around it that the model begins and ends texts with.
    #[schema(default = true, example = false)]
    add_special_tokens: Option<bool>,
    /// Whether the tokens' texts are told, too.
    #[schema(default = false, example = true)]
    with_pieces: Option<bool>,
    /// Tools that the chat's model may call.
    tools: Option<Vec<Tool>>,
    #[schema(schema_with = template_variables, required = false)]
    chat_template_kwargs: Option<Value>,
    /// How much to think, for models whose templates know that; `none` is not at all.
    #[schema(example = "low")]
    reasoning_effort: Option<String>,
    /// Whether the last message is left open.
    #[schema(default = false, example = true)]
    continue_final_message: Option<bool>,
    /// Whether the model is told that it is its turn.
    #[schema(example = true)]
    add_generation_prompt: Option<bool>,
}

/// Tokens.
#[derive(ToSchema)]
pub(super) struct TokenizeAnswer {
    /// Their ids.
    #[schema(example = json!([70, 71]))]
    tokens: Vec<TokenId>,
    /// How many there are.
    #[schema(example = 2)]
    count: usize,
    /// Tokens that the model's context holds.
    #[schema(example = 2048)]
    max_model_len: usize,
    /// Their texts.
    #[schema(required = false, example = json!(["Why", " is"]))]
    pieces: Vec<String>,
}

/// Tokens to be turned into text.
#[derive(ToSchema)]
pub(super) struct DetokenizeRequest {
    /// The model's name.
    #[schema(pattern = r"\S", example = "starter")]
    model: String,
    /// Their ids.
    #[schema(example = json!([70, 71]))]
    tokens: Vec<TokenId>,
    /// Whether control tokens are left out.
    #[schema(default = false, example = true)]
    skip_special_tokens: Option<bool>,
}

/// The text of tokens.
#[derive(ToSchema)]
pub(super) struct DetokenizeAnswer {
    /// The text.
    #[schema(example = "Why is")]
    prompt: String,
    /// The same, as llama.cpp calls it.
    #[schema(example = "Why is")]
    content: String,
}

/// A chat to be written in a model's format.
#[derive(ToSchema)]
pub(super) struct RenderRequest {
    /// The model's name.
    #[schema(pattern = r"\S", example = "starter")]
    model: String,
    /// The chat.
    #[schema(min_items = 1)]
    messages: Vec<OpenAiMessage>,
    /// Tools that the chat's model may call.
    tools: Option<Vec<Tool>>,
    #[schema(schema_with = template_variables, required = false)]
    chat_template_kwargs: Option<Value>,
    /// How much to think, for models whose templates know that; `none` is not at all.
    #[schema(example = "low")]
    reasoning_effort: Option<String>,
    /// Whether the last message is left open.
    #[schema(default = false, example = true)]
    continue_final_message: Option<bool>,
    /// Whether the model is told that it is its turn.
    #[schema(example = true)]
    add_generation_prompt: Option<bool>,
}

/// A chat as the model reads it.
#[derive(ToSchema)]
pub(super) struct RenderAnswer {
    /// In words.
    #[schema(example = "user: Why is the sky blue?\nassistant: ")]
    prompt: String,
    /// Its tokens.
    #[schema(example = 12)]
    count: usize,
}

/// That the program answers.
#[derive(ToSchema)]
pub(super) struct Health {
    /// Always `ok`.
    #[schema(inline)]
    status: Ok,
}

/// Whether requests for the models of the start are answered at once.
#[derive(ToSchema)]
pub(super) struct Ready {
    /// Whether they are in memory.
    #[schema(inline)]
    status: Readiness,
}

/// How far a model is.
#[derive(ToSchema)]
pub(super) struct Stage {
    /// Its name.
    #[schema(example = "starter")]
    name: String,
    /// The names that it was asked for by.
    #[schema(example = json!(["starter"]))]
    names: Vec<String>,
    /// What it does.
    #[schema(inline)]
    kind: Kind,
    /// How far it is.
    #[schema(inline)]
    stage: StageWord,
    /// Requests that use it.
    #[schema(example = 0)]
    in_use: usize,
    /// Bytes of memory that it takes.
    #[schema(example = 200000000)]
    memory: usize,
    /// Bytes that are there, while it is fetched or loaded.
    #[schema(required = false, example = 500)]
    bytes: u64,
    /// Of how many; null where that is not known.
    #[schema(required = false, example = 1000)]
    of: Option<u64>,
    /// Why it waits, or could not be loaded.
    #[schema(required = false, example = "it does not fit beside others")]
    why: String,
}

/// The models in memory, on their way there, and those that could not be loaded.
#[derive(ToSchema)]
pub(super) struct Stages {
    /// How far each is.
    models: Vec<Stage>,
}

/// A short name of a model.
#[derive(ToSchema)]
pub(super) struct ShortName {
    /// The name.
    #[schema(example = "starter")]
    name: String,
    /// The repository that it means.
    #[schema(example = "org/name")]
    repo: String,
    /// How many parameters the model has.
    #[schema(example = "135M")]
    parameters: String,
    /// Its licence.
    #[schema(example = "apache-2.0")]
    licence: String,
    /// Whether its terms must be accepted with an account first.
    #[schema(example = false)]
    gated: bool,
}

/// Short names of models that can be fetched.
#[derive(ToSchema)]
pub(super) struct ShortNames {
    /// Whether clients may fetch models.
    #[schema(example = true)]
    may_fetch: bool,
    /// The names.
    models: Vec<ShortName>,
}

/// A document of OpenAPI 3.1.
#[derive(ToSchema)]
pub(super) struct Document {
    /// The version of OpenAPI.
    #[schema(example = "3.1.0")]
    openapi: String,
    /// What this is.
    info: Map<String, Value>,
    /// What there is.
    paths: Map<String, Value>,
    /// What that is made of.
    components: Map<String, Value>,
    /// Which keys there may be.
    security: Vec<Value>,
    /// Which interfaces.
    tags: Vec<Value>,
}

pub(super) fn operations() -> Vec<Described> {
    vec![
        Described::get("/", "root", TAG, "Say that the server is there")
            .about("Programs get Ollama's words, browsers the page.")
            .answers_text(&["text/plain", "text/html"], "Words, or the page.")
            .public(),
        Described::get("/page/{file}", "page", TAG, "A file of the page")
            .parameter("file", "The file's name.", "icon.svg")
            .answers_text(
                &["text/javascript", "text/css", "image/svg+xml", "text/plain"],
                "The file.",
            )
            .fails(&[404])
            .public(),
        Described::get("/openapi.json", "openapi", TAG, "This document")
            .answers::<Document>("This document.")
            .public(),
        Described::get("/health", "health", TAG, "Say that the program answers")
            .answers::<Health>("It does.")
            .public(),
        Described::get("/ready", "ready", TAG, "Say whether the models of the start are loaded")
            .answers::<Ready>("They are.")
            .public()
            .also::<Ready>(503, "They are not yet, or the server is being stopped."),
        Described::get("/metrics", "metrics", TAG, "Counts and times for Prometheus")
            .answers_text(&["text/plain"], "Counts and times."),
        Described::get("/stages", "stages", TAG, "Say how far each model is").answers::<Stages>(
            "The models in memory, on their way there, and those that could not be loaded.",
        ),
        Described::get("/names", "names", TAG, "List short names of models that can be fetched")
            .answers::<ShortNames>("The names."),
        Described::post::<TokenizeRequest>(
            "/tokenize",
            "tokenize",
            TAG,
            "Split a text or a chat into tokens",
        )
        .answers::<TokenizeAnswer>("The tokens.")
        .with_model()
        .notices(),
        Described::post::<DetokenizeRequest>(
            "/detokenize",
            "detokenize",
            TAG,
            "Turn tokens into text",
        )
        .answers::<DetokenizeAnswer>("The text.")
        .with_model(),
        Described::post::<RenderRequest>(
            "/render",
            "render",
            TAG,
            "Write a chat as the model reads it",
        )
        .answers::<RenderAnswer>("The chat.")
        .with_model()
        .notices(),
    ]
}
