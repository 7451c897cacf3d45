//! States of models in the words of llama.cpp's router.

use scaffold::registry::{ModelState, Stage};
use serde_json::{Value, json};

/// Its word for how far a model is.
pub(crate) fn status(stage: &Stage) -> &'static str {
    match stage {
        Stage::Fetching { of: 1.., .. } => "downloading",
        Stage::Fetching { .. } | Stage::Waiting(_) | Stage::Loading { .. } => "loading",
        // It is in memory until it has gone.
        Stage::Ready { .. } | Stage::Draining => "loaded",
        _ => "unloaded",
    }
}

/// An event of `GET /models/sse`.
pub(super) fn event(model: &ModelState) -> Value {
    if let Stage::Fetching { bytes, of: of @ 1.. } = model.stage {
        let progress = json!({&model.name: {"done": bytes, "total": of}});
        return json!({"model": model.name, "event": "download_progress", "data": progress});
    }
    let mut data = json!({"status": status(&model.stage)});
    match &model.stage {
        Stage::Loading { bytes, of: of @ 1.. } => {
            let value = (*bytes as f64 / *of as f64).min(1.0);
            data["progress"] =
                json!({"stages": ["text_model"], "current": "text_model", "value": value});
        }
        Stage::Failed { .. } => {
            data["failed"] = true.into();
            data["exit_code"] = 1.into();
        }
        _ => {}
    }
    json!({"model": model.name, "event": "model_status", "data": data})
}

/// The event of a model that has gone.
pub(super) fn unloaded(model: &ModelState) -> Value {
    json!({"model": model.name, "event": "model_status", "data": {"status": "unloaded"}})
}
