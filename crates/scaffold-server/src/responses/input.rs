//! Items of what went before: messages, thoughts, calls and what those gave.

use scaffold::Message;
use scaffold::text::Json;
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::random;

/// The messages of a chat: what was said before, and then these items. What users wrote is not
/// repeated in errors.
pub(super) fn messages(
    instructions: Option<String>,
    before: &[Value],
    input: &[Value],
) -> Result<Vec<Message>, Fault> {
    let mut chat = Chat::default();
    chat.messages.extend(instructions.filter(|text| !text.is_empty()).map(Message::system));
    for item in before {
        chat.add(item, "previous_response_id")?;
    }
    for (index, item) in input.iter().enumerate() {
        chat.add(item, &format!("input[{index}]"))?;
    }
    chat.end();
    Ok(chat.messages)
}

/// The items of a request, each with an id; those that name others are the others, which `find`
/// knows.
pub(super) fn items(
    input: Value,
    find: impl Fn(&str) -> Option<Value>,
) -> Result<Vec<Value>, Fault> {
    let items = match input {
        Value::String(text) => vec![json!({"type": "message", "role": "user", "content": text})],
        Value::Array(items) if !items.is_empty() => items,
        _ => return Err(Fault::field("input", "input is neither text nor a list of items")),
    };
    let item = |(index, item)| whole(item, &format!("input[{index}]"), &find);
    items.into_iter().enumerate().map(item).collect()
}

/// An item that says all of itself.
fn whole(mut item: Value, at: &str, find: impl Fn(&str) -> Option<Value>) -> Result<Value, Fault> {
    let Value::Object(map) = &mut item else {
        return Err(Fault::field(at, format!("{at} is no item: accepted is an object")));
    };
    let id = map.get("id").and_then(Value::as_str).filter(|id| !id.is_empty());
    let kind = map.get("type").and_then(Value::as_str).map(str::to_owned);
    if kind.as_deref() == Some("item_reference") {
        return id.and_then(find).ok_or_else(|| {
            let words = format!(
                "{at} names an item that is not kept: items are kept with their responses, for some time, and not of those with \
                 \"store\": false"
            );
            Fault::field(at, words)
        });
    }
    if id.is_none() {
        let mark = match kind.as_deref().unwrap_or("message") {
            "message" => "msg",
            "reasoning" => "rs",
            "function_call" | "function_call_output" => "fc",
            _ => "item",
        };
        map.insert("id".to_owned(), format!("{mark}_{}", random::digits()).into());
    }
    if kind.is_none() {
        map.insert("type".to_owned(), "message".into());
    }
    Ok(item)
}

#[derive(Default)]
struct Chat {
    messages: Vec<Message>,
    /// What the assistant is saying: thoughts, text and calls are items of their own.
    turn: Option<Message>,
    thought: String,
}

impl Chat {
    fn end(&mut self) {
        self.thought.clear();
        self.messages.extend(self.turn.take());
    }

    /// The assistant's turn, begun where it is not.
    fn turn(&mut self) -> Message {
        let thought = std::mem::take(&mut self.thought);
        let turn = self.turn.take().unwrap_or_else(|| Message::assistant(""));
        if thought.is_empty() { turn } else { turn.with("reasoning_content", thought) }
    }

    fn add(&mut self, item: &Value, at: &str) -> Result<(), Fault> {
        let text = |key: &str| item.get(key).and_then(Value::as_str);
        let needed =
            |key: &str| text(key).ok_or_else(|| Fault::field(at, format!("{at} has no {key}")));
        if item.get("call_id").is_some_and(|id| !id.is_string() && !id.is_null()) {
            return Err(Fault::field(at, format!("{at}.call_id is no text")));
        }
        match item.get("type").map_or("message", |kind| kind.as_str().unwrap_or("none")) {
            "message" => {
                let said = texts(item.get("content"), at)?;
                match needed("role")? {
                    "assistant" => {
                        let mut turn = self.turn();
                        if !turn.text().is_empty() || !turn.tool_calls().is_empty() {
                            self.messages.push(turn);
                            turn = Message::assistant("");
                        }
                        self.turn = Some(turn.with("content", said));
                    }
                    "user" => {
                        self.end();
                        self.messages.push(Message::user(said));
                    }
                    "system" | "developer" => {
                        self.end();
                        self.messages.push(Message::system(said));
                    }
                    _ => {
                        let words = format!(
                            "{at}.role is none: accepted is user, assistant, system, developer"
                        );
                        return Err(Fault::field(at, words));
                    }
                }
            }
            "reasoning" => {
                let list = [item.get("content"), item.get("summary")];
                let is_fine = |list: &Value| match list {
                    Value::Null => true,
                    Value::Array(parts) => {
                        parts.iter().all(|part| part.get("text").is_some_and(Value::is_string))
                    }
                    _ => false,
                };
                if !list.into_iter().flatten().all(is_fine) {
                    let words = format!("{at} has thoughts that are no list of parts with text");
                    return Err(Fault::field(at, words));
                }
                let thought = list.into_iter().flatten().find_map(|list| {
                    let texts: Vec<&str> = list
                        .as_array()?
                        .iter()
                        .filter_map(|part| part.get("text")?.as_str())
                        .collect();
                    (!texts.is_empty()).then(|| texts.join("\n"))
                });
                self.messages.extend(self.turn.take());
                self.thought = thought.unwrap_or_default();
            }
            "function_call" => {
                let call = Json::from(needed("arguments")?);
                self.turn =
                    Some(self.turn().with_tool_call(text("call_id"), needed("name")?, call));
            }
            "custom_tool_call" => {
                let call = Json::from(json!({"input": needed("input")?}));
                self.turn =
                    Some(self.turn().with_tool_call(text("call_id"), needed("name")?, call));
            }
            "function_call_output" | "custom_tool_call_output" => {
                self.end();
                let given = texts(item.get("output"), at)?;
                let id = text("call_id").unwrap_or_default();
                self.messages.push(Message::tool(given).with("tool_call_id", id));
            }
            kind => {
                let words = format!(
                    "{at} is of type {kind:?}: accepted are message, reasoning, function_call, function_call_output, \
                     custom_tool_call, custom_tool_call_output"
                );
                return Err(Fault::field(at, words));
            }
        }
        Ok(())
    }
}

/// A text, or the texts of parts.
fn texts(value: Option<&Value>, at: &str) -> Result<String, Fault> {
    let parts = match value {
        Some(Value::String(text)) => return Ok(text.clone()),
        Some(Value::Array(parts)) => parts,
        None | Some(Value::Null) => return Ok(String::new()),
        Some(_) => {
            return Err(Fault::field(at, format!("{at} is neither text nor a list of parts")));
        }
    };
    let text = |part: &Value| {
        let kind = part.get("type").filter(|kind| !kind.is_null());
        let kind = kind.map_or("text", |kind| kind.as_str().unwrap_or("none"));
        let key = if kind == "refusal" { "refusal" } else { "text" };
        let known = ["input_text", "output_text", "text", "refusal"].contains(&kind);
        let text = part.get(key).and_then(Value::as_str).filter(|_| known);
        text.map(str::to_owned).ok_or_else(|| {
            let words = format!(
                "{at} cannot be honoured: models here read text, and there is a part of type {kind:?}"
            );
            Fault::field(at, words)
        })
    };
    Ok(parts.iter().map(text).collect::<Result<Vec<_>, _>>()?.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(instructions: Option<String>, input: &Value) -> Result<Vec<Message>, Fault> {
        messages(instructions, &[], &items(input.clone(), |_| None)?)
    }

    #[test]
    fn items_that_are_named_are_those_that_are_kept() {
        let kept = json!({"id": "msg_1", "type": "message", "role": "assistant", "content": "Hi"});
        let input =
            json!([{"type": "item_reference", "id": "msg_1"}, {"role": "user", "content": "x"}]);
        let whole = items(input, |id| (id == "msg_1").then(|| kept.clone())).unwrap();
        assert_eq!(whole[0], kept);
        assert!(
            whole[1]["id"].as_str().unwrap().starts_with("msg_") && whole[1]["type"] == "message"
        );
        let chat = messages(None, &whole[..1], &whole[1..]).unwrap();
        assert_eq!(chat.iter().map(Message::role).collect::<Vec<_>>(), ["assistant", "user"]);
    }

    #[test]
    fn items_of_one_turn_are_one_message() {
        let input = json!([
            {"role": "user", "content": "Hello"},
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Let me look."}]},
            {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": "{}"},
            {"type": "custom_tool_call", "call_id": "c2", "name": "shell", "input": "ls"},
            {"type": "function_call_output", "call_id": "c1", "output": "12"},
            {"type": "custom_tool_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "a b"}]},
            {"role": "developer", "content": "Be brief."},
        ]);
        let chat = read(Some("Be kind.".to_owned()), &input).unwrap();
        let roles: Vec<&str> = chat.iter().map(Message::role).collect();
        assert_eq!(roles, ["system", "user", "assistant", "tool", "tool", "system"]);
        let turn = &chat[2];
        assert_eq!((turn.text(), turn.tool_calls().len()), ("Let me look.".to_owned(), 2));
        assert_eq!(turn.get("reasoning_content").unwrap().as_str(), Some("Hm."));
        assert_eq!(chat[4].text(), "a b");
    }

    #[test]
    fn what_cannot_be_read_is_named_by_its_place() {
        for item in [
            json!({"type": "item_reference", "id": "x"}),
            json!({"type": "item_reference"}),
            json!("x"),
            json!({"role": "robot", "content": "x"}),
            json!({"role": "user", "content": [{"type": "input_image"}]}),
            json!({"type": "function_call", "name": "x"}),
        ] {
            let fault = read(None, &json!([item])).unwrap_err();
            assert_eq!((fault.status, fault.param.as_deref()), (400, Some("input[0]")));
        }
        assert!(read(None, &json!([])).is_err() && read(None, &json!(1)).is_err());
    }
}
