//! A message of a chat.

use crate::error::TextError;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// What a message says.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Content {
    /// The message has no `content` at all.
    #[default]
    Absent,
    /// `content` is null, as in a message that only calls tools.
    Null,
    /// Text.
    Text(String),
    /// Parts as objects (`{"type": "text", "text": …}`), for templates that tell them apart.
    Parts(Vec<Value>),
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        Content::Text(text.to_owned())
    }
}

impl From<String> for Content {
    fn from(text: String) -> Self {
        Content::Text(text)
    }
}

/// One message of a chat, in the shape of OpenAI's and Hugging Face's messages.
///
/// It reads from and writes to that JSON; fields that are not known here are kept in `extra` and reach the
/// template as they are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Map<String, Value>", into = "Map<String, Value>")]
pub struct Message {
    /// Who speaks: `system`, `user`, `assistant`, `tool`, or what the model's template knows.
    pub role: String,
    /// What is said.
    pub content: Content,
    /// The assistant's reasoning before the answer. Templates read it as `reasoning_content` or `thinking`.
    pub reasoning: Option<String>,
    /// Calls of tools, as `{"id": …, "type": "function", "function": {"name": …, "arguments": …}}`.
    pub tool_calls: Vec<Value>,
    /// Which call a tool's answer belongs to.
    pub tool_call_id: Option<String>,
    /// Who or what tool speaks.
    pub name: Option<String>,
    /// All other fields.
    pub extra: Map<String, Value>,
}

impl Message {
    /// A message of any role.
    pub fn new(role: impl Into<String>, content: impl Into<Content>) -> Self {
        Message {
            role: role.into(),
            content: content.into(),
            ..Message::default()
        }
    }

    /// What the model is told about itself.
    pub fn system(content: impl Into<Content>) -> Self {
        Message::new("system", content)
    }

    /// What the user says.
    pub fn user(content: impl Into<Content>) -> Self {
        Message::new("user", content)
    }

    /// What the model says.
    pub fn assistant(content: impl Into<Content>) -> Self {
        Message::new("assistant", content)
    }

    /// What a tool answers.
    pub fn tool(content: impl Into<Content>) -> Self {
        Message::new("tool", content)
    }

    /// Adds the call of a tool, its arguments as an object.
    pub fn with_tool_call(mut self, id: Option<&str>, name: &str, arguments: &Value) -> Self {
        let mut call = Map::new();
        if let Some(id) = id {
            call.insert("id".to_owned(), json!(id));
        }
        call.insert("type".to_owned(), json!("function"));
        call.insert(
            "function".to_owned(),
            json!({ "name": name, "arguments": arguments }),
        );
        self.tool_calls.push(Value::Object(call));
        self
    }

    /// The text of the message: of parts, their texts one after the other.
    pub fn text(&self) -> String {
        match &self.content {
            Content::Absent | Content::Null => String::new(),
            Content::Text(text) => text.clone(),
            Content::Parts(parts) => parts
                .iter()
                .filter_map(|part| part["text"].as_str())
                .collect(),
        }
    }

    /// The message as templates see it: arguments of tool calls that are JSON in a string become objects,
    /// and the reasoning stands under each name that templates use.
    pub(crate) fn for_template(&self) -> Map<String, Value> {
        let mut map = Map::from(self.clone());
        if let Some(Value::Array(calls)) = map.get_mut("tool_calls") {
            calls.iter_mut().for_each(parse_arguments);
        }
        alias_reasoning(map)
    }
}

/// OpenAI's clients send the arguments of a call as JSON in a string, templates expect an object. A string
/// that is not an object stays as it is.
fn parse_arguments(call: &mut Value) {
    let pointer = if call.get("function").is_some() {
        "/function/arguments"
    } else {
        "/arguments"
    };
    if let Some(arguments) = call.pointer_mut(pointer)
        && let Some(Ok(parsed @ Value::Object(_))) =
            arguments.as_str().map(serde_json::from_str::<Value>)
    {
        *arguments = parsed;
    }
}

/// `reasoning_content` is the name that most templates read and `thinking` another; both get the value of
/// whichever is there, as in `transformers`.
fn alias_reasoning(map: Map<String, Value>) -> Map<String, Value> {
    let value = ["reasoning_content", "thinking", "reasoning"]
        .iter()
        .find_map(|name| map.get(*name).filter(|value| !value.is_null()))
        .cloned();
    let Some(value) = value else { return map };
    let mut out = Map::new();
    out.insert("thinking".to_owned(), value.clone());
    out.extend(map);
    out.insert("reasoning_content".to_owned(), value);
    out
}

impl From<Message> for Map<String, Value> {
    fn from(message: Message) -> Self {
        let mut map = Map::new();
        map.insert("role".to_owned(), Value::String(message.role));
        match message.content {
            Content::Absent => {}
            Content::Null => drop(map.insert("content".to_owned(), Value::Null)),
            Content::Text(text) => drop(map.insert("content".to_owned(), Value::String(text))),
            Content::Parts(parts) => drop(map.insert("content".to_owned(), Value::Array(parts))),
        }
        if let Some(reasoning) = message.reasoning {
            map.insert("reasoning_content".to_owned(), Value::String(reasoning));
        }
        if !message.tool_calls.is_empty() {
            map.insert("tool_calls".to_owned(), Value::Array(message.tool_calls));
        }
        if let Some(id) = message.tool_call_id {
            map.insert("tool_call_id".to_owned(), Value::String(id));
        }
        if let Some(name) = message.name {
            map.insert("name".to_owned(), Value::String(name));
        }
        map.extend(message.extra);
        map
    }
}

impl TryFrom<Map<String, Value>> for Message {
    type Error = TextError;

    fn try_from(mut map: Map<String, Value>) -> Result<Self, TextError> {
        let bad = |role: &str, problem: String| TextError::BadMessage {
            index: 0,
            role: role.to_owned(),
            problem,
        };
        let role = match map.remove("role") {
            Some(Value::String(role)) => role,
            other => {
                return Err(bad(
                    "",
                    format!(
                        "`role` is {} (expected a string such as \"user\")",
                        shown(other.as_ref())
                    ),
                ));
            }
        };
        let content = match map.remove("content") {
            None => Content::Absent,
            Some(Value::Null) => Content::Null,
            Some(Value::String(text)) => Content::Text(text),
            Some(Value::Array(parts)) => Content::Parts(parts),
            Some(other) => {
                return Err(bad(
                    &role,
                    format!("`content` is {other} (expected text, a list of parts or null)"),
                ));
            }
        };
        let tool_calls = match map.remove("tool_calls") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(calls)) => calls,
            Some(other) => {
                return Err(bad(
                    &role,
                    format!("`tool_calls` is {other} (expected a list)"),
                ));
            }
        };
        let mut text = |name: &str| match map.get(name) {
            Some(Value::String(_)) => map
                .remove(name)
                .and_then(|value| value.as_str().map(str::to_owned)),
            _ => None,
        };
        Ok(Message {
            reasoning: text("reasoning_content"),
            tool_call_id: text("tool_call_id"),
            name: text("name"),
            role,
            content,
            tool_calls,
            extra: map,
        })
    }
}

fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "missing".to_owned(), ToString::to_string)
}
