//! `GET /stages`: how far each model is that is in memory, comes or goes.

use scaffold::registry::{ModelState, Stage};
use serde_json::{Value, json};

use crate::body::{self, Reply};
use crate::call::Call;

pub(crate) fn stages(call: &Call) -> Reply {
    let models: Vec<Value> = call.models().states().iter().map(of).collect();
    body::json(200, &json!({"models": models}))
}

fn of(model: &ModelState) -> Value {
    let mut value = json!({
        "name": model.name,
        "names": model.names,
        "kind": model.kind,
        "stage": model.stage.name(),
        "in_use": model.leases,
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
