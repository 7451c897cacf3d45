//! `POST /v1/messages` and `/v1/messages/count_tokens`

use std::sync::Arc;

use serde_json::json;

use super::answers::{Head, blocks, usage};
use super::events::Events;
use super::request::Asked;
use crate::body;
use crate::call::{Answered, Call};
use crate::fault::Fault;
use crate::stream::{Running, Starting, live, whole};
use crate::tools;

pub(crate) async fn messages(call: &Call) -> Answered {
    let Asked { model, messages, mut options, stream, one_call } = Asked::read(call, true)?;
    let head = Head::new(&model, options.stop.clone().unwrap_or_default());
    let models = Arc::clone(call.models());
    let starting: Starting = Box::pin(async move {
        let limits = Arc::clone(&models);
        let name = model.clone();
        let work = models.language(&model, None, move |model| {
            tools::check(model, &name, &options.render.tools)?;
            let ids = model.chat_ids(&messages, &options.render)?;
            limits.limit(&mut options, model);
            let prompt: Arc<[u32]> = ids.as_slice().into();
            let streams = model.parts_ids(ids, 1, &options);
            let streams = streams.map_err(|error| Fault::from(error).of_prompt("messages"))?;
            Ok((streams, prompt))
        });
        let (lease, (streams, prompt), load) = work.await?;
        Ok(Running { lease, streams, prompts: vec![prompt], load })
    });
    if stream {
        return live(starting, Box::new(Events::new(head, one_call))).await;
    }
    let (_, told) = whole(starting).await?;
    let told = told.first().ok_or_else(Fault::internal)?;
    let ended = head.ended(&told.answer, !told.calls.is_empty());
    Ok(body::json(200, &head.message(&blocks(told, one_call), &ended, &usage(&told.answer))))
}

/// What a prompt takes, without an answer.
pub(crate) async fn count(call: &Call) -> Answered {
    let Asked { model, messages, options, .. } = Asked::read(call, false)?;
    let name = model.clone();
    let work = call.models().language(&model, None, move |model| {
        tools::check(model, &name, &options.render.tools)?;
        Ok(model.chat_ids(&messages, &options.render)?.len())
    });
    let (_, count, _) = work.await?;
    Ok(body::json(200, &json!({"input_tokens": count})))
}
