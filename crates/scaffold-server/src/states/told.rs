//! A model's state in JSON.

use scaffold::registry::{ModelState, Stage};
use serde_json::{Value, json};

/// A model as it is now.
pub(crate) fn of(model: &ModelState) -> Value {
    let mut value = steady(model);
    value["in_use"] = model.leases.into();
    value
}

/// What does not change with each request for the model.
pub(super) fn steady(model: &ModelState) -> Value {
    let mut value = json!({
        "name": model.name,
        "names": model.names,
        "kind": model.kind,
        "stage": model.stage.name(),
        "memory": model.memory,
    });
    match &model.stage {
        Stage::Fetching { bytes, of } | Stage::Loading { bytes, of } => {
            value["bytes"] = (*bytes).into();
            value["of"] = (*of).into();
        }
        Stage::Waiting(Some(why)) | Stage::Failed { why, .. } => {
            value["why"] = why.to_string().into();
        }
        _ => {}
    }
    value
}

/// A model that is in memory no more.
pub(super) fn unloaded(model: &ModelState) -> Value {
    json!({
        "name": model.name,
        "names": model.names,
        "kind": model.kind,
        "stage": "unloaded",
        "memory": 0,
    })
}
