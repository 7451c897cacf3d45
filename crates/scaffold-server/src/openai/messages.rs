//! Messages of a chat: their texts as models' templates take them.

use scaffold::{Message, RenderOptions, Reply as Told};
use serde_json::{Map, Value};

use crate::fault::Fault;
use crate::fields::Fields;
use crate::tools;

/// The messages of a chat. What users wrote is not repeated in errors.
pub(crate) fn read(list: Vec<Value>) -> Result<Vec<Message>, Fault> {
    if list.is_empty() {
        return Err(Fault::field("messages", "messages is empty: give at least one"));
    }
    list.into_iter().enumerate().map(|(index, value)| message(index, value)).collect()
}

fn message(index: usize, value: Value) -> Result<Message, Fault> {
    let at = format!("messages[{index}]");
    let bad = |problem: String| Fault::field(&at, format!("{at}{problem}"));
    let Value::Object(mut map) = value else {
        return Err(bad(" is no object with role and content".to_owned()));
    };
    let Some(role) = map.get("role").and_then(Value::as_str) else {
        return Err(bad(
            ".role is missing: accepted is system, developer, user, assistant, tool".to_owned()
        ));
    };
    // What OpenAI calls system messages since its reasoning models; templates know the old word.
    if role == "developer" {
        map.insert("role".to_owned(), "system".into());
    }
    match map.get("content") {
        Some(Value::Array(parts)) => {
            let text = text_of(parts, &at)?;
            map.insert("content".to_owned(), text.into());
        }
        Some(Value::String(_) | Value::Null) | None => {}
        Some(_) => return Err(bad(".content is neither text nor a list of parts".to_owned())),
    }
    check(&mut map, &at)?;
    // A call of a tool has no words; templates put words together.
    if map.get("content").is_none_or(Value::is_null) {
        map.insert("content".to_owned(), "".into());
    }
    if map.get("tool_calls").and_then(Value::as_array).is_some_and(Vec::is_empty) {
        map.shift_remove("tool_calls");
    }
    serde_json::from_value(Value::Object(map)).map_err(|_| bad(" is no message".to_owned()))
}

/// What templates read of a message has the type that they take it for; a call without arguments has
/// empty ones.
pub(crate) fn check(message: &mut Map<String, Value>, at: &str) -> Result<(), Fault> {
    let bad = |field: String, problem: &str| {
        let words = format!("{field} {problem}");
        Err(Fault::field(field, words))
    };
    for key in ["name", "tool_call_id", "tool_name", "reasoning_content", "thinking"] {
        if message.get(key).is_some_and(|value| !value.is_string() && !value.is_null()) {
            return bad(format!("{at}.{key}"), "is no text");
        }
    }
    let calls = match message.get_mut("tool_calls") {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::Array(calls)) => calls,
        Some(_) => return bad(format!("{at}.tool_calls"), "is no list of calls"),
    };
    for (index, call) in calls.iter_mut().enumerate() {
        if !is_call(call) {
            let accepted = "is no call: accepted is {\"id\": …, \"function\": {\"name\": …, \"arguments\": …}}, with arguments that are an object or a text";
            return bad(format!("{at}.tool_calls[{index}]"), accepted);
        }
    }
    Ok(())
}

/// Whether this is a call; it has arguments then.
fn is_call(call: &mut Value) -> bool {
    let Some(call) = call.as_object_mut() else {
        return false;
    };
    let has_id = call.get("id").is_none_or(|id| id.is_string() || id.is_null());
    let called = if call.contains_key("function") {
        call.get_mut("function").and_then(Value::as_object_mut)
    } else {
        Some(call)
    };
    let Some(called) = called.filter(|called| called.get("name").is_some_and(Value::is_string))
    else {
        return false;
    };
    let arguments = called.entry("arguments").or_insert(Value::Null);
    if arguments.is_null() {
        *arguments = Value::Object(Map::new());
    }
    has_id && (arguments.is_string() || arguments.is_object())
}

/// The texts of parts, as vLLM and llama.cpp put them together.
fn text_of(parts: &[Value], at: &str) -> Result<String, Fault> {
    fn text<'p>(index: usize, part: &'p Value, at: &str) -> Result<&'p str, Fault> {
        let kind = part.get("type").filter(|kind| !kind.is_null());
        let kind = kind.map_or("text", |kind| kind.as_str().unwrap_or("none"));
        let key = if kind == "refusal" { "refusal" } else { "text" };
        match part.get(key).and_then(Value::as_str) {
            Some(text) if matches!(kind, "text" | "refusal" | "input_text" | "output_text") => {
                Ok(text)
            }
            _ => {
                let field = format!("{at}.content[{index}]");
                let words = format!(
                    "{field} cannot be honoured: models here read text; accepted are parts of type text"
                );
                Err(Fault::field(field, words))
            }
        }
    }
    let texts: Vec<&str> = parts
        .iter()
        .enumerate()
        .map(|(index, part)| text(index, part, at))
        .collect::<Result<_, _>>()?;
    Ok(texts.join("\n"))
}

/// A message of the assistant's: what it thought, said and called.
pub(super) fn answer(told: &Told, one_call: bool) -> Map<String, Value> {
    let mut map = Map::new();
    map.insert("role".to_owned(), "assistant".into());
    let silent = told.text.is_empty() && !told.calls.is_empty();
    map.insert("content".to_owned(), if silent { Value::Null } else { told.text.as_str().into() });
    if !told.thoughts.is_empty() {
        map.insert("reasoning_content".to_owned(), told.thoughts.as_str().into());
    }
    let most = if one_call { 1 } else { usize::MAX };
    if !told.calls.is_empty() {
        let calls = told.calls.iter().take(most).map(tools::call);
        map.insert("tool_calls".to_owned(), calls.collect());
    }
    map.insert("refusal".to_owned(), Value::Null);
    map
}

/// How the chat is written for the model.
pub(crate) fn rendering(fields: &mut Fields) -> Result<RenderOptions, Fault> {
    let mut render = RenderOptions { parse_arguments: true, ..RenderOptions::default() };
    render.continue_final_message = fields.flag("continue_final_message")?.unwrap_or(false);
    let open = fields.flag("add_generation_prompt")?;
    if open == Some(true) && render.continue_final_message {
        return Err(Fault::field(
            "continue_final_message",
            "continue_final_message leaves the last message open, and add_generation_prompt begins another one: set one of them",
        ));
    }
    render.add_generation_prompt = open.unwrap_or(!render.continue_final_message);
    // Templates know either of the two words.
    if let Some(effort) = fields.text("reasoning_effort")? {
        render.kwargs.push(match effort.as_str() {
            "none" => ("enable_thinking".to_owned(), false.into()),
            _ => ("reasoning_effort".to_owned(), effort.into()),
        });
    }
    if let Some(variables) = fields.object("chat_template_kwargs")? {
        for (name, value) in variables.each() {
            let value = serde_json::from_value(value).map_err(|_| {
                Fault::field(
                    "chat_template_kwargs",
                    "chat_template_kwargs cannot be read: accepted is an object",
                )
            })?;
            render.kwargs.retain(|(known, _)| *known != name);
            render.kwargs.push((name, value));
        }
    }
    Ok(render)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parts_become_text_and_roles_are_those_of_templates() {
        let parts = json!([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]);
        let list = vec![
            json!({"role": "developer", "content": parts}),
            json!({"role": "assistant", "content": null, "tool_calls": []}),
        ];
        let messages = read(list).unwrap();
        assert_eq!((messages[0].role(), messages[0].text()), ("system", "a\nb".to_owned()));
        assert_eq!(messages[1].text(), "");
        assert!(messages[1].get("tool_calls").is_none());
    }

    #[test]
    fn what_is_no_text_is_refused_by_its_place() {
        for (content, param) in [
            (
                json!([{"type": "image_url", "image_url": {"url": "data:"}}]),
                "messages[0].content[0]",
            ),
            (json!(5), "messages[0]"),
        ] {
            let fault = read(vec![json!({"role": "user", "content": content})]).unwrap_err();
            assert_eq!((fault.status, fault.param.as_deref()), (400, Some(param)));
        }
        assert_eq!(read(vec![]).unwrap_err().param.as_deref(), Some("messages"));
        assert!(read(vec![json!({"content": "x"})]).unwrap_err().message.contains("role"));
    }
}
