//! Rendering a chat with a model's template.

use super::environment::{self, FUEL, Refusal};
use super::message::Message;
use super::options::{DateTime, RenderOptions};
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
    env: Environment<'static>,
    names: Vec<String>,
    special: SpecialTokens,
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
            env,
            names,
            special: special.clone(),
        })
    }

    /// The names of the templates.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The prompt for a chat, as `transformers` would write it.
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
        let mut chat: Vec<Value> = messages
            .iter()
            .map(|message| Value::Object(message.for_template()))
            .collect();
        if options.continue_final_message {
            mark_end(&mut chat)?;
        }
        let rendered = self.run(chat, options)?;
        if options.continue_final_message {
            cut_at_mark(&rendered)
        } else {
            Ok(rendered)
        }
    }

    fn run(&self, chat: Vec<Value>, options: &RenderOptions) -> Result<String, TextError> {
        let name = self.choose(options)?;
        let mut variables: Map<String, Value> = Map::new();
        for (name, token) in self.special.iter() {
            variables.insert(name.to_owned(), Value::String(token.to_owned()));
        }
        variables.extend(options.kwargs.clone());
        let list = |values: &[Value]| {
            if values.is_empty() {
                Value::Null
            } else {
                Value::Array(values.to_vec())
            }
        };
        variables.insert("messages".to_owned(), Value::Array(chat));
        variables.insert("tools".to_owned(), list(&options.tools));
        variables.insert("documents".to_owned(), list(&options.documents));
        let prompt = options.add_generation_prompt && !options.continue_final_message;
        variables.insert("add_generation_prompt".to_owned(), Value::Bool(prompt));
        let now = options.now.unwrap_or_else(DateTime::now);
        variables.insert(
            environment::NOW.to_owned(),
            Value::String(environment::pack(&now)),
        );
        let failed = |error: Error| explain(&error, name);
        self.env
            .get_template(name)
            .map_err(failed)?
            .render(Serde(&variables))
            .map_err(failed)
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
        let template = Self::from_source(format.source, special)?;
        Ok((
            template,
            vec![Notice::FallbackFormat {
                format: format.name,
                because,
            }],
        ))
    }
}
