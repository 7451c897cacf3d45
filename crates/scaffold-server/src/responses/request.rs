//! A request for a response.

use std::sync::Arc;

use scaffold::text::Json;
use scaffold::{GenerateOptions, Message, RenderOptions};
use serde_json::{Value, json};

use super::input;
use super::keeping::Keeping;
use super::memory::{Memory, Turn};
use super::output::Head;
use crate::call::Call;
use crate::fault::Fault;
use crate::fields::Fields;
use crate::forms;
use crate::sampling;
use crate::tools;

/// What is asked.
pub(super) struct Asked {
    pub(super) model: String,
    pub(super) messages: Vec<Message>,
    pub(super) options: GenerateOptions,
    pub(super) stream: bool,
    pub(super) head: Head,
    /// Where the response is to be kept.
    pub(super) keeping: Option<Keeping>,
}

impl Asked {
    pub(super) fn read(call: &Call) -> Result<Self, Fault> {
        let mut fields = call.fields()?;
        let mut said = fields.copy_of(&[
            "instructions",
            "temperature",
            "top_p",
            "tools",
            "tool_choice",
            "text",
            "metadata",
            "previous_response_id",
        ]);
        let model = call.model(&mut fields)?;
        let mut options = GenerateOptions::new().standing(call.standing());
        refuse(call, &mut fields, &mut options)?;
        sampling::common(&mut fields, &mut options)?;
        options.max_new_tokens = fields.count("max_output_tokens")?;
        let stream = fields.flag("stream")?.unwrap_or(false);
        if let Some(mut wanted) = fields.object("stream_options")? {
            wanted.settle_flag("include_obfuscation", false)?;
            call.ignore(wanted);
        }
        let instructions = fields.text("instructions")?;
        let input = fields.take("input").ok_or_else(|| fields.missing("input"))?;
        let (memory, owner) = (&call.shared.responses, &call.client.owner);
        let before = before(&mut fields, memory, owner)?;
        let said_before = before.as_ref().map(Turn::items).unwrap_or_default();
        let input = input::items(input, |id| memory.item(owner, id))?;
        let messages = input::messages(instructions, &said_before, &input)?;
        options.render = RenderOptions { parse_arguments: true, ..RenderOptions::default() };
        if let Some(mut reasoning) = fields.object("reasoning")? {
            let kwargs = &mut options.render.kwargs;
            match reasoning.text("effort")?.as_deref() {
                None => {}
                Some("none") => kwargs.push(("enable_thinking".to_owned(), false.into())),
                Some(effort) => kwargs.push(("reasoning_effort".to_owned(), Json::from(effort))),
            }
            call.ignore(reasoning);
        }
        let mut offered = Tools::default();
        let list = fields.list("tools")?.unwrap_or_default();
        for (index, tool) in list.iter().enumerate() {
            offered.add(tool, &format!("tools[{index}]"))?;
        }
        if let Some(choice) = fields.take("tool_choice").filter(|choice| !choice.is_null()) {
            tools::choose(&choice, &mut offered.list, &mut options)?;
        }
        let one_call = fields.flag("parallel_tool_calls")? == Some(false);
        options.one_call = one_call;
        call.ignore_these(offered.skipped);
        options.render.tools = offered.list;
        // Where nothing is kept, it is told that this was wanted.
        let store = if memory.keeps() {
            fields.flag("store")?.unwrap_or(true)
        } else {
            fields.settle_flag("store", false)?;
            false
        };
        said.insert("store".to_owned(), store.into());
        let keeping = store.then(|| Keeping::new(call, input, before));
        call.ignore(fields);
        let head = Head::new(&model, said, one_call, offered.custom.into());
        Ok(Self { model, messages, options, stream, head, keeping })
    }
}

/// What was said before.
fn before(fields: &mut Fields, memory: &Memory, owner: &str) -> Result<Option<Arc<Turn>>, Fault> {
    let Some(id) = fields.text("previous_response_id")? else {
        return Ok(None);
    };
    let kept = memory.find(owner, &id).ok_or_else(|| {
        let words = format!(
            "Previous response with id '{}' not found: responses are kept in memory, for some time, and not with \"store\": false; \
             send what went before as input",
            short(&id)
        );
        Fault::field("previous_response_id", words).code("previous_response_not_found")
    })?;
    Ok(Some(kept.turn))
}

/// An id of a client's, no longer than one can be.
pub(super) fn short(id: &str) -> String {
    id.chars().take(64).collect()
}

fn refuse(call: &Call, fields: &mut Fields, options: &mut GenerateOptions) -> Result<(), Fault> {
    for (field, why) in [
        ("conversation", "conversations are not kept: send what went before as input"),
        ("background", "nothing is computed for those who do not wait: ask for a stream"),
        ("prompt", "prompts are not kept: send it as input"),
    ] {
        fields.refuse(field, why)?;
    }
    if fields.text("truncation")?.is_some_and(|way| way != "disabled") {
        let words = "truncation cannot be honoured: nothing is ever cut off a prompt; accepted is \"disabled\"";
        return Err(Fault::field("truncation", words));
    }
    if let Some(mut text) = fields.object("text")? {
        if let Some(format) = text.object("format")? {
            options.grammar = forms::format_of(call, format, "text.format")?;
        }
        call.ignore(text);
    }
    Ok(())
}

/// Tools, as templates take them.
#[derive(Default)]
struct Tools {
    list: Vec<Json>,
    /// The names of those that take a text.
    custom: Vec<Arc<str>>,
    /// Those that only another server has.
    skipped: Vec<String>,
}

impl Tools {
    fn add(&mut self, tool: &Value, at: &str) -> Result<(), Fault> {
        let text = |key: &str| tool.get(key).and_then(Value::as_str);
        if tool.get("description").is_some_and(|about| !about.is_string() && !about.is_null()) {
            return Err(Fault::field(at, format!("{at}.description is no text")));
        }
        let name = || {
            let name = text("name").filter(|name| !name.is_empty());
            name.ok_or_else(|| Fault::field(at, format!("{at} has no name")))
        };
        match text("type") {
            Some("function") => {
                let empty = json!({"type": "object", "properties": {}});
                let parameters = tool.get("parameters").filter(|it| !it.is_null());
                if parameters.is_some_and(|parameters| !parameters.is_object()) {
                    return Err(Fault::field(at, format!("{at}.parameters is no object")));
                }
                let parameters = parameters.unwrap_or(&empty);
                let strict = tool.get("strict") == Some(&Value::Bool(true));
                self.push(name()?, text("description"), parameters, strict);
            }
            Some("custom") => {
                let input = json!({"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]});
                self.push(name()?, text("description"), &input, false);
                self.custom.push(name()?.into());
            }
            Some("namespace") => {
                let inner = tool.get("tools").filter(|inner| !inner.is_null());
                let Some(inner) = inner.map_or(Some(&[][..]), |it| Some(it.as_array()?.as_slice()))
                else {
                    return Err(Fault::field(at, format!("{at}.tools is no list")));
                };
                for (index, tool) in inner.iter().enumerate() {
                    self.add(tool, &format!("{at}.tools[{index}]"))?;
                }
            }
            Some(_) => self.skipped.push(at.to_owned()),
            None => return Err(Fault::field(at, format!("{at} has no type"))),
        }
        Ok(())
    }

    fn push(&mut self, name: &str, description: Option<&str>, parameters: &Value, strict: bool) {
        let mut function = json!({
            "name": name,
            "description": description.unwrap_or_default(),
            "parameters": parameters,
        });
        if strict {
            function["strict"] = true.into();
        }
        self.list.push(Json::from(json!({"type": "function", "function": function})));
    }
}
