//! `POST /v1/responses`

use std::sync::Arc;

use super::events::Events;
use super::output::{items, status};
use super::request::Asked;
use crate::body;
use crate::call::{Answered, Call};
use crate::fault::Fault;
use crate::stream::{Running, Starting, live, whole};
use crate::tools;

pub(crate) async fn create(call: &Call) -> Answered {
    let Asked { model, messages, mut options, stream, head } = Asked::read(call)?;
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
            let streams = streams.map_err(|error| Fault::from(error).of_prompt("input"))?;
            Ok((streams, prompt))
        });
        let (lease, (streams, prompt), load) = work.await?;
        Ok(Running { lease, streams, prompts: vec![prompt], load })
    });
    if stream {
        return live(starting, Box::new(Events::new(head))).await;
    }
    let (_, told) = whole(starting).await?;
    let told = told.first().ok_or_else(Fault::internal)?;
    let response = head.response(status(&told.answer), &items(&head, told), Some(&told.answer));
    Ok(body::json(200, &response))
}
