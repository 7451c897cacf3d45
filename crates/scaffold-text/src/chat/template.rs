//! Rendering a chat with a model's template.

use super::environment::{self, FUEL, Refusal};
use super::guard::Guard;
use super::message::Message;
use super::mistral::{self, Version};
use super::options::{DateTime, RenderOptions};
use super::prompt::{Part, Prompt};
use super::rewrite::rewrite;
use crate::error::{Notice, TextError};
use crate::tokenizer::{SpecialTokens, Tokenizer};
use minijinja::value::Serde;
use minijinja::{Environment, Error, ErrorKind};
use serde_json::{Map, Value};
use std::path::Path;

/// The name of the template that is used where none is named.
const DEFAULT: &str = "default";
const TOOL_USE: &str = "tool_use";
/// Marks the end of the message that is to be continued; taken out again after rendering.
const CONTINUE: &str = "CONTINUE_FINAL_MESSAGE_TAG ";

/// The chat templates of one model, compiled.
///
/// Templates come with the model and are not trusted: they see only what they are given, and are stopped when
/// they take too long.
pub struct ChatTemplate {
    kind: Kind,
    names: Vec<String>,
    special: SpecialTokens,
}

enum Kind {
    Jinja(Box<Environment<'static>>),
    Mistral(Version),
}

impl std::fmt::Debug for ChatTemplate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChatTemplate")
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}

impl ChatTemplate {
    /// One template from its source.
    ///
    /// # Errors
    /// [`TextError::TemplateSyntax`] with the line.
    pub fn from_source(source: &str, special: &SpecialTokens) -> Result<Self, TextError> {
        Self::from_sources(vec![(DEFAULT.to_owned(), source.to_owned())], special)
    }

    /// Named templates, as (name, source).
    ///
    /// # Errors
    /// [`TextError::TemplateSyntax`] with the line.
    pub fn from_sources(
        sources: Vec<(String, String)>,
        special: &SpecialTokens,
    ) -> Result<Self, TextError> {
        let mut env = environment::new();
        let mut names: Vec<String> = Vec::new();
        for (name, source) in sources {
            env.add_template_owned(name.clone(), rewrite(&source))
                .map_err(|error| TextError::TemplateSyntax {
                    name: name.clone(),
                    line: error.line().unwrap_or(0),
                    detail: error
                        .detail()
                        .map_or_else(|| error.kind().to_string(), str::to_owned),
                })?;
            if !names.contains(&name) {
                names.push(name);
            }
        }
        Ok(ChatTemplate {
            kind: Kind::Jinja(Box::new(env)),
            names,
            special: special.clone(),
        })
    }

    /// The names of the templates.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The prompt for a chat as text, as `transformers` would write it.
    ///
    /// # Errors
    /// [`TextError::TemplateRefused`] with the template's own words where it refuses the chat (roles in the
    /// wrong order, a system message that the model does not know), [`TextError::TemplateFailed`] and
    /// [`TextError::TemplateTooCostly`] where it fails, [`TextError::UnknownTemplate`] for a name that the model
    /// does not have, [`TextError::CannotContinue`] where the last message cannot be continued.
    pub fn render(
        &self,
        messages: &[Message],
        options: &RenderOptions,
    ) -> Result<String, TextError> {
        match &self.kind {
            Kind::Jinja(env) => self.run(env, Data::new(messages, options)?, options),
            Kind::Mistral(version) => Ok(self.mistral(*version, messages, options)?.text()),
        }
    }

    /// The prompt for a chat, ready for [`Tokenizer::encode_prompt`]. Unless the options say otherwise, the
    /// names of control tokens in messages, tools and documents are kept apart from those that the template
    /// writes.
    ///
    /// # Errors
    /// As [`ChatTemplate::render`].
    pub fn prompt(
        &self,
        messages: &[Message],
        options: &RenderOptions,
        tokenizer: &Tokenizer,
    ) -> Result<Prompt, TextError> {
        let env = match &self.kind {
            Kind::Jinja(env) => env,
            Kind::Mistral(version) => return self.mistral(*version, messages, options),
        };
        let mut data = Data::new(messages, options)?;
        let mut guard = None;
        if !options.special_in_messages {
            guard = Guard::new(
                tokenizer.control_names(),
                &[&data.messages, &data.tools, &data.documents],
            );
            if let Some(guard) = &mut guard {
                for value in [&mut data.messages, &mut data.tools, &mut data.documents] {
                    guard.mark(value);
                }
            }
        }
        let rendered = self.run(env, data, options)?;
        let (text, guarded) = match &guard {
            Some(guard) => guard.unmark(&rendered),
            None => (rendered, Vec::new()),
        };
        Ok(Prompt {
            parts: vec![Part::Rendered { text, guarded }],
        })
    }

    fn mistral(
        &self,
        version: Version,
        messages: &[Message],
        options: &RenderOptions,
    ) -> Result<Prompt, TextError> {
        let bos = self.special.bos.as_deref().unwrap_or("<s>");
        let eos = self.special.eos.as_deref().unwrap_or("</s>");
        mistral::prompt(version, bos, eos, messages, options)
    }

    fn run(
        &self,
        env: &Environment<'static>,
        data: Data,
        options: &RenderOptions,
    ) -> Result<String, TextError> {
        let name = self.choose(options)?;
        let mut variables: Map<String, Value> = Map::new();
        for (name, token) in self.special.iter() {
            variables.insert(name.to_owned(), Value::String(token.to_owned()));
        }
        variables.extend(options.kwargs.clone());
        variables.insert("messages".to_owned(), data.messages);
        variables.insert("tools".to_owned(), data.tools);
        variables.insert("documents".to_owned(), data.documents);
        let prompt = options.add_generation_prompt && !options.continue_final_message;
        variables.insert("add_generation_prompt".to_owned(), Value::Bool(prompt));
        let now = options.now.unwrap_or_else(DateTime::now);
        variables.insert(
            environment::NOW.to_owned(),
            Value::String(environment::pack(&now)),
        );
        let failed = |error: Error| explain(&error, name);
        let rendered = env
            .get_template(name)
            .map_err(failed)?
            .render(Serde(&variables))
            .map_err(failed)?;
        if options.continue_final_message {
            cut_at_mark(&rendered)
        } else {
            Ok(rendered)
        }
    }

    fn choose(&self, options: &RenderOptions) -> Result<&str, TextError> {
        let find = |name: &str| {
            self.names
                .iter()
                .find(|known| *known == name)
                .map(String::as_str)
        };
        let unknown = |name: &str| TextError::UnknownTemplate {
            name: name.to_owned(),
            available: self.names.clone(),
        };
        if let Some(name) = &options.template {
            return find(name).ok_or_else(|| unknown(name));
        }
        let tool_use = find(TOOL_USE).filter(|_| !options.tools.is_empty());
        tool_use
            .or_else(|| find(DEFAULT))
            .ok_or_else(|| unknown(DEFAULT))
    }
}

/// What the user brings, as templates see it.
struct Data {
    messages: Value,
    tools: Value,
    documents: Value,
}

impl Data {
    fn new(messages: &[Message], options: &RenderOptions) -> Result<Self, TextError> {
        let mut chat: Vec<Value> = messages
            .iter()
            .map(|message| Value::Object(message.for_template()))
            .collect();
        if options.continue_final_message {
            mark_end(&mut chat)?;
        }
        let list = |values: &[Value]| {
            if values.is_empty() {
                Value::Null
            } else {
                Value::Array(values.to_vec())
            }
        };
        Ok(Data {
            messages: Value::Array(chat),
            tools: list(&options.tools),
            documents: list(&options.documents),
        })
    }
}

/// What a failure of minijinja means to the user.
fn explain(error: &Error, name: &str) -> TextError {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    let mut line = error.line();
    let mut detail = error.detail().map(str::to_owned);
    while let Some(current) = cause {
        if let Some(refusal) = current.downcast_ref::<Refusal>() {
            return TextError::TemplateRefused {
                message: refusal.0.clone(),
            };
        }
        if let Some(inner) = current.downcast_ref::<Error>() {
            if inner.kind() == ErrorKind::OutOfFuel {
                return TextError::TemplateTooCostly {
                    name: name.to_owned(),
                    steps: FUEL,
                };
            }
            line = inner.line().or(line);
            detail = inner.detail().map(str::to_owned).or(detail);
        }
        cause = current.source();
    }
    TextError::TemplateFailed {
        name: name.to_owned(),
        line: line.unwrap_or(0),
        detail: detail.unwrap_or_else(|| error.kind().to_string()),
    }
}

/// Puts the mark at the end of the last message's text.
fn mark_end(chat: &mut [Value]) -> Result<(), TextError> {
    let cannot = |problem: &str| TextError::CannotContinue {
        problem: problem.to_owned(),
    };
    let last = chat.last_mut().ok_or_else(|| cannot("the chat is empty"))?;
    match &mut last["content"] {
        Value::String(text) => text.push_str(CONTINUE),
        Value::Array(parts) => {
            let part = parts.iter_mut().rev().find(|part| part["text"].is_string());
            match part.map(|part| &mut part["text"]) {
                Some(Value::String(text)) => text.push_str(CONTINUE),
                _ => return Err(cannot("it has no text")),
            }
        }
        _ => return Err(cannot("it has no text")),
    }
    Ok(())
}

/// The prompt up to the mark. A template that trims messages trims the mark's space too, and then what stands
/// before the mark is trimmed as well.
fn cut_at_mark(rendered: &str) -> Result<String, TextError> {
    let at = rendered
        .rfind(CONTINUE.trim_end())
        .ok_or_else(|| TextError::CannotContinue {
            problem: "the template leaves out its end, or the whole message".to_owned(),
        })?;
    let kept = &rendered[..at];
    Ok(if rendered[at..].starts_with(CONTINUE) {
        kept.to_owned()
    } else {
        kept.trim_end().to_owned()
    })
}

impl ChatTemplate {
    /// The templates in a model's directory; where there are none, the known format of the model's family,
    /// with a notice.
    ///
    /// # Errors
    /// [`TextError::NoTemplate`] where there is no template and the family is not known, and the errors of
    /// reading and compiling.
    pub fn from_dir(
        dir: &Path,
        tokenizer: &Tokenizer,
        hint: &super::FamilyHint,
    ) -> Result<(Self, Vec<Notice>), TextError> {
        let sources = super::sources::in_dir(dir)?;
        Self::from_sources_or_family(sources, tokenizer, hint)
    }

    /// The same for templates that were read elsewhere, such as from a GGUF file: with none, the known format
    /// of the model's family.
    ///
    /// # Errors
    /// As [`ChatTemplate::from_dir`].
    pub fn from_sources_or_family(
        sources: Vec<(String, String)>,
        tokenizer: &Tokenizer,
        hint: &super::FamilyHint,
    ) -> Result<(Self, Vec<Notice>), TextError> {
        let special = tokenizer.special_tokens();
        if !sources.is_empty() {
            return Ok((Self::from_sources(sources, special)?, Vec::new()));
        }
        let (format, because) = super::fallback::find(tokenizer, hint)?;
        let template = match format.source {
            Some(source) => Self::from_source(source, special)?,
            None => ChatTemplate {
                kind: Kind::Mistral(Version::of(tokenizer)),
                names: vec![DEFAULT.to_owned()],
                special: special.clone(),
            },
        };
        Ok((
            template,
            vec![Notice::FallbackFormat {
                format: format.name,
                because,
            }],
        ))
    }
}
