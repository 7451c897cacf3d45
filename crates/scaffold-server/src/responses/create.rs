//! `POST /v1/responses`

use super::events::Events;
use super::output::{items, status, usage};
use super::request::Asked;
use crate::body;
use crate::call::{Answered, Call};
use crate::fault::Fault;
use crate::sampling;
use crate::stream::{live, of_chat, whole};

pub(crate) async fn create(call: &Call) -> Answered {
    let Asked { model, messages, options, stream, head, keeping } = Asked::read(call)?;
    let starting = of_chat(call, &model, None, messages, options, 1, "input");
    if stream {
        return live(starting, Box::new(Events::new(head, keeping))).await;
    }
    let (_, told) = whole(starting).await?;
    let told = told.first().ok_or_else(Fault::internal)?;
    let used = usage(&told.answer, told.thought_tokens);
    let mut response = head.response(status(&told.answer), &items(&head, told), &used);
    sampling::add_thoughts(&mut response, told.thoughts_cut);
    if let Some(keeping) = keeping {
        keeping.keep(&response);
    }
    Ok(body::json(200, &response))
}
