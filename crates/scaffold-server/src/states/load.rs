//! `POST /v1/load`, `/v1/unload`, and `/models/load`, `/models/unload` as llama.cpp's clients know
//! them.

use std::sync::Arc;

use scaffold::registry::KeepAlive;
use serde_json::json;

use super::told;
use super::watching::{Watching, Words};
use crate::body::{self, Body, reply};
use crate::call::{Answered, Call};
use crate::fields::Fields;
use crate::models::{Loaded, Named};
use crate::openai::sse::{self, CONTENT_TYPE};
use crate::race::{First, first};
use crate::sampling;

/// What both of them ask.
fn read(fields: &mut Fields) -> Result<(String, Option<KeepAlive>), crate::fault::Fault> {
    Ok((fields.needed("model")?, sampling::keep_alive(fields)?))
}

/// Loads a model, and answers when it is there, or tells how far it is.
pub(crate) async fn load(call: &Call) -> Answered {
    let mut fields = call.fields()?;
    let (model, keep) = read(&mut fields)?;
    let stream = fields.flag("stream")?.unwrap_or(false);
    call.ignore(fields);
    let named = call.models().named(&model).await?;
    if stream {
        return Ok(progress(call, named, keep));
    }
    let loaded = call.models().load(&named, keep).await?;
    Ok(body::json(200, &told(call, &named, &loaded)))
}

fn told(call: &Call, named: &Named, loaded: &Loaded) -> serde_json::Value {
    let state = call.models().states().into_iter().find(|model| named.is(model));
    let mut value = state.as_ref().map_or_else(|| json!({}), told::of);
    value["success"] = true.into();
    value["load_seconds"] = loaded.time.as_secs_f64().into();
    value
}

/// Tells how far the load is, until it is over. Whoever leaves ends it, unless others wait, too.
fn progress(call: &Call, named: Named, keep: Option<KeepAlive>) -> body::Reply {
    let which = named.clone();
    let (mut watching, telling) =
        Watching::new(&call.shared, Words::Own, Box::new(move |model| which.is(model)));
    let models = Arc::clone(call.models());
    let listener = watching.sender.clone();
    tokio::spawn(async move {
        let telling = async { while watching.tell().await && watching.wait().await {} };
        let loading = models.load(&named, keep);
        let First::One(loaded) = first(loading, first(telling, listener.closed())).await else {
            return;
        };
        let mut out = Vec::new();
        if let Err(fault) = loaded {
            sse::failed(&fault, &mut out);
        }
        sse::done(&mut out);
        // Once more, so that the last state is there in any case.
        let _ = watching.tell().await && watching.send(out).await;
    });
    reply(200, CONTENT_TYPE, Body::Source(Box::new(telling)))
}

/// Begins to load a model, and waits for nothing.
pub(crate) async fn begin(call: &Call) -> Answered {
    let mut fields = call.fields()?;
    let (model, keep) = read(&mut fields)?;
    call.ignore(fields);
    let named = call.models().named(&model).await?;
    let models = Arc::clone(call.models());
    tokio::spawn(async move {
        if let Err(fault) = models.load(&named, keep).await {
            tracing::warn!(target: "scaffold::server", error = fault.message, "a model was not loaded");
        }
    });
    Ok(body::json(200, &json!({"success": true})))
}

/// Lets a model go: at once, or when its answers at hand are complete. One that comes does not.
pub(crate) async fn unload(call: &Call) -> Answered {
    let mut fields = call.fields()?;
    let model = fields.needed("model")?;
    call.ignore(fields);
    let named = call.models().named(&model).await?;
    call.models().unload(&named).await?;
    let state = call.models().states().into_iter().find(|model| named.is(model));
    let stage = state.as_ref().map_or("unloaded", |model| model.stage.name());
    Ok(body::json(200, &json!({"success": true, "name": model, "stage": stage})))
}
