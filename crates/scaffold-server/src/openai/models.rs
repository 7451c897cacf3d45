//! `GET /v1/models` and `GET /v1/models/{model}`

use std::time::{Duration, SystemTime};

use scaffold::registry::ModelState;
use serde_json::{Value, json};

use crate::body;
use crate::call::{Answered, Call};
use crate::clock;
use crate::models::Listed;
use crate::states::llama::status;

pub(crate) async fn list(call: &Call) -> Answered {
    let models = call.models().list().await?;
    let states = call.models().states();
    let data: Vec<Value> = models.iter().map(|model| of_list(model, &states)).collect();
    let id = |model: Option<&Value>| model.map_or(Value::Null, |model| model["id"].clone());
    let (first, last) = (id(data.first()), id(data.last()));
    Ok(body::json(
        200,
        &json!({"object": "list", "data": data, "has_more": false, "first_id": first, "last_id": last}),
    ))
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
    json!({
        "id": name,
        "object": "model",
        "created": created,
        "owned_by": owner,
        // As Anthropic's clients read a list of models.
        "type": "model",
        "display_name": name,
        "created_at": clock::text(SystemTime::UNIX_EPOCH + Duration::from_secs(created)),
    })
}

fn of_list(model: &Listed, states: &[ModelState]) -> Value {
    let mut object = object(&model.name, clock::seconds(model.modified));
    let is_it = |state: &&ModelState| state.names.contains(&model.name);
    let status = states.iter().find(is_it).map_or("unloaded", |state| status(&state.stage));
    // As llama.cpp's router says it.
    object["status"] = json!({"value": status});
    if model.facts.context > 0 {
        object["max_model_len"] = model.facts.context.into();
    }
    object
}
