//! The interface of Ollama.

mod asked;
mod made;
mod told;

use utoipa::openapi::HttpMethod;

use super::describe::{Described, Fields};
use asked::{
    OllamaChatRequest, OllamaDeleteRequest, OllamaEmbedRequest, OllamaEmbeddingsRequest,
    OllamaGenerateRequest, OllamaPullRequest, OllamaShowRequest,
};
use told::{
    OllamaChatAnswer, OllamaChatLine, OllamaEmbedAnswer, OllamaEmbeddingsAnswer,
    OllamaGenerateAnswer, OllamaGenerateLine, OllamaProgress, OllamaPs, OllamaPullLine,
    OllamaShown, OllamaTags, OllamaVersion,
};

pub(super) const TAG: &str = "Ollama";

/// What chats and prompts refuse, and what changes nothing in them.
const REFUSED: Fields = &[("images", r#"["aGk="]"#)];
const IGNORED: Fields = &[
    ("truncate", "true"),
    ("shift", "true"),
    ("options.num_ctx", "4096"),
    ("options.num_keep", "4"),
    ("options.num_batch", "512"),
    ("options.num_gpu", "1"),
    ("options.main_gpu", "0"),
    ("options.use_mmap", "true"),
    ("options.num_thread", "4"),
    ("options.mirostat", "1"),
    ("options.mirostat_tau", "5"),
    ("options.mirostat_eta", "0.1"),
    ("options.penalize_newline", "true"),
    ("options.numa", "true"),
];

pub(super) fn operations() -> Vec<Described> {
    let mut operations = vec![
        Described::post::<OllamaChatRequest>("/api/chat", "ollamaChat", TAG, "Go on with a chat")
            .about("Answers in lines of JSON, unless `stream` is false.")
            .answers::<OllamaChatAnswer>("The answer, or its lines.")
            .lines::<OllamaChatLine>()
            .with_model()
            .notices()
            .refuses(REFUSED)
            .refuses(&[("messages[0].images", r#"["aGk="]"#)])
            .ignores(IGNORED),
        Described::post::<OllamaGenerateRequest>("/api/generate", "ollamaGenerate", TAG, "Answer a prompt")
            .about("Answers in lines of JSON, unless `stream` is false.")
            .answers::<OllamaGenerateAnswer>("The answer, or its lines.")
            .lines::<OllamaGenerateLine>()
            .with_model()
            .notices()
            .refuses(REFUSED)
            .refuses(&[("template", r#""{{ .Prompt }}""#)])
            .ignores(IGNORED),
        Described::post::<OllamaEmbedRequest>("/api/embed", "ollamaEmbed", TAG, "Embed texts")
            .answers::<OllamaEmbedAnswer>("The embeddings, each of length 1.")
            .with_model()
            .ignores(&[("options.num_ctx", "4096")]),
        Described::post::<OllamaEmbeddingsRequest>("/api/embeddings", "ollamaEmbeddings", TAG, "Embed a text")
            .about("The interface of old: `/api/embed` takes several texts.")
            .answers::<OllamaEmbeddingsAnswer>("The embedding as the model gives it.")
            .with_model()
            .ignores(&[("options.num_ctx", "4096")]),
        Described::get("/api/tags", "ollamaTags", TAG, "List the models on this disk")
            .answers::<OllamaTags>("The models on this disk."),
        Described::post::<OllamaShowRequest>("/api/show", "ollamaShow", TAG, "Say what a model is")
            .answers::<OllamaShown>("What it is.")
            .fails(&[404]),
        Described::get("/api/ps", "ollamaPs", TAG, "List the models in memory")
            .answers::<OllamaPs>("The models in memory."),
        Described::post::<OllamaPullRequest>("/api/pull", "ollamaPull", TAG, "Fetch a model")
            .about("Tells in lines of JSON how far it is, unless `stream` is false. What goes wrong is told in the lines, too.")
            .answers::<OllamaProgress>("It is here, or the lines of its coming.")
            .lines::<OllamaPullLine>()
            .fails(&[404])
            .ignores(&[("insecure", "true")]),
        Described::delete::<OllamaDeleteRequest>("/api/delete", "ollamaDelete", TAG, "Remove a model")
            .about("From the disk and from memory; programs on the server's own machine alone may ask for it. Of a model of one's own its name, and files that were brought for no other one.")
            .answers_nothing("It is gone.")
            .fails(&[404]),
        Described::get("/api/version", "ollamaVersion", TAG, "Say which version this is")
            .answers::<OllamaVersion>("The versions.")
            .public(),
        absent(HttpMethod::Post, "/api/push", "ollamaPush"),
        absent(HttpMethod::Post, "/api/me", "ollamaMe"),
        absent(HttpMethod::Post, "/api/signout", "ollamaSignout"),
        absent(HttpMethod::Get, "/api/status", "ollamaStatus"),
    ];
    operations.extend(made::operations());
    operations
}

/// What Ollama has at a path and this server has not.
fn absent(method: HttpMethod, path: &'static str, id: &'static str) -> Described {
    Described::absent(method, path, id, TAG)
        .about("Ollama has this path, this server has not: it says why.")
        .fails(&[400, 408, 413])
}
