//! `POST /api/chat`

use scaffold::Message;
use serde_json::{Map, Value};

use super::generate::{answer, nothing_asked};
use super::options::Asked;
use crate::call::{Answered, Call};
use crate::fault::Fault;
use crate::openai::messages::check;

pub(crate) async fn chat(call: &Call) -> Answered {
    let mut fields = call.fields()?;
    let asked = Asked::read(call, &mut fields)?;
    let list = fields.list("messages")?.unwrap_or_default();
    let messages = read(list)?;
    call.ignore(fields);
    if messages.is_empty() {
        return nothing_asked(call, &asked, true).await;
    }
    answer(call, asked, true, move |model, render| Ok(model.chat_ids(&messages, render)?)).await
}

/// The messages; what users wrote is not repeated in errors.
fn read(list: Vec<Value>) -> Result<Vec<Message>, Fault> {
    let message = |(index, value): (usize, Value)| {
        let at = format!("messages[{index}]");
        let bad = |problem: &str| Fault::field(&at, format!("{at} {problem}"));
        let Value::Object(mut map) = value else {
            return Err(bad("is no object with role and content"));
        };
        if !map.get("role").is_some_and(Value::is_string) {
            return Err(bad("has no role: accepted is system, user, assistant, tool"));
        }
        if !map.get("content").is_none_or(|content| content.is_string() || content.is_null()) {
            return Err(bad("has a content that is no text"));
        }
        if map.get("content").is_none_or(Value::is_null) {
            map.insert("content".to_owned(), "".into());
        }
        check(&mut map, &at)?;
        if has_things(&map, "images") {
            return Err(bad("has images, which cannot be honoured: models here read text"));
        }
        map.shift_remove("images");
        if !has_things(&map, "tool_calls") {
            map.shift_remove("tool_calls");
        }
        serde_json::from_value(Value::Object(map)).map_err(|_| bad("is no message"))
    };
    list.into_iter().enumerate().map(message).collect()
}

fn has_things(map: &Map<String, Value>, key: &str) -> bool {
    map.get(key).and_then(Value::as_array).is_some_and(|list| !list.is_empty())
}
