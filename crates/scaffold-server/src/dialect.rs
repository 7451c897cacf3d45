//! The ways of speaking, as far as errors are concerned: each has its own shape for them.

use serde_json::{Value, json};

use crate::fault::Fault;

/// Whose shape errors have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// `/api/…` of Ollama.
    Ollama,
    /// `/v1/…` of OpenAI, and what has no shape of its own.
    OpenAi,
    /// `/v1/messages` of Anthropic.
    Anthropic,
    /// `/embed` and, with `texts`, `/rerank` of text-embeddings-inference.
    Tei,
}

impl Dialect {
    /// The one that is spoken at a path, also where nothing is there.
    pub(crate) fn of(path: &str) -> Self {
        if path == "/" || path == "/api" || path.starts_with("/api/") {
            Dialect::Ollama
        } else if path == "/v1/messages" || path.starts_with("/v1/messages/") {
            Dialect::Anthropic
        } else if path == "/embed" {
            Dialect::Tei
        } else {
            Dialect::OpenAi
        }
    }

    /// An error in its shape.
    pub(crate) fn error(self, fault: &Fault) -> Value {
        match self {
            Dialect::Ollama => json!({"error": fault.message}),
            Dialect::OpenAi => json!({"error": {
                "message": fault.message,
                "type": fault.type_name(),
                "param": fault.param,
                "code": fault.code,
            }}),
            Dialect::Anthropic => {
                let mut error = json!({"type": fault.type_name(), "message": fault.message});
                // By this its client goes on without what is not there.
                if let Some(code) = fault.code {
                    let fields: Vec<&String> = fault.param.iter().collect();
                    error["details"] = json!({"error_code": code, "unsupported": fields});
                }
                json!({"type": "error", "error": error})
            }
            Dialect::Tei => {
                let kind = match fault.status {
                    429 | 503 => "Overloaded",
                    400..500 => "Validation",
                    _ => "Backend",
                };
                json!({"error": fault.message, "error_type": kind})
            }
        }
    }
}
