//! Tools that a model may call, and its calls.

use scaffold::text::Json;
use scaffold::{Call, GenerateOptions, LlmManager, RenderOptions, ToolChoice};
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::fields::Fields;
use crate::notices::Notices;
use crate::random;

/// The tools of a request, as templates take them.
pub(crate) fn read(fields: &mut Fields) -> Result<Vec<Json>, Fault> {
    let list = fields.list("tools")?.unwrap_or_default();
    list.into_iter().enumerate().map(|(index, tool)| read_one(index, tool)).collect()
}

fn read_one(index: usize, tool: Value) -> Result<Json, Fault> {
    let at = format!("tools[{index}]");
    let bad = |problem: &str| Fault::field(&at, format!("{at} {problem}"));
    let kind = tool.get("type").filter(|kind| !kind.is_null());
    if kind.is_some_and(|kind| kind != "function") {
        return Err(bad("cannot be honoured: accepted are tools of type function"));
    }
    let function = tool.get("function").and_then(Value::as_object);
    let name = function.and_then(|function| function.get("name")?.as_str());
    if name.is_none_or(str::is_empty) {
        return Err(bad(
            "names no function: accepted is {\"type\": \"function\", \"function\": {\"name\": …, \"parameters\": …}}",
        ));
    }
    for (key, problem, is_wanted) in [
        ("description", "is no text", Value::is_string as fn(&Value) -> bool),
        ("parameters", "are no object", Value::is_object),
        ("strict", "is neither true nor false", Value::is_boolean),
    ] {
        let value = function.and_then(|function| function.get(key)).filter(|it| !it.is_null());
        if value.is_some_and(|value| !is_wanted(value)) {
            return Err(bad(&format!("cannot be read: its {key} {problem}")));
        }
    }
    Ok(Json::from(tool))
}

/// Whether the model may call tools, and how often at once.
pub(crate) struct Choice {
    /// Those that it may call.
    pub(crate) tools: Vec<Json>,
    pub(crate) one_call: bool,
}

impl Choice {
    pub(crate) fn read(fields: &mut Fields, options: &mut GenerateOptions) -> Result<Self, Fault> {
        let mut tools = read(fields)?;
        if let Some(choice) = fields.take("tool_choice").filter(|choice| !choice.is_null()) {
            choose(&choice, &mut tools, options)?;
        }
        let one_call = fields.flag("parallel_tool_calls")? == Some(false);
        options.one_call = one_call;
        Ok(Self { tools, one_call })
    }
}

/// `tool_choice`, as OpenAI's clients write it in chats and in responses.
pub(crate) fn choose(
    choice: &Value,
    tools: &mut Vec<Json>,
    options: &mut GenerateOptions,
) -> Result<(), Fault> {
    let wrong = || {
        let accepted = "\"auto\", \"none\", \"required\", {\"type\": \"function\", \"function\": {\"name\": …}} or {\"type\": \"allowed_tools\", …}";
        Fault::field("tool_choice", format!("tool_choice cannot be read: accepted is {accepted}"))
    };
    let named = |choice: &Value| {
        let name = choice.get("function").unwrap_or(choice).get("name")?;
        name.as_str().filter(|name| !name.is_empty()).map(str::to_owned)
    };
    match (choice.as_str(), choice.get("type").and_then(Value::as_str)) {
        (Some("auto"), _) => {}
        (Some("none"), _) => tools.clear(),
        (Some("required"), _) => options.tool_choice = ToolChoice::Required,
        (_, Some("function" | "custom")) => {
            options.tool_choice = ToolChoice::Named(named(choice).ok_or_else(wrong)?);
        }
        (_, Some("allowed_tools")) => {
            let allowed = choice.get("allowed_tools").unwrap_or(choice);
            let list = allowed.get("tools").and_then(Value::as_array).ok_or_else(wrong)?;
            let names = list
                .iter()
                .map(|tool| named(tool).ok_or_else(wrong))
                .collect::<Result<Vec<_>, _>>()?;
            let is_allowed = |tool: &Json| {
                let name = tool.get("function").unwrap_or(tool).get("name").and_then(Json::as_str);
                name.is_some_and(|name| names.iter().any(|allowed| allowed == name))
            };
            tools.retain(is_allowed);
            match allowed.get("mode").and_then(Value::as_str) {
                Some("auto") | None => {}
                Some("required") => options.tool_choice = ToolChoice::Required,
                Some(_) => return Err(wrong()),
            }
        }
        _ => return Err(wrong()),
    }
    Ok(())
}

/// Has tools described in words where the model's template knows none, and says so.
pub(crate) fn prepare(
    model: &LlmManager,
    render: &mut RenderOptions,
    notices: &Notices,
) -> Result<(), Fault> {
    render.tools_in_words = true;
    if !render.tools.is_empty() && !model.answer_syntax()?.has_calls() {
        notices.add(IN_WORDS);
    }
    Ok(())
}

/// Says where tools ask for arguments by their schemas, the model may call and need not, and nothing tells
/// when it begins to.
pub(crate) fn tell_loose(
    model: &LlmManager,
    options: &GenerateOptions,
    notices: &Notices,
) -> Result<(), Fault> {
    let is_strict =
        |tool: &Json| tool.get("function").unwrap_or(tool).get("strict") == Some(&Json::Bool(true));
    let may_call =
        options.tool_choice == ToolChoice::Auto && options.render.tools.iter().any(is_strict);
    if may_call && !model.holds_strict_tools(&options.render)? {
        notices.add(LOOSE);
    }
    Ok(())
}

const LOOSE: &str = "tools: strict is not kept to, as nothing tells where calls of this model begin: tool_choice can force one";

const IN_WORDS: &str = "tools: the model's chat template has none, so they are described in words, which it was not trained for";

/// A call, as OpenAI's clients read it.
pub(crate) fn call(call: &Call) -> Value {
    json!({
        "id": id(),
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments},
    })
}

/// The name of a call, by which its result is told.
pub(crate) fn id() -> String {
    format!("call_{}", random::digits())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Fields {
        Fields::of_body(text.as_bytes()).unwrap()
    }

    #[test]
    fn tools_are_functions_with_names() {
        let tool = r#"{"type": "function", "function": {"name": "weather", "parameters": {}}}"#;
        assert_eq!(read(&mut fields(&format!("{{\"tools\": [{tool}]}}"))).unwrap().len(), 1);
        for nothing in ["{}", "{\"tools\": []}", "{\"tools\": null}"] {
            assert!(read(&mut fields(nothing)).unwrap().is_empty());
        }
        for bad in [
            "1",
            "{}",
            r#"{"type": "web_search"}"#,
            r#"{"type": "function", "function": {}}"#,
            r#"{"type": "function", "function": {"name": ""}}"#,
            r#"{"type": 5, "function": {"name": "f"}}"#,
            r#"{"function": {"name": "f", "parameters": "city"}}"#,
            r#"{"function": {"name": "f", "description": 5}}"#,
        ] {
            let fault = read(&mut fields(&format!("{{\"tools\": [{tool}, {bad}]}}"))).unwrap_err();
            assert_eq!((fault.status, fault.param.as_deref()), (400, Some("tools[1]")), "{bad}");
        }
    }
}
