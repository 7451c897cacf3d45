//! A message of a chat.

use scaffold_error::{Error, err};
use scaffold_jinja::Json;
use serde::{Deserialize, Serialize};

/// One message of a chat, in the shape of OpenAI's and Hugging Face's messages.
///
/// It is what the client wrote: its fields in their order, numbers with all their digits, fields
/// that nobody here knows among them. All of them reach the model's template, except those whose
/// value is null, as in `transformers`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Json", into = "Json")]
pub struct Message {
    fields: Vec<(String, Json)>,
}

impl Message {
    /// A message of any role. The content is text, a list of parts (`{"type": "text", "text": …}`),
    /// or what a tool gave.
    pub fn new(role: impl Into<String>, content: impl Into<Json>) -> Self {
        Message {
            fields: vec![
                ("role".to_owned(), Json::String(role.into())),
                ("content".to_owned(), content.into()),
            ],
        }
    }

    /// What the model is told about itself.
    pub fn system(content: impl Into<Json>) -> Self {
        Message::new("system", content)
    }

    /// What the user says.
    pub fn user(content: impl Into<Json>) -> Self {
        Message::new("user", content)
    }

    /// What the model says.
    pub fn assistant(content: impl Into<Json>) -> Self {
        Message::new("assistant", content)
    }

    /// What a tool answers.
    pub fn tool(content: impl Into<Json>) -> Self {
        Message::new("tool", content)
    }

    /// Sets a field: `reasoning_content`, `tool_call_id`, `name`, or whatever the model's template
    /// reads.
    pub fn with(mut self, name: &str, value: impl Into<Json>) -> Self {
        let value = value.into();
        match self.fields.iter_mut().find(|(known, _)| known == name) {
            Some(field) => field.1 = value,
            None => self.fields.push((name.to_owned(), value)),
        }
        self
    }

    /// Adds the call of a tool, its arguments as an object, or as the text that the model wrote.
    pub fn with_tool_call(self, id: Option<&str>, name: &str, arguments: impl Into<Json>) -> Self {
        let id = id.map(|id| ("id".to_owned(), Json::from(id)));
        let function = Json::Object(vec![
            ("name".to_owned(), Json::from(name)),
            ("arguments".to_owned(), arguments.into()),
        ]);
        let rest = [("type".to_owned(), Json::from("function")), ("function".to_owned(), function)];
        let mut calls = self.tool_calls().to_vec();
        calls.push(Json::Object(id.into_iter().chain(rest).collect()));
        self.with("tool_calls", calls)
    }

    /// Who speaks: `system`, `user`, `assistant`, `tool`, or what the model's template knows.
    pub fn role(&self) -> &str {
        self.get("role").and_then(Json::as_str).unwrap_or_default()
    }

    /// A field, unless it is absent or null.
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.fields
            .iter()
            .find(|(known, value)| known == name && !value.is_null())
            .map(|(_, value)| value)
    }

    /// What is said.
    pub fn content(&self) -> Option<&Json> {
        self.get("content")
    }

    /// The calls of tools, as
    /// `{"id": …, "type": "function", "function": {"name": …, "arguments": …}}`.
    pub fn tool_calls(&self) -> &[Json] {
        self.get("tool_calls").and_then(Json::as_array).unwrap_or_default()
    }

    /// The text of the message: of parts, their texts one after the other; of what a tool gave as
    /// an object or number, its JSON.
    pub fn text(&self) -> String {
        match self.content() {
            None => String::new(),
            Some(Json::String(text)) => text.clone(),
            Some(Json::Array(parts)) => {
                parts.iter().filter_map(|part| part.get("text").and_then(Json::as_str)).collect()
            }
            Some(other) => other.dumps(),
        }
    }

    /// The message as templates see it: without fields that are null, and with the reasoning under
    /// each name that templates use. `parse` turns arguments that are JSON in a string into
    /// objects.
    pub(crate) fn for_template(&self, parse: bool) -> Json {
        let mut fields = self.fields.clone();
        fields.retain(|(_, value)| !value.is_null());
        if parse {
            for (name, calls) in &mut fields {
                if let ("tool_calls", Json::Array(calls)) = (name.as_str(), calls) {
                    calls.iter_mut().for_each(parse_arguments);
                }
            }
        }
        Json::Object(alias_reasoning(fields))
    }

    /// Whether arguments of its calls are JSON in a string.
    pub(crate) fn has_text_arguments(&self) -> bool {
        self.tool_calls().iter().any(|call| {
            let mut call = call.clone();
            arguments(&mut call).is_some_and(|arguments| opened(arguments).is_some())
        })
    }
}

fn arguments(call: &mut Json) -> Option<&mut Json> {
    if call.get("function").is_some() {
        call.get_mut("function")?.get_mut("arguments")
    } else {
        call.get_mut("arguments")
    }
}

/// The object that a text holds.
fn opened(arguments: &Json) -> Option<Json> {
    Json::parse(arguments.as_str()?).ok().filter(|parsed| parsed.as_object().is_some())
}

fn parse_arguments(call: &mut Json) {
    if let Some(arguments) = arguments(call)
        && let Some(parsed) = opened(arguments)
    {
        *arguments = parsed;
    }
}

/// `reasoning_content` is the name that most templates read and `thinking` another; both get the
/// value of whichever is there, as in `transformers`.
fn alias_reasoning(fields: Vec<(String, Json)>) -> Vec<(String, Json)> {
    let value = ["reasoning_content", "thinking", "reasoning"]
        .iter()
        .find_map(|name| fields.iter().find(|(known, _)| known == name))
        .map(|(_, value)| value.clone());
    let Some(value) = value else { return fields };
    let mut out = vec![("thinking".to_owned(), value.clone())];
    for (name, field) in fields {
        match name.as_str() {
            "thinking" => out[0].1 = field,
            _ => out.push((name, field)),
        }
    }
    match out.iter_mut().find(|(name, _)| name == "reasoning_content") {
        Some(field) => field.1 = value,
        None => out.push(("reasoning_content".to_owned(), value)),
    }
    out
}

impl From<Message> for Json {
    fn from(message: Message) -> Self {
        Json::Object(message.fields)
    }
}

impl TryFrom<Json> for Message {
    type Error = Error;

    fn try_from(json: Json) -> Result<Self, Error> {
        let bad = |problem: String| err!(Usage, "this is no message: {problem}").of_key("messages");
        let Json::Object(fields) = json else {
            return Err(bad(format!(
                "it is {json} (expected an object such as {{\"role\": \"user\", \"content\": \"…\"}})"
            )));
        };
        let message = Message { fields };
        match message.get("role") {
            Some(Json::String(_)) => Ok(message),
            other => Err(bad(format!(
                "`role` is {} (expected a string such as \"user\")",
                other.map_or_else(|| "missing".to_owned(), ToString::to_string)
            ))),
        }
    }
}
