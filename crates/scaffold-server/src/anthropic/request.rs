//! A request for a message.

use scaffold::text::Json;
use scaffold::{GenerateOptions, Message, RenderOptions, ToolChoice};
use serde_json::{Value, json};

use super::blocks;
use crate::call::Call;
use crate::fault::Fault;
use crate::fields::Fields;
use crate::forms;
use crate::sampling;

/// What is asked.
pub(super) struct Asked {
    pub(super) model: String,
    pub(super) messages: Vec<Message>,
    pub(super) options: GenerateOptions,
    pub(super) stream: bool,
    pub(super) one_call: bool,
}

impl Asked {
    /// `answered`: an answer is to be made, which needs to know how long it may be.
    pub(super) fn read(call: &Call, answered: bool) -> Result<Self, Fault> {
        let mut fields = call.fields()?;
        let model = call.model(&mut fields)?;
        if !answered {
            // How an answer is made says nothing where none is.
            let making = [
                "max_tokens",
                "stream",
                "stop_sequences",
                "temperature",
                "top_p",
                "top_k",
                "thinking_budget",
                "output_format",
            ];
            call.ignore_these(fields.drop_these(&making));
        }
        if fields.take("thread").is_some_and(|thread| !thread.is_null()) {
            let words = "thread cannot be honoured: no chat is kept here; send all of its messages, without thread";
            return Err(Fault::field("thread", words).code(NO_THREADS));
        }
        let mut options = GenerateOptions::new().standing(call.standing());
        sampling::common(&mut fields, &mut options)?;
        if let Some(stop) = fields.texts("stop_sequences")? {
            options.stop = Some(stop.into_iter().filter(|text| !text.is_empty()).collect());
        }
        options.max_new_tokens = fields.count("max_tokens")?;
        if answered && options.max_new_tokens.is_none() {
            return Err(fields.missing("max_tokens"));
        }
        let stream = fields.flag("stream")?.unwrap_or(false);
        let mut messages = Vec::new();
        if let Some(system) = fields.take("system") {
            messages.extend(blocks::system(&system)?.map(Message::system));
        }
        let list = fields.list("messages")?.ok_or_else(|| fields.missing("messages"))?;
        messages.extend(blocks::messages(&list)?);
        options.render = RenderOptions { parse_arguments: true, ..RenderOptions::default() };
        thinking(call, &mut fields, &mut options)?;
        let (mut tools, skipped) = tools(&mut fields)?;
        call.ignore_these(skipped);
        let mut one_call = false;
        if let Some(mut choice) = fields.object("tool_choice")? {
            // Of what type it is, too, where no name is meant.
            let name = choice.text("name")?;
            match choice.text("type")?.as_deref() {
                Some("auto") | None => {}
                Some("none") => tools.clear(),
                Some("any") => options.tool_choice = ToolChoice::Required,
                Some("tool") => {
                    options.tool_choice =
                        ToolChoice::Named(name.ok_or_else(|| choice.missing("name"))?);
                }
                Some(_) => {
                    let why =
                        "tool_choice.type is none of these: accepted is auto, any, tool, none";
                    return Err(Fault::field("tool_choice", why));
                }
            }
            one_call = choice.flag("disable_parallel_tool_use")?.unwrap_or(false);
            options.one_call = one_call;
            call.ignore(choice);
        }
        options.render.tools = tools;
        // As the interface called it at first.
        if let Some(format) = fields.object("output_format")? {
            let grammar = forms::format_of(call, format, "output_format")?;
            if options.grammar.is_some() && grammar.is_some() {
                let words = "output_format and output_config.format both say what the answer has to keep to: leave one out";
                return Err(Fault::field("output_format", words));
            }
            options.grammar = grammar.or(options.grammar);
        }
        call.ignore(fields);
        Ok(Self { model, messages, options, stream, one_call })
    }
}

/// The word by which Anthropic's client knows that it has to send whole chats.
const NO_THREADS: &str = "thread_unsupported_request";

/// Whether the model is to think, told to its template, and what its answer has to keep to.
fn thinking(call: &Call, fields: &mut Fields, options: &mut GenerateOptions) -> Result<(), Fault> {
    let kwargs = &mut options.render.kwargs;
    if let Some(mut thinking) = fields.object("thinking")? {
        let thinks = match thinking.needed("type")?.as_str() {
            "enabled" => Some(true),
            "disabled" => Some(false),
            // As the model likes.
            "adaptive" => None,
            _ => {
                let words =
                    "thinking.type is none of these: accepted is enabled, adaptive, disabled";
                return Err(Fault::field("thinking.type", words));
            }
        };
        if thinks != Some(false)
            && let Some(tokens) = thinking.count("budget_tokens")?
        {
            options.thinking_budget = Some(tokens);
        }
        kwargs.extend(thinks.map(|thinks| ("enable_thinking".to_owned(), Json::from(thinks))));
        call.ignore(thinking);
    }
    if let Some(mut output) = fields.object("output_config")? {
        if let Some(effort) = output.text("effort")? {
            kwargs.push(("reasoning_effort".to_owned(), Json::from(effort)));
        }
        if let Some(format) = output.object("format")? {
            options.grammar = forms::format_of(call, format, "output_config.format")?;
        }
        call.ignore(output);
    }
    Ok(())
}

fn field_of<'t>(tool: &'t Value, key: &str) -> Option<&'t Value> {
    tool.get(key).filter(|value| !value.is_null())
}

/// The tools, as templates take them, and the names of those that are the other server's own.
fn tools(fields: &mut Fields) -> Result<(Vec<Json>, Vec<String>), Fault> {
    let list = fields.list("tools")?.unwrap_or_default();
    let (mut tools, mut skipped) = (Vec::new(), Vec::new());
    for (index, tool) in list.iter().enumerate() {
        let at = format!("tools[{index}]");
        let Some(kind) = field_of(tool, "type").map_or(Some("custom"), Value::as_str) else {
            let words = format!("{at}.type is no text");
            return Err(Fault::field(at, words));
        };
        if kind != "custom" {
            skipped.push(at);
            continue;
        }
        let Some(name) = tool.get("name").and_then(Value::as_str).filter(|name| !name.is_empty())
        else {
            let words = format!("{at} has no name");
            return Err(Fault::field(at, words));
        };
        let (about, schema) = (field_of(tool, "description"), field_of(tool, "input_schema"));
        let is_schema = schema.is_none_or(Value::is_object);
        if !is_schema || !about.is_none_or(Value::is_string) {
            let problem =
                if is_schema { "description is no text" } else { "input_schema is no object" };
            let words = format!("{at}.{problem}");
            return Err(Fault::field(at, words));
        }
        let empty = json!({"type": "object", "properties": {}});
        let mut function = json!({
            "name": name,
            "description": about.and_then(Value::as_str).unwrap_or_default(),
            "parameters": schema.unwrap_or(&empty),
        });
        match field_of(tool, "strict") {
            Some(Value::Bool(true)) => function["strict"] = true.into(),
            Some(Value::Bool(false)) | None => {}
            Some(_) => {
                let words = format!("{at}.strict is neither true nor false");
                return Err(Fault::field(at, words));
            }
        }
        tools.push(Json::from(json!({"type": "function", "function": function})));
    }
    Ok((tools, skipped))
}
