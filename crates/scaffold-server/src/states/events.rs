//! `GET /v1/models/events` and `GET /models/sse`: states of models as they change.

use super::watching::{Watching, Words};
use crate::body::{Body, reply};
use crate::call::{Answered, Call};
use crate::fault::Fault;
use crate::openai::sse::{self, CONTENT_TYPE};
use crate::race::{First, first};

/// Streams of one client at once: each holds a connection as long as it is there.
const MOST: usize = 16;

/// In this server's words.
pub(crate) fn own(call: &Call) -> Answered {
    stream(call, Words::Own)
}

/// In llama.cpp's words.
pub(crate) fn llama(call: &Call) -> Answered {
    stream(call, Words::Llama)
}

fn stream(call: &Call, words: Words) -> Answered {
    let place = call.shared.listeners.take(&call.client.owner, MOST).ok_or_else(|| {
        let words = format!(
            "this client listens to {MOST} streams of states already, which is the most at once: close one"
        );
        Fault::new(429, words).code("rate_limit_exceeded")
    })?;
    let (mut watching, telling) = Watching::new(&call.shared, words, Box::new(|_| true));
    let mut draining = call.shared.watched.draining();
    let listener = watching.sender.clone();
    tokio::spawn(async move {
        let telling = async { while watching.tell().await && watching.wait().await {} };
        let ended = async { draining.wait_for(|draining| *draining).await.is_ok() };
        // A client that leaves is seen at once, and not when the next state is told.
        let left = first(listener.closed(), ended);
        if let First::Other(First::Other(_)) = first(telling, left).await {
            let mut out = Vec::new();
            sse::done(&mut out);
            // Who does not read is not waited for.
            let _ = listener.try_send(out.into());
        }
        drop(place);
    });
    Ok(reply(200, CONTENT_TYPE, Body::Source(Box::new(telling))))
}
