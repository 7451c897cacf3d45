//! Mistral's instruction format, for directories that hold a tokenizer and no template: turn by
//! turn, as `mistral-common` encodes it.

use super::continued::cannot;
use super::message::Message;
use super::options::RenderOptions;
use super::prompt::{Part, Prompt};
use crate::mistral_version::Version;
use crate::tokenizer::Tokenizer;
use scaffold_error::{Error, err};
use scaffold_jinja::Json;

/// The version of a vocabulary: the one that its file names, or by its control tokens.
pub(crate) fn version(tokenizer: &Tokenizer) -> Version {
    let has = |name: &str| tokenizer.token_to_id(name).is_some();
    match tokenizer.mistral() {
        Some(version) => version,
        None if has("[TOOL_CONTENT]") && has("[SYSTEM_PROMPT]") => Version::V7,
        None if has("[INST]") => Version::V3,
        None => Version::V1,
    }
}

fn refuse(index: usize, message: &Message, problem: &str) -> Error {
    err!(Usage, "message {index} ({}): {problem}", message.role()).of_item(index).of_key("messages")
}

/// Text that is JSON stands as such in what is dumped.
fn parsed(text: &str) -> Json {
    Json::parse(text).unwrap_or_else(|_| Json::from(text))
}

struct Writer<'a> {
    version: Version,
    options: &'a RenderOptions,
    messages: &'a [Message],
    parts: Vec<Part>,
}

/// The prompt for a chat.
pub(super) fn prompt(
    version: Version,
    bos: &str,
    eos: &str,
    messages: &[Message],
    options: &RenderOptions,
) -> Result<Prompt, Error> {
    if version >= Version::Later && !options.tools.is_empty() {
        return Err(err!(
            Unsupported,
            "the text cannot be encoded: this version of Mistral's format writes tools in a way that is not known here; \
             use the model's own chat template"
        ));
    }
    let mut writer =
        Writer { version, options, messages, parts: vec![Part::Control(bos.to_owned())] };
    let system: Vec<String> =
        messages.iter().filter(|message| message.role() == "system").map(Message::text).collect();
    let system = system.join("\n\n");
    let users: Vec<usize> =
        (0..messages.len()).filter(|&index| messages[index].role() == "user").collect();
    let with_system = if version == Version::V1 { users.first() } else { users.last() }.copied();
    for (index, message) in messages.iter().enumerate() {
        match message.role() {
            "system" if version >= Version::V7 => {
                writer.bracketed("[SYSTEM_PROMPT]", message.text(), "[/SYSTEM_PROMPT]");
            }
            "system" => {}
            "user" => {
                let system = Some(system.as_str()).filter(|text| {
                    !text.is_empty() && Some(index) == with_system && version < Version::V7
                });
                writer.user(message, system, users.last() == Some(&index));
            }
            "assistant" => writer.assistant(index, message, users.last(), eos)?,
            "tool" => writer.tool(index, message, users.last())?,
            _ => {
                return Err(refuse(
                    index,
                    message,
                    "Mistral's format knows the roles system, user, assistant and tool",
                ));
            }
        }
    }
    let last = messages.last().map(Message::role);
    let open = options.continue_final_message && last == Some("assistant");
    if !open && options.add_generation_prompt && !matches!(last, Some("user" | "tool")) {
        let index = messages.len().saturating_sub(1);
        return Err(messages.last().map_or_else(
            || cannot("the chat is empty"),
            |message| refuse(index, message, "the last message must be the user's or a tool's for the model to answer; to go on with this one, ask to continue it"),
        ));
    }
    Ok(Prompt { parts: writer.parts })
}

impl Writer<'_> {
    fn control(&mut self, name: &str) {
        self.parts.push(Part::Control(name.to_owned()));
    }

    fn bracketed(&mut self, open: &str, text: String, close: &str) {
        self.control(open);
        self.parts.push(Part::Plain(text));
        self.control(close);
    }

    fn user(&mut self, message: &Message, system: Option<&str>, last: bool) {
        let text = match system {
            Some(system) => format!("{system}\n\n{}", message.text()),
            None => message.text(),
        };
        if self.version == Version::V1 {
            self.parts.push(Part::Plain(format!("[INST] {text} [/INST]")));
            return;
        }
        if last && !self.options.tools.is_empty() {
            let tools = Json::Array(self.options.tools.iter().map(tool_shown).collect());
            self.bracketed("[AVAILABLE_TOOLS]", tools.dumps(), "[/AVAILABLE_TOOLS]");
        }
        self.bracketed("[INST]", text, "[/INST]");
    }

    fn assistant(
        &mut self,
        index: usize,
        message: &Message,
        last_user: Option<&usize>,
        eos: &str,
    ) -> Result<(), Error> {
        let text = message.text();
        let open = self.options.continue_final_message && index + 1 == self.messages.len();
        if text.is_empty() && message.tool_calls().is_empty() {
            return Err(refuse(index, message, "it has neither text nor calls of tools"));
        }
        if !message.tool_calls().is_empty() && self.version == Version::V1 {
            return Err(refuse(index, message, "this model's format knows no tools"));
        }
        if !message.tool_calls().is_empty() && !text.is_empty() && self.version < Version::V7 {
            return Err(refuse(
                index,
                message,
                "this model's format has no place for text and calls of tools in one message",
            ));
        }
        if !text.is_empty() {
            let text = if self.version == Version::V1 {
                text
            } else {
                text.trim_end_matches(' ').to_owned()
            };
            self.parts.push(Part::Plain(text));
        }
        if !message.tool_calls().is_empty() {
            if self.version == Version::V2 && last_user.is_some_and(|&last| index < last) {
                return Ok(());
            }
            let calls = message.tool_calls().iter().map(|call| self.call_shown(call)).collect();
            self.control("[TOOL_CALLS]");
            self.parts.push(Part::Plain(Json::Array(calls).dumps()));
        }
        if !open {
            self.control(eos);
        }
        Ok(())
    }

    fn call_shown(&self, call: &Json) -> Json {
        let function = call.get("function").unwrap_or(call);
        let field = |name: &str| function.get(name).cloned().unwrap_or_default();
        let arguments = match field("arguments") {
            Json::String(text) => parsed(&text),
            other => other,
        };
        let mut out = vec![("name".to_owned(), field("name")), ("arguments".to_owned(), arguments)];
        let id = call.get("id").and_then(Json::as_str);
        if let (true, Some(id)) = (self.version >= Version::V3, id.filter(|id| *id != "null")) {
            out.push(("id".to_owned(), Json::from(id)));
        }
        Json::Object(out)
    }

    fn tool(
        &mut self,
        index: usize,
        message: &Message,
        last_user: Option<&usize>,
    ) -> Result<(), Error> {
        let content = message.text();
        let id = message.get("tool_call_id").and_then(Json::as_str);
        match self.version {
            Version::V1 => {
                return Err(refuse(index, message, "this model's format knows no tools"));
            }
            Version::V2 if last_user.is_some_and(|&last| index < last) => {}
            Version::V2 => {
                let name = message.get("name").cloned().unwrap_or_default();
                let result = object([("name", name), ("content", parsed(&content))]);
                let results = Json::Array(vec![result]).dumps();
                self.bracketed("[TOOL_RESULTS]", results, "[/TOOL_RESULTS]");
            }
            Version::V3 => {
                let id = id.ok_or_else(|| {
                    refuse(
                        index,
                        message,
                        "it has no `tool_call_id`, which this model's format needs",
                    )
                })?;
                let result = object([("content", parsed(&content)), ("call_id", Json::from(id))]);
                self.bracketed("[TOOL_RESULTS]", result.dumps(), "[/TOOL_RESULTS]");
            }
            Version::V7 | Version::Later => {
                let id = id.ok_or_else(|| {
                    refuse(
                        index,
                        message,
                        "it has no `tool_call_id`, which this model's format needs",
                    )
                })?;
                self.control("[TOOL_RESULTS]");
                self.parts.push(Part::Plain(id.to_owned()));
                self.bracketed("[TOOL_CONTENT]", content, "[/TOOL_RESULTS]");
            }
        }
        Ok(())
    }
}

fn object<const N: usize>(entries: [(&str, Json); N]) -> Json {
    Json::Object(entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// A tool in the order of fields that the format was trained on.
fn tool_shown(tool: &Json) -> Json {
    let function = tool.get("function").unwrap_or(tool);
    let field = |name: &str, absent: Json| function.get(name).cloned().unwrap_or(absent);
    let shown = object([
        ("name", field("name", Json::Null)),
        ("description", field("description", Json::from(""))),
        ("parameters", field("parameters", Json::object())),
    ]);
    object([("type", Json::from("function")), ("function", shown)])
}
