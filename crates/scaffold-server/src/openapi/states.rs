//! Models that are loaded and let go on request, and streams of their states.

use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::describe::Described;
use super::errors::OpenAiError;
use super::own::{Kind, StageWord, TAG};
use super::shared::KeepAlive;
use super::words::words;

words! {
    /// How far a model is; `unloaded` is in memory no more.
    StateWord: "fetching", "waiting", "loading", "ready", "draining", "failed", "unloaded";
    /// What is told: how a model is, or how far its download.
    LlamaEventWord: "model_status", "download_progress";
}

/// A model to be loaded.
#[derive(ToSchema)]
pub(super) struct LoadRequest {
    /// The model's name.
    #[schema(pattern = r"\S", example = "starter")]
    model: String,
    /// How long it stays in memory.
    keep_alive: Option<KeepAlive>,
    /// Whether it is told in events how far it is.
    #[schema(default = false, example = true)]
    stream: Option<bool>,
}

/// A model to be loaded, for which nobody waits.
#[derive(ToSchema)]
pub(super) struct BeginLoadRequest {
    /// The model's name.
    #[schema(pattern = r"\S", example = "starter")]
    model: String,
    /// How long it stays in memory.
    keep_alive: Option<KeepAlive>,
}

/// A model to be let go.
#[derive(ToSchema)]
pub(super) struct UnloadRequest {
    /// The model's name.
    #[schema(pattern = r"\S", example = "starter")]
    model: String,
}

/// A model that was loaded. How it is stands there unless it has gone again by then.
#[derive(ToSchema)]
pub(super) struct LoadAnswer {
    /// Always true.
    #[schema(example = true)]
    success: bool,
    /// Seconds that it took; next to nothing where it was there.
    #[schema(example = 0.8)]
    load_seconds: f64,
    /// Its name.
    #[schema(required = false, example = "starter")]
    name: String,
    /// The names that it was asked for by.
    #[schema(required = false, example = json!(["starter"]))]
    names: Vec<String>,
    /// What it does.
    #[schema(required = false, inline)]
    kind: Kind,
    /// How far it is.
    #[schema(required = false, inline)]
    stage: StageWord,
    /// Requests that use it.
    #[schema(required = false, example = 0)]
    in_use: usize,
    /// Bytes of memory that it takes.
    #[schema(required = false, example = 200000000)]
    memory: usize,
}

/// That a load was begun.
#[derive(ToSchema)]
pub(super) struct LoadBegun {
    /// Always true.
    #[schema(example = true)]
    success: bool,
}

/// A model that was let go.
#[derive(ToSchema)]
pub(super) struct UnloadAnswer {
    /// Always true.
    #[schema(example = true)]
    success: bool,
    /// Its name, as it was asked for.
    #[schema(example = "starter")]
    name: String,
    /// `unloaded`, or how it is while others use it.
    #[schema(inline)]
    stage: StateWord,
}

/// How a model is by now.
#[derive(ToSchema)]
pub(super) struct ModelState {
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
    stage: StateWord,
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

/// The data of an event of a load; the last one is `[DONE]`, which is no JSON.
#[derive(ToSchema)]
#[serde(untagged)]
pub(super) enum LoadEvent {
    /// How the model is by now.
    State(ModelState),
    /// Why it was not loaded.
    Failed(OpenAiError),
}

/// How a model is, in the words of llama.cpp's router.
#[derive(ToSchema)]
pub(super) struct LlamaEvent {
    /// Its name.
    #[schema(example = "starter")]
    model: String,
    /// What is told of it.
    #[schema(inline)]
    event: LlamaEventWord,
    /// How it is: `status` is `loading` (with `progress`), `downloading`, `loaded` or `unloaded` (after a failure with `failed`). Of a download, `done` and `total` in bytes, by the model's name.
    #[schema(example = json!({"status": "loaded"}))]
    data: Map<String, Value>,
}

pub(super) fn operations() -> Vec<Described> {
    let unload = Described::post::<UnloadRequest>("/v1/unload", "unload", TAG, "Let a model go")
        .about("At once, or when its answers at hand are complete.")
        .answers::<UnloadAnswer>("It goes.")
        .fails(&[404]);
    vec![
        Described::post::<LoadRequest>("/v1/load", "load", TAG, "Load a model")
            .about("As what it is, and answers when it is there; in server-sent events where `stream` is true.")
            .answers::<LoadAnswer>("It is there, or events of its coming.")
            .events::<LoadEvent>(Some("[DONE]"))
            .with_model(),
        Described::post::<BeginLoadRequest>("/models/load", "beginLoad", TAG, "Begin to load a model")
            .about("As llama.cpp's router: nothing is waited for, and what goes wrong is told by `/models/sse`.")
            .answers::<LoadBegun>("It was begun.")
            .fails(&[404]),
        unload.at("/models/unload", "unloadShort"),
        unload,
        Described::get("/v1/models/events", "modelEvents", TAG, "Tell states of models as they change")
            .about("It ends when the client leaves or the server stops. What changes very fast is passed over.")
            .answers_events::<ModelState>("The states as they are, and then each that changes.", Some("[DONE]"))
            .fails(&[429]),
        Described::get("/models/sse", "llamaModelEvents", TAG, "Tell states of models as llama.cpp's router does")
            .about("It ends when the client leaves or the server stops. What changes very fast is passed over.")
            .answers_events::<LlamaEvent>("The states as they are, and then each that changes.", Some("[DONE]"))
            .fails(&[429]),
    ]
}
