//! `GET /v1/models` and `GET /v1/models/{model}`

use serde_json::{Value, json};

use crate::body;
use crate::call::{Answered, Call};
use crate::clock;
use crate::models::Listed;

pub(crate) async fn list(call: &Call) -> Answered {
    let models = call.models().list().await?;
    let data: Vec<Value> = models.iter().map(of_list).collect();
    Ok(body::json(200, &json!({"object": "list", "data": data})))
}

pub(crate) async fn one(call: &Call, name: &str) -> Answered {
    let modified = call.models().find(name).await?;
    Ok(body::json(200, &object(name, clock::seconds(modified))))
}

fn object(name: &str, created: u64) -> Value {
    let owner = match name.split_once('/') {
        Some((owner, _)) if !owner.is_empty() && !owner.starts_with('.') => owner,
        _ => "scaffold",
    };
    json!({"id": name, "object": "model", "created": created, "owned_by": owner})
}

fn of_list(model: &Listed) -> Value {
    let mut object = object(&model.name, clock::seconds(model.modified));
    if model.facts.context > 0 {
        object["max_model_len"] = model.facts.context.into();
    }
    object
}
