//! `GET /stages`: how far each model is that is in memory, comes or goes.

use serde_json::{Value, json};

use crate::body::{self, Reply};
use crate::call::Call;
use crate::states::told;

pub(crate) fn stages(call: &Call) -> Reply {
    let models: Vec<Value> = call.models().states().iter().map(told::of).collect();
    body::json(200, &json!({"models": models}))
}
