//! Rendering a chat with a model's template.

use super::continued;
use super::message::Message;
use super::mistral;
use super::options::RenderOptions;
use super::prompt::{Part, Prompt};
use crate::mistral_version::Version;
use crate::special::SpecialTokens;
use crate::tokenizer::Tokenizer;
use scaffold_error::{Error, Kind, Notice, Topic, err};
use scaffold_jinja::{DateTime, ErrorKind, Json, Limits, Rendering, Template, Variable};
use std::path::Path;

/// The name of the template that is used where none is named.
const DEFAULT: &str = "default";
const TOOL_USE: &str = "tool_use";

/// The chat templates of one model, read and checked.
///
/// Templates come with the model and are not trusted: they see only what they are given, and are
/// stopped when they take too long or make too much.
pub struct ChatTemplate {
    source: Source,
    special: SpecialTokens,
    /// What a rendering may cost.
    pub(crate) limits: Limits,
}

enum Source {
    Jinja(Vec<Named>),
    Mistral(Version),
}

struct Named {
    name: String,
    source: String,
    template: Template,
}

impl std::fmt::Debug for ChatTemplate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChatTemplate").field("names", &self.names()).finish_non_exhaustive()
    }
}

impl ChatTemplate {
    /// One template from its source.
    ///
    /// # Errors
    /// The template has a syntax error, whose line is told.
    pub fn from_source(source: &str, special: &SpecialTokens) -> Result<Self, Error> {
        Self::from_sources(vec![(DEFAULT.to_owned(), source.to_owned())], special)
    }

    /// Named templates, as (name, source); of two with one name the last counts.
    ///
    /// # Errors
    /// The template has a syntax error, whose line is told.
    pub fn from_sources(
        sources: Vec<(String, String)>,
        special: &SpecialTokens,
    ) -> Result<Self, Error> {
        let mut templates: Vec<Named> = Vec::new();
        for (name, source) in sources {
            let template = Template::parse(&source).map_err(|error| {
                let line = error.line();
                err!(
                    Damaged,
                    "the chat template {name:?} has a syntax error in line {line}: {error}"
                )
                .at_line(line)
            })?;
            let named = Named { name, source, template };
            match templates.iter_mut().find(|known| known.name == named.name) {
                Some(known) => *known = named,
                None => templates.push(named),
            }
        }
        Ok(ChatTemplate {
            source: Source::Jinja(templates),
            special: special.clone(),
            limits: Limits::default(),
        })
    }

    /// Whether one of the templates has this text in its source.
    pub(crate) fn mentions(&self, text: &str) -> bool {
        match &self.source {
            Source::Jinja(templates) => templates.iter().any(|named| named.source.contains(text)),
            Source::Mistral(_) => false,
        }
    }

    /// The names of the templates.
    pub fn names(&self) -> Vec<&str> {
        match &self.source {
            Source::Jinja(templates) => templates.iter().map(|named| named.name.as_str()).collect(),
            Source::Mistral(_) => vec![DEFAULT],
        }
    }

    /// The prompt for a chat as text, as `transformers` would write it.
    ///
    /// # Errors
    /// [`Kind::Refused`] with the template's own words where it refuses the chat (roles in the
    /// wrong order, a system message that the model does not know), [`Kind::Damaged`] where it
    /// fails, [`Kind::TooLarge`] where it is too costly, [`Kind::NotFound`] for a name that the
    /// model does not have, [`Kind::Usage`] where the last message cannot be continued.
    pub fn render(&self, messages: &[Message], options: &RenderOptions) -> Result<String, Error> {
        match &self.source {
            Source::Jinja(templates) => Ok(self.run(templates, messages, options)?.text),
            Source::Mistral(version) => Ok(self.mistral(*version, messages, options)?.text()),
        }
    }

    /// The prompt for a chat, ready for [`Tokenizer::encode_prompt`]. Unless the options say
    /// otherwise, text from messages, tools, documents and further variables is kept apart from
    /// what the template writes, so that control tokens count only in the latter.
    ///
    /// # Errors
    /// As [`ChatTemplate::render`].
    pub fn prompt(&self, messages: &[Message], options: &RenderOptions) -> Result<Prompt, Error> {
        let templates = match &self.source {
            Source::Jinja(templates) => templates,
            Source::Mistral(version) => return self.mistral(*version, messages, options),
        };
        let rendering = self.run(templates, messages, options)?;
        let guarded = if options.special_in_messages { Vec::new() } else { rendering.marked };
        Ok(Prompt { parts: vec![Part::Rendered { text: rendering.text, guarded }] })
    }

    fn mistral(
        &self,
        version: Version,
        messages: &[Message],
        options: &RenderOptions,
    ) -> Result<Prompt, Error> {
        let bos = self.special.bos.as_deref().unwrap_or("<s>");
        let eos = self.special.eos.as_deref().unwrap_or("</s>");
        mistral::prompt(version, bos, eos, messages, options)
    }

    fn run(
        &self,
        templates: &[Named],
        messages: &[Message],
        options: &RenderOptions,
    ) -> Result<Rendering, Error> {
        let chosen = self.choose(templates, options)?;
        let as_given = self.run_with(chosen, messages, options, false);
        let failed = as_given.as_ref().is_err_and(|error| error.kind() == Kind::Damaged);
        if failed
            && options.parse_arguments
            && messages.iter().any(Message::has_text_arguments)
            && let Ok(rendering) = self.run_with(chosen, messages, options, true)
        {
            return Ok(rendering);
        }
        as_given
    }

    fn run_with(
        &self,
        chosen: &Named,
        messages: &[Message],
        options: &RenderOptions,
        parse_arguments: bool,
    ) -> Result<Rendering, Error> {
        let mut chat: Vec<Json> =
            messages.iter().map(|message| message.for_template(parse_arguments)).collect();
        let open = if options.continue_final_message {
            Some(continued::mark_end(&mut chat, &chosen.source)?)
        } else {
            None
        };
        let now = options.now.unwrap_or_else(DateTime::now);
        let rendering = chosen
            .template
            .render(&self.variables(chat, options), now, self.limits)
            .map_err(|error| explain(&error, &chosen.name))?;
        match open {
            Some(text) => continued::cut_at_mark(rendering, &text),
            None => Ok(rendering),
        }
    }

    fn variables(&self, chat: Vec<Json>, options: &RenderOptions) -> Vec<Variable> {
        let variable = |name: &str, value: Json, marked: bool| Variable {
            name: name.to_owned(),
            value,
            marked,
        };
        let list = |values: &[Json]| {
            if values.is_empty() { Json::Null } else { Json::Array(values.to_vec()) }
        };
        let prompt = options.add_generation_prompt && !options.continue_final_message;
        let special =
            self.special.iter().map(|(name, token)| variable(name, Json::from(token), false));
        let further =
            options.kwargs.iter().map(|(name, value)| variable(name, value.clone(), true));
        special
            .chain(further)
            .chain([
                variable("messages", Json::Array(chat), true),
                variable("tools", list(&options.tools), true),
                variable("documents", list(&options.documents), true),
                variable("add_generation_prompt", Json::Bool(prompt), false),
            ])
            .collect()
    }

    fn choose<'a>(
        &self,
        templates: &'a [Named],
        options: &RenderOptions,
    ) -> Result<&'a Named, Error> {
        let find = |name: &str| templates.iter().find(|known| known.name == name);
        let unknown = |name: &str| {
            let names = self.names().join(", ");
            err!(NotFound, "the model has no chat template named {name:?}; it has: {names}")
        };
        if let Some(name) = &options.template {
            return find(name).ok_or_else(|| unknown(name));
        }
        let tool_use = find(TOOL_USE).filter(|_| !options.tools.is_empty());
        tool_use.or_else(|| find(DEFAULT)).ok_or_else(|| unknown(DEFAULT))
    }
}

/// What a failure of a template means to the user.
fn explain(error: &scaffold_jinja::Error, name: &str) -> Error {
    let line = error.line();
    match error.kind() {
        ErrorKind::Raised => {
            err!(Refused, "the model's chat template refuses this conversation: {error}")
        }
        ErrorKind::Steps | ErrorKind::Memory => err!(
            TooLarge,
            "the chat template {name:?} was stopped because {error}: it is too costly for this conversation, or never ends. \
             Shorten the conversation, or pass another template"
        ),
        _ => {
            let failed = err!(Damaged, "the chat template {name:?} failed in line {line}: {error}");
            if line > 0 { failed.at_line(line) } else { failed }
        }
    }
}

impl ChatTemplate {
    /// The templates in a model's directory; where there are none, the known format of the model's
    /// family, with a notice.
    ///
    /// # Errors
    /// [`Kind::NotFound`] where there is no template and the family is not known, and the errors of
    /// reading and compiling.
    pub fn from_dir(
        dir: &Path,
        tokenizer: &Tokenizer,
        hint: &super::FamilyHint,
    ) -> Result<(Self, Vec<Notice>), Error> {
        let sources = super::sources::template_sources(dir)?;
        Self::from_sources_or_family(sources, tokenizer, hint)
    }

    /// The same for templates that were read elsewhere, such as from a GGUF file: with none, the
    /// known format of the model's family.
    ///
    /// # Errors
    /// As [`ChatTemplate::from_dir`].
    pub fn from_sources_or_family(
        sources: Vec<(String, String)>,
        tokenizer: &Tokenizer,
        hint: &super::FamilyHint,
    ) -> Result<(Self, Vec<Notice>), Error> {
        let special = tokenizer.special_tokens();
        if !sources.is_empty() {
            return Ok((Self::from_sources(sources, special)?, Vec::new()));
        }
        let (format, because) = super::fallback::find(tokenizer, hint)?;
        let template = match format.source {
            Some(source) => Self::from_source(source, special)?,
            None => ChatTemplate {
                source: Source::Mistral(mistral::version(tokenizer)),
                special: special.clone(),
                limits: Limits::default(),
            },
        };
        let text = format!(
            "the model has no chat template; its prompts are written in the {} format, recognized by {because}",
            format.name
        );
        Ok((template, vec![Notice::new(Topic::ChatFormat, text)]))
    }
}
