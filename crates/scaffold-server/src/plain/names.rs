//! `GET /names`: short names of models that can be fetched.

use scaffold::aliases::{self, Alias};
use serde_json::{Value, json};

use crate::body::{self, Reply};
use crate::call::Call;

pub(crate) fn names(call: &Call) -> Reply {
    let models: Vec<Value> = aliases::all().iter().map(of).collect();
    body::json(200, &json!({"may_fetch": call.models().may_fetch(), "models": models}))
}

fn of(alias: &Alias) -> Value {
    // The shortest way to write it that means no other.
    let name = match alias.tags.first() {
        Some(tag) if !alias.is_latest() => format!("{}:{tag}", alias.name),
        _ => alias.name.clone(),
    };
    json!({
        "name": name,
        "repo": alias.repo,
        "parameters": alias.parameters,
        "licence": alias.licence,
        "gated": alias.gated,
    })
}
