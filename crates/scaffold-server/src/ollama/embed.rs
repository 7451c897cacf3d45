//! `POST /api/embed` and `POST /api/embeddings`

use scaffold::embed::EmbedOptions;
use serde_json::{Value, json};

use super::options::model;
use crate::body;
use crate::call::{Answered, Call};
use crate::clock::nanoseconds;
use crate::fault::{Fault, MOST_TEXTS};
use crate::sampling::keep_alive;

pub(crate) async fn embed(call: &Call) -> Answered {
    let mut fields = call.fields()?;
    let model = model(&mut fields)?;
    let keep = keep_alive(&mut fields)?;
    let texts = fields.texts("input")?.unwrap_or_default();
    Fault::at_most("input", texts.len(), MOST_TEXTS)?;
    let truncate = fields.flag("truncate")?.unwrap_or(true);
    let dimensions = fields.count("dimensions")?.filter(|count| *count > 0);
    if let Some(options) = fields.object("options")? {
        call.ignore(options);
    }
    call.ignore(fields);
    let work = call.models().embedder(&model, keep, move |embedder| {
        let options = EmbedOptions::new()
            .truncate(truncate)
            .normalize(true)
            .dimensions(dimensions)
            .special_as_text(true);
        Ok(embedder.embed_batch(&texts, &options)?)
    });
    let (embeddings, load) = work.await?;
    call.spend(embeddings.tokens);
    let object = json!({
        "model": model,
        "embeddings": embeddings.iter().map(|vector| json!(vector)).collect::<Value>(),
        "total_duration": nanoseconds(call.begun.elapsed()),
        "load_duration": nanoseconds(load),
        "prompt_eval_count": embeddings.tokens,
    });
    Ok(body::json(200, &object))
}

/// The interface of old: one text, and its embedding as the model gives it.
pub(crate) async fn embeddings(call: &Call) -> Answered {
    let mut fields = call.fields()?;
    let model = model(&mut fields)?;
    let keep = keep_alive(&mut fields)?;
    let text = fields.text("prompt")?.unwrap_or_default();
    if let Some(options) = fields.object("options")? {
        call.ignore(options);
    }
    call.ignore(fields);
    if text.is_empty() {
        call.models().embedder(&model, keep, |_| Ok(())).await?;
        return Ok(body::json(200, &json!({"embedding": []})));
    }
    let work = call.models().embedder(&model, keep, move |embedder| {
        let options = EmbedOptions::new().truncate(true).special_as_text(true);
        Ok(embedder.embed_batch(&[text], &options)?)
    });
    let (embeddings, _) = work.await?;
    call.spend(embeddings.tokens);
    Ok(body::json(200, &json!({"embedding": embeddings.iter().next()})))
}
