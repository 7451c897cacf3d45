//! Blocks of messages: texts, thoughts, calls of tools and what those gave.

use scaffold::Message;
use scaffold::text::Json;
use serde_json::Value;

use crate::fault::Fault;

/// A line that some clients send with every request and change each time: it says what is paid for,
/// and would make every prompt begin in another way.
const BILLING: &str = "x-anthropic-billing-header:";

/// The system message; `None` where there is none.
pub(super) fn system(value: &Value) -> Result<Option<String>, Fault> {
    let bad = || Fault::field("system", "system is neither text nor a list of blocks of text");
    let texts: Vec<&str> = match value {
        Value::String(text) => vec![text],
        Value::Array(blocks) => {
            blocks.iter().map(|block| text_of(block).ok_or_else(bad)).collect::<Result<_, _>>()?
        }
        _ => return Err(bad()),
    };
    let texts = texts.into_iter().filter(|text| !text.starts_with(BILLING) && !text.is_empty());
    let text = texts.collect::<Vec<_>>().join("\n");
    Ok((!text.is_empty()).then_some(text))
}

/// The messages of a chat. What users wrote is not repeated in errors.
pub(super) fn messages(list: &[Value]) -> Result<Vec<Message>, Fault> {
    if list.is_empty() {
        return Err(Fault::field("messages", "messages is empty: give at least one"));
    }
    let mut messages = Vec::with_capacity(list.len());
    for (index, value) in list.iter().enumerate() {
        let at = format!("messages[{index}]");
        let role = value.get("role").and_then(Value::as_str);
        let contents = contents(value.get("content"), &at)?;
        match role {
            Some("user") => user(&contents, &at, &mut messages)?,
            Some("assistant") => messages.push(assistant(&contents, &at)?),
            Some("system") => messages.push(Message::system(texts(&contents, &at)?)),
            _ => {
                let words = format!("{at}.role is none: accepted is user, assistant, system");
                return Err(Fault::field(at, words));
            }
        }
    }
    Ok(messages)
}

/// The blocks of a message; a text is one.
fn contents(value: Option<&Value>, at: &str) -> Result<Vec<Value>, Fault> {
    match value {
        Some(Value::String(text)) => Ok(vec![serde_json::json!({"type": "text", "text": text})]),
        Some(Value::Array(blocks)) => Ok(blocks.clone()),
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(_) => {
            let words = format!("{at}.content is neither text nor a list of blocks");
            Err(Fault::field(at, words))
        }
    }
}

fn kind(block: &Value) -> &str {
    block.get("type").map_or("text", |kind| kind.as_str().unwrap_or("none"))
}

fn text_of(block: &Value) -> Option<&str> {
    (kind(block) == "text").then(|| block.get("text")?.as_str()).flatten()
}

/// What is read of a block has its type.
fn check(block: &Value, at: &str, index: usize) -> Result<(), Fault> {
    let is = |key: &str, is: fn(&Value) -> bool| {
        block.get(key).is_none_or(|value| value.is_null() || is(value))
    };
    let texts = ["id", "tool_use_id", "name", "thinking", "signature"];
    let wrong = texts.into_iter().find(|key| !is(key, Value::is_string));
    let wrong = wrong.map(|key| (key, "text"));
    match wrong.or((!is("input", Value::is_object)).then_some(("input", "object"))) {
        None => Ok(()),
        Some((key, wanted)) => {
            let field = format!("{at}.content[{index}].{key}");
            let words = format!("{field} is no {wanted}");
            Err(Fault::field(field, words))
        }
    }
}

fn unreadable(at: &str, index: usize, block: &Value) -> Fault {
    let field = format!("{at}.content[{index}]");
    let kind = kind(block);
    let words = format!(
        "{field} cannot be honoured: models here read text, and this is a block of type {kind:?}"
    );
    Fault::field(field, words)
}

fn texts(blocks: &[Value], at: &str) -> Result<String, Fault> {
    let texts = blocks
        .iter()
        .enumerate()
        .map(|(index, block)| text_of(block).ok_or_else(|| unreadable(at, index, block)));
    Ok(texts.collect::<Result<Vec<_>, _>>()?.join("\n"))
}

/// What tools gave comes before what the user says.
fn user(blocks: &[Value], at: &str, messages: &mut Vec<Message>) -> Result<(), Fault> {
    let mut said = Vec::new();
    for (index, block) in blocks.iter().enumerate() {
        check(block, at, index)?;
        if kind(block) != "tool_result" {
            said.push(text_of(block).ok_or_else(|| unreadable(at, index, block))?);
            continue;
        }
        let place = format!("{at}.content[{index}]");
        let given = contents(block.get("content"), &place)?;
        let message = Message::tool(texts(&given, &place)?);
        let id = block.get("tool_use_id").and_then(Value::as_str).unwrap_or_default();
        messages.push(message.with("tool_call_id", id));
    }
    if !said.is_empty() || blocks.is_empty() {
        messages.push(Message::user(said.join("\n")));
    }
    Ok(())
}

fn assistant(blocks: &[Value], at: &str) -> Result<Message, Fault> {
    let (mut said, mut thought, mut calls) = (Vec::new(), Vec::new(), Vec::new());
    for (index, block) in blocks.iter().enumerate() {
        check(block, at, index)?;
        let text = |key: &str| block.get(key).and_then(Value::as_str);
        match kind(block) {
            "thinking" => thought.extend(text("thinking")),
            // Of another server's model, which alone can read it.
            "redacted_thinking" => {}
            "tool_use" => {
                let Some(name) = text("name") else {
                    let field = format!("{at}.content[{index}]");
                    let words = format!("{field} names no tool");
                    return Err(Fault::field(field, words));
                };
                let input = block
                    .get("input")
                    .filter(|input| !input.is_null())
                    .cloned()
                    .unwrap_or_else(|| serde_json::json!({}));
                calls.push((text("id"), name, Json::from(input)));
            }
            _ => said.push(text_of(block).ok_or_else(|| unreadable(at, index, block))?),
        }
    }
    let mut message = Message::assistant(said.join("\n"));
    if !thought.is_empty() {
        message = message.with("reasoning_content", thought.join("\n"));
    }
    for (id, name, input) in calls {
        message = message.with_tool_call(id, name, input);
    }
    Ok(message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn blocks_become_messages_that_templates_know() {
        let list = json!([
            {"role": "user", "content": "Hello"},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "Hm.", "signature": ""},
                {"type": "redacted_thinking", "data": "xx"},
                {"type": "text", "text": "Let me look."},
                {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Bonn"}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "12"}]},
                {"type": "text", "text": "And?", "cache_control": {"type": "ephemeral"}}]},
        ]);
        let messages = messages(list.as_array().unwrap()).unwrap();
        let roles: Vec<&str> = messages.iter().map(Message::role).collect();
        assert_eq!(roles, ["user", "assistant", "tool", "user"]);
        assert_eq!(messages[1].get("reasoning_content").unwrap().as_str(), Some("Hm."));
        assert_eq!((messages[1].tool_calls().len(), messages[2].text()), (1, "12".to_owned()));
        assert_eq!(messages[3].text(), "And?");
    }

    #[test]
    fn lines_that_change_with_each_request_are_no_part_of_the_prompt() {
        let blocks = json!([
            {"type": "text", "text": "x-anthropic-billing-header: cc=1; n=77"},
            {"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}]);
        assert_eq!(system(&blocks).unwrap().as_deref(), Some("Be kind."));
        assert_eq!(system(&json!("")).unwrap(), None);
        assert!(system(&json!([{"type": "image"}])).is_err());
    }

    #[test]
    fn what_cannot_be_read_is_named_by_its_place() {
        for (message, param) in [
            (
                json!({"role": "user", "content": [{"type": "image", "source": {}}]}),
                "messages[0].content[0]",
            ),
            (json!({"role": "user", "content": 5}), "messages[0]"),
            (json!({"role": "robot", "content": "x"}), "messages[0]"),
            (
                json!({"role": "assistant", "content": [{"type": "tool_use"}]}),
                "messages[0].content[0]",
            ),
        ] {
            let fault = messages(&[message]).unwrap_err();
            assert_eq!((fault.status, fault.param.as_deref()), (400, Some(param)));
        }
    }
}
