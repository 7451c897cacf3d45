//! Errors: their shapes and their statuses.

use utoipa::ToSchema;
use utoipa::openapi::{Content, Ref, RefOr, Response};

use super::schemas::{Schemas, named};
use crate::dialect::Dialect;

/// An error as Ollama's clients read it.
#[derive(ToSchema)]
pub(super) struct OllamaError {
    /// What happened, and what to do.
    #[schema(example = "model 'org/name' not found, try pulling it first")]
    error: String,
}

/// An error as OpenAI's clients read it.
#[derive(ToSchema)]
pub(super) struct OpenAiError {
    /// What went wrong.
    error: OpenAiErrorObject,
}

/// What went wrong.
#[derive(ToSchema)]
pub(super) struct OpenAiErrorObject {
    /// What happened, and what to do.
    #[schema(example = "temperature is -1: accepted is a number, 0 or more")]
    message: String,
    /// Its kind, which follows from the status.
    #[schema(example = "invalid_request_error")]
    r#type: String,
    /// The field of the request.
    #[schema(required = true, example = "temperature")]
    param: Option<String>,
    /// What programs decide by, such as `model_not_found` and `context_length_exceeded`.
    #[schema(required = true, example = "model_not_found")]
    code: Option<String>,
}

/// An error as Anthropic's clients read it.
#[derive(ToSchema)]
pub(super) struct AnthropicError {
    /// Always `error`.
    #[schema(pattern = "^error$", example = "error")]
    r#type: String,
    /// What went wrong.
    error: AnthropicErrorObject,
}

/// What went wrong.
#[derive(ToSchema)]
pub(super) struct AnthropicErrorObject {
    /// Its kind, which follows from the status.
    #[schema(example = "invalid_request_error")]
    r#type: String,
    /// What happened, and what to do.
    #[schema(example = "max_tokens is required")]
    message: String,
    /// What programs decide by, where there is a word for it.
    details: Option<AnthropicErrorDetails>,
}

/// What programs decide by.
#[derive(ToSchema)]
pub(super) struct AnthropicErrorDetails {
    /// The word.
    #[schema(example = "thread_unsupported_request")]
    error_code: String,
    /// The fields that it is about.
    #[schema(example = json!(["thread"]))]
    unsupported: Vec<String>,
}

/// An error as clients of text-embeddings-inference read it.
#[derive(ToSchema)]
pub(super) struct TeiError {
    /// What happened, and what to do.
    #[schema(example = "inputs is required")]
    error: String,
    /// Its kind: `Validation`, `Overloaded` or `Backend`.
    #[schema(example = "Validation")]
    error_type: String,
}

/// An error of a ranking: its shape goes by that of the request.
#[derive(ToSchema)]
#[serde(untagged)]
pub(super) enum RerankError {
    /// To `documents`, and before the request was read.
    Documents(OpenAiError),
    /// To `texts`.
    Texts(TeiError),
}

/// Whose shape errors have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Ollama,
    OpenAi,
    Anthropic,
    Tei,
    /// OpenAI's or that of text-embeddings-inference.
    Rerank,
}

impl Shape {
    /// The one of a path.
    pub(super) fn of(path: &str) -> Self {
        match Dialect::of(path) {
            Dialect::Ollama => Shape::Ollama,
            Dialect::OpenAi => Shape::OpenAi,
            Dialect::Anthropic => Shape::Anthropic,
            Dialect::Tei => Shape::Tei,
        }
    }

    /// The name of an answer with this status.
    pub(super) fn response(self, status: u16) -> String {
        format!("{self:?}{status}")
    }

    fn schema(self, schemas: &mut Schemas) -> Ref {
        match self {
            Shape::Ollama => named::<OllamaError>(schemas),
            Shape::OpenAi => named::<OpenAiError>(schemas),
            Shape::Anthropic => named::<AnthropicError>(schemas),
            Shape::Tei => named::<TeiError>(schemas),
            Shape::Rerank => named::<RerankError>(schemas),
        }
    }

    /// The answer with this status.
    pub(super) fn failure(self, status: u16, schemas: &mut Schemas) -> Response {
        let mut answer = Response::new(meaning(status));
        let content = Content::new(Some(self.schema(schemas)));
        answer.content.insert("application/json".to_owned(), RefOr::T(content));
        if matches!(status, 429 | 503) {
            let header = RefOr::Ref(Ref::new("#/components/headers/retry-after"));
            answer.headers.insert("retry-after".to_owned(), header);
        }
        answer
    }
}

/// What a status means here.
fn meaning(status: u16) -> &'static str {
    match status {
        400 => {
            "The request says something that it cannot say, or asks for something that is not done."
        }
        401 => "No key, or one that is not of the server's.",
        403 => "This web page, host or client may not ask for that.",
        404 => "The model, the file or the response is not here.",
        408 => "The body did not come in time.",
        413 => "The body is too long.",
        429 => "Too many requests wait, or the client has had what it may.",
        499 => "It was stopped on request.",
        507 => "There is no room on the disk for the file.",
        503 => {
            "The model is being loaded or does not fit beside others, or the server is being stopped."
        }
        _ => "A fault of the server's, or of a model's files.",
    }
}
