//! The interface of OpenAI.

mod asked;
mod told;

use super::describe::{Described, Fields};
pub(super) use asked::OpenAiMessage;
use asked::{OpenAiChatRequest, OpenAiCompletionRequest, OpenAiEmbeddingRequest};
use told::{
    OpenAiChatAnswer, OpenAiChatEvent, OpenAiCompletionAnswer, OpenAiCompletionEvent,
    OpenAiEmbeddingAnswer, OpenAiModel, OpenAiModels,
};

pub(super) const TAG: &str = "OpenAI";

/// What chats and completions refuse, and what changes nothing in them.
const REFUSED: Fields = &[
    ("functions", r#"[{"name": "f"}]"#),
    ("function_call", r#"{"name": "f"}"#),
    ("modalities", r#"["audio"]"#),
    ("audio", r#"{"voice": "alloy"}"#),
    ("web_search_options", r#"{"search_context_size": "low"}"#),
    ("chat_template", r#""{{ messages }}""#),
    ("prompt_logprobs", "1"),
    ("truncate_prompt_tokens", "1"),
    ("structured_outputs.structural_tag", r#""<a>""#),
];
const IGNORED: Fields = &[
    ("user", r#""somebody""#),
    ("metadata", r#"{"task": "test"}"#),
    ("store", "true"),
    ("service_tier", r#""auto""#),
    ("verbosity", r#""low""#),
    ("prediction", r#"{"type": "content", "content": "a"}"#),
    ("stream_options.include_obfuscation", "true"),
];

pub(super) fn operations() -> Vec<Described> {
    let chat = Described::post::<OpenAiChatRequest>(
        "/v1/chat/completions",
        "openaiChat",
        TAG,
        "Go on with a chat",
    )
    .about("Answers in server-sent events where `stream` is true.")
    .answers::<OpenAiChatAnswer>("The answers, or events of their coming.")
    .events::<OpenAiChatEvent>(Some("[DONE]"))
    .with_model()
    .notices()
    .refuses(REFUSED)
    .refuses(&[(
        "messages[0].content[0]",
        r#"{"type": "image_url", "image_url": {"url": "data:,"}}"#,
    )])
    .ignores(IGNORED);
    let completions = Described::post::<OpenAiCompletionRequest>(
        "/v1/completions",
        "openaiCompletions",
        TAG,
        "Continue prompts as they are",
    )
    .about("Answers in server-sent events where `stream` is true.")
    .answers::<OpenAiCompletionAnswer>("What comes after the prompts, or events of its coming.")
    .events::<OpenAiCompletionEvent>(Some("[DONE]"))
    .with_model()
    .refuses(REFUSED)
    .ignores(IGNORED);
    let embeddings = Described::post::<OpenAiEmbeddingRequest>(
        "/v1/embeddings",
        "openaiEmbeddings",
        TAG,
        "Embed texts",
    )
    .answers::<OpenAiEmbeddingAnswer>("The embeddings, each of length 1.")
    .with_model()
    .ignores(&[("user", r#""somebody""#)]);
    let models = Described::get("/v1/models", "openaiModels", TAG, "List the models on this disk")
        .about("It is a list for clients of Anthropic, too.")
        .answers::<OpenAiModels>("The models on this disk.");
    let model =
        Described::get("/v1/models/{model}", "openaiModel", TAG, "Say that a model is here")
            .about("Slashes in the name may be written as they are.")
            .parameter("model", "The model's name.", "starter")
            .answers::<OpenAiModel>("The model.")
            .fails(&[400, 404]);
    vec![
        chat.at("/chat/completions", "openaiChatShort"),
        embeddings.at("/embeddings", "openaiEmbeddingsShort"),
        models.at("/models", "openaiModelsShort"),
        chat,
        completions,
        embeddings,
        models,
        model,
    ]
}
