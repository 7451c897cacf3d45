//! `GET /api/version`, `/api/tags`, `/api/ps`

use std::path::Path;
use std::time::{Duration, SystemTime};

use scaffold::made::MadeStore;
use scaffold::registry::{KeepAlive, ModelState, Stage};
use serde_json::{Value, json};

use crate::body::{self, Reply};
use crate::call::{Answered, Call};
use crate::clock;
use crate::models::Facts;

/// The version of Ollama whose interface this is: clients refuse one that is older than they need,
/// and take nothing but three numbers.
const AS_OLLAMA: &str = "0.30.0";

pub(crate) fn version() -> Reply {
    let own = env!("CARGO_PKG_VERSION");
    body::json(200, &json!({"version": AS_OLLAMA, "scaffold": own}))
}

pub(crate) async fn tags(call: &Call) -> Answered {
    let models = call.models().list().await?;
    let entry = |model: &crate::models::Listed| {
        json!({
            "name": model.name,
            "model": model.name,
            "modified_at": clock::text(model.modified),
            "size": model.bytes,
            "digest": model.digest,
            "details": details_from(&model.facts, model.format, model.from.as_deref()),
            "capabilities": model.facts.capabilities,
        })
    };
    Ok(body::json(200, &json!({"models": models.iter().map(entry).collect::<Value>()})))
}

/// [`details`] with what a model of one's own is made from.
pub(super) fn details_from(facts: &Facts, format: &str, from: Option<&str>) -> Value {
    let mut details = details(facts, format);
    details["parent_model"] = from.unwrap_or_default().into();
    details
}

/// What lists say of a model: no text is ever missing, which would empty the list of some clients.
pub(super) fn details(facts: &Facts, format: &str) -> Value {
    let mut details = json!({
        "parent_model": "",
        "format": format,
        "family": facts.family,
        "families": [facts.family],
        "parameter_size": parameter_size(facts.parameters),
        "quantization_level": facts.quantization,
    });
    if facts.context > 0 {
        details["context_length"] = facts.context.into();
        details["embedding_length"] = facts.width.into();
    }
    details
}

/// `134.5M`, `7.2B`.
fn parameter_size(count: u64) -> String {
    match count {
        1_000_000_000.. => format!("{:.1}B", count as f64 / 1e9),
        1_000_000.. => format!("{:.1}M", count as f64 / 1e6),
        _ => format!("{:.1}K", count as f64 / 1e3),
    }
}

pub(crate) fn ps(call: &Call) -> Reply {
    let states = call.models().states();
    let own = call.models().made().ok();
    let own = own.as_ref().map(MadeStore::dir);
    let loaded = states.iter().flat_map(|model| all_loaded(model, own));
    let mut ready: Vec<(SystemTime, Value)> = loaded.collect();
    ready.sort_by_key(|(expires, _)| std::cmp::Reverse(*expires));
    let models: Vec<Value> = ready.into_iter().map(|(_, model)| model).collect();
    body::json(200, &json!({"models": models}))
}

/// A model, and the models of one's own that were asked for and share its memory. Of one that is made
/// of files, in the directory `own`, nobody knows another name.
fn all_loaded(model: &ModelState, own: Option<&Path>) -> Vec<(SystemTime, Value)> {
    // The name that clients asked by is the one that they know it by.
    let name = model.names.first().unwrap_or(&model.name);
    let is_own = own.is_some_and(|own| Path::new(name).starts_with(own));
    let known = Some(name).filter(|_| !is_own || model.made.is_empty());
    let names = known.into_iter().chain(&model.made);
    names.filter_map(|name| loaded(model, name)).collect()
}

fn loaded(model: &ModelState, name: &str) -> Option<(SystemTime, Value)> {
    /// What stays for ever goes in a hundred years.
    const LONG: Duration = Duration::from_hours(24 * 365 * 100);
    let Stage::Ready { last_used, expires, .. } = model.stage else {
        return None;
    };
    let from = if model.leases > 0 { SystemTime::now() } else { last_used };
    let expires = match (expires, model.keep_alive) {
        (Some(time), _) => time,
        (None, KeepAlive::For(time)) if !model.pinned => from + time.min(LONG),
        _ => from + LONG,
    };
    let facts = model.facts.clone().unwrap_or_default();
    let shown = Facts {
        family: facts.family,
        parameters: facts.parameters,
        quantization: facts.quantization,
        ..Facts::default()
    };
    let value = json!({
        "name": name,
        "model": name,
        "size": model.memory,
        "digest": crate::models::digest(name, "", model.memory as u64),
        "details": details(&shown, ""),
        "expires_at": clock::text(expires),
        "size_vram": 0,
        "context_length": if facts.context > 0 { facts.context } else { facts.model_context },
    });
    Some((expires, value))
}

#[cfg(test)]
mod tests {
    use super::parameter_size;

    #[test]
    fn sizes_are_told_as_ollama_tells_them() {
        let sizes = [7_241_732_096, 134_515_008, 33_000].map(parameter_size);
        assert_eq!(sizes, ["7.2B", "134.5M", "33.0K"]);
    }
}
