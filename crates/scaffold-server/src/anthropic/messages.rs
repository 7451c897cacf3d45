//! `POST /v1/messages` and `/v1/messages/count_tokens`

use serde_json::json;

use super::answers::{Head, blocks, usage};
use super::events::Events;
use super::request::Asked;
use crate::body;
use crate::call::{Answered, Call};
use crate::fault::Fault;
use crate::sampling;
use crate::stream::{live, of_chat, whole};
use crate::tools;

pub(crate) async fn messages(call: &Call) -> Answered {
    let Asked { model, messages, options, stream, one_call } = Asked::read(call, true)?;
    let head = Head::new(&model, options.stop.clone().unwrap_or_default());
    let starting = of_chat(call, &model, None, messages, options, 1, "messages");
    if stream {
        return live(starting, Box::new(Events::new(head, one_call))).await;
    }
    let (_, told) = whole(starting).await?;
    let told = told.first().ok_or_else(Fault::internal)?;
    let mut ended = head.ended(&told.answer, !told.calls.is_empty());
    sampling::add_thoughts(&mut ended, told.thoughts_cut);
    Ok(body::json(200, &head.message(&blocks(told, one_call), &ended, &usage(&told.answer))))
}

/// What a prompt takes, without an answer.
pub(crate) async fn count(call: &Call) -> Answered {
    let Asked { model, messages, mut options, .. } = Asked::read(call, false)?;
    let notices = call.notices.clone();
    let work = call.models().language(&model, None, move |model| {
        tools::prepare(model, &mut options.render, &notices)?;
        Ok(model.chat_ids(&messages, &options.render)?.len())
    });
    let (_, count, _) = work.await?;
    Ok(body::json(200, &json!({"input_tokens": count})))
}
