//! `GET /health` and `GET /ready`

use serde_json::json;

use crate::body::{self, Reply};
use crate::call::Call;

/// The process answers.
pub(crate) fn health() -> Reply {
    body::json(200, &json!({"status": "ok"}))
}

/// The models of the start are in memory, and requests are taken.
pub(crate) fn ready(call: &Call) -> Reply {
    let (status, word) = if call.shared.watched.is_draining() {
        (503, "draining")
    } else if call.models().are_preloaded() {
        (200, "ready")
    } else {
        (503, "loading")
    };
    body::json(status, &json!({"status": word}))
}
