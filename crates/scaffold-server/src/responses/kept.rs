//! Responses that are kept: `GET` and `DELETE /v1/responses/{id}`, `GET
//! /v1/responses/{id}/input_items`.

use hyper::Method;
use serde_json::{Value, json};

use super::memory::Kept;
use super::request::short;
use crate::body;
use crate::call::{Answered, Call};
use crate::fault::Fault;
use crate::query::Query;

/// A response, or what it was asked with.
pub(crate) fn response(call: &Call, rest: &str) -> Answered {
    let (id, below) = match rest.split_once('/') {
        None => (rest, None),
        Some((id, below)) => (id, Some(below.trim_end_matches('/'))),
    };
    let mut query = Query::read(&call.query);
    let is_delete = call.method == Method::DELETE;
    let (memory, owner) = (&call.shared.responses, &call.client.owner);
    let reply = match below {
        None | Some("") if is_delete => {
            if !memory.forget(owner, id) {
                return Err(absent(id));
            }
            json!({"id": id, "object": "response", "deleted": true})
        }
        None | Some("") => {
            if query.take("stream").is_some_and(|stream| stream == "true") {
                let words =
                    "stream cannot be honoured: a response that is kept is complete; leave it out";
                return Err(Fault::field("stream", words));
            }
            let kept = memory.find(owner, id).ok_or_else(|| absent(id))?;
            (*kept.response).clone()
        }
        Some("input_items") if !is_delete => {
            let kept = memory.find(owner, id).ok_or_else(|| absent(id))?;
            input_items(&kept, &mut query)?
        }
        Some(_) => {
            let words =
                "below a response there is `GET /v1/responses/{id}/input_items`, and nothing else";
            return Err(Fault::new(404, words));
        }
    };
    call.ignore_these(query.rest());
    Ok(body::json(200, &reply))
}

fn absent(id: &str) -> Fault {
    let words = format!(
        "Response with id '{}' not found: responses are kept in memory, for some time, for the client that asked, and not with \"store\": false",
        short(id)
    );
    Fault::new(404, words)
}

/// A page of the items that a request came with.
fn input_items(kept: &Kept, query: &mut Query) -> Result<Value, Fault> {
    let limit = query.count("limit", 1, 100)?.unwrap_or(20);
    let items = &kept.turn.input;
    let mut order: Vec<&Value> = match query.take("order").as_deref() {
        None | Some("desc") => items.iter().rev().collect(),
        Some("asc") => items.iter().collect(),
        Some(_) => {
            let words = "order is neither: accepted is asc or desc";
            return Err(Fault::field("order", words));
        }
    };
    if let Some(after) = query.take("after") {
        let at = order.iter().position(|item| item["id"] == after.as_str());
        let words = "after is no item of this response: accepted is the id of one";
        let at = at.ok_or_else(|| Fault::field("after", words))?;
        order.drain(..=at);
    }
    let has_more = order.len() > limit;
    order.truncate(limit);
    let id = |item: Option<&&Value>| item.map_or(Value::Null, |item| item["id"].clone());
    let (first, last) = (id(order.first()), id(order.last()));
    Ok(
        json!({"object": "list", "data": order, "first_id": first, "last_id": last, "has_more": has_more}),
    )
}
