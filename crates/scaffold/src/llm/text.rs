//! The text side of a model: tokenizer, chat format, and the tokens that end an answer.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use scaffold_engine::{Constraint, Limits};
use scaffold_error::{Kind, Notice, Topic, err};
use scaffold_formats::{ConfigJson, GenerationConfig};
use scaffold_grammar::Grammar;
use scaffold_text::{
    ChatTemplate, Described, EncodeOptions, FillInMiddle, Tokenizer, tools_in_words,
};

use super::called::{ToolChoice, Writer, is_any_strict};
use super::constrained::{Grammars, Thinks, Thoughts};
use super::format::{ChatFormat, encode_written};
use super::options::GenerateOptions;
use super::spoken::Spoken;
use crate::error::{Error, no_chat_format};
use crate::model::{Model, TextFiles};
use crate::{Message, RenderOptions};

/// Everything about a model that concerns text.
#[derive(Debug)]
pub(crate) struct ModelText {
    pub(crate) tokenizer: Arc<Tokenizer>,
    format: Option<ChatFormat>,
    /// Tokens that end an answer: of `config.json`, `generation_config.json` and the tokenizer.
    pub(crate) eos: Vec<u32>,
    /// How it is asked for what stands between two texts.
    pub(crate) middle: Option<FillInMiddle>,
    /// What the model's makers recommend for generating.
    pub(crate) recommended: GenerationConfig,
    limits: Limits,
    /// Found out when it is asked for first.
    spoken: OnceLock<Spoken>,
    /// The same where tools are described in words.
    in_words: OnceLock<Spoken>,
    grammars: Grammars,
}

impl ModelText {
    /// Reads tokenizer, chat template and generation settings beside, or inside, the weights.
    pub(crate) fn of(model: &Model, notices: &mut Vec<Notice>) -> Result<Self, Error> {
        let (recommended, mut eos) = match model.gguf() {
            Some(_) => (GenerationConfig::default(), Vec::new()),
            None => generation_settings(model.path())?,
        };
        let TextFiles { tokenizer, template, notices: told } = model.text()?;
        notices.extend(told);
        for &id in tokenizer.eos_ids() {
            if !eos.contains(&id) {
                eos.push(id);
            }
        }
        let format = match template {
            Ok(template) => Some(ChatFormat::new(template, &tokenizer)),
            Err(error) if error.kind() == Kind::NotFound => {
                let text =
                    format!("prompts are continued as plain text, without a chat format: {error}");
                notices.push(Notice::new(Topic::ChatFormat, text));
                None
            }
            Err(error) => return Err(error),
        };
        let middle = model.fill_in_middle(&tokenizer)?;
        let (tokenizer, limits) = (Arc::new(tokenizer), model.options().limits.clone());
        let (spoken, in_words) = (OnceLock::new(), OnceLock::new());
        let grammars = Grammars::default();
        Ok(Self { tokenizer, format, eos, middle, recommended, limits, spoken, in_words, grammars })
    }

    /// The same with another chat template.
    pub(crate) fn with_template(&self, source: &str) -> Result<Self, Error> {
        let template = ChatTemplate::from_source(source, self.tokenizer.special_tokens())?;
        Ok(Self {
            tokenizer: Arc::clone(&self.tokenizer),
            format: Some(ChatFormat::new(template, &self.tokenizer)),
            eos: self.eos.clone(),
            middle: self.middle.clone(),
            recommended: self.recommended.clone(),
            limits: self.limits.clone(),
            spoken: OnceLock::new(),
            in_words: OnceLock::new(),
            grammars: Grammars::default(),
        })
    }

    /// The ids of what the user says, in a chat that may begin before: in the model's chat format,
    /// unless it is written in it already or the model has none. With `special_as_text` nothing
    /// counts as written in it.
    pub(crate) fn prompt(
        &self,
        text: &str,
        special_as_text: bool,
        chat: impl FnOnce(Message) -> Vec<Message>,
    ) -> Result<Vec<u32>, Error> {
        self.limits.check_text(text.len())?;
        match &self.format {
            Some(format) if !special_as_text && format.is_written(text) => {
                Ok(encode_written(&self.tokenizer, text)?)
            }
            Some(_) => self.chat(&chat(Message::user(text)), &RenderOptions::default()),
            None => {
                let texts: Vec<String> =
                    chat(Message::user(text)).iter().map(Message::text).collect();
                self.plain(&texts.join("\n\n"), special_as_text)
            }
        }
    }

    /// The ids of a text that the model continues as it is.
    pub(crate) fn plain(&self, text: &str, special_as_text: bool) -> Result<Vec<u32>, Error> {
        self.limits.check_text(text.len())?;
        let options = EncodeOptions { add_special: true, parse_special: !special_as_text };
        Ok(self.tokenizer.encode(text, &options)?.ids)
    }

    /// The ids of a prompt for what stands between two texts.
    pub(crate) fn between(&self, before: &str, after: &str) -> Result<Vec<u32>, Error> {
        self.limits.check_text(before.len().saturating_add(after.len()))?;
        let middle = self.middle.as_ref().ok_or_else(|| {
            err!(
                Unsupported,
                "the model does not support insert: its tokenizer has no tokens for what stands between two texts, such as <|fim_prefix|>"
            )
            .of_key("suffix")
            .remedy("leave the suffix out, or take a model for code that has them, such as Qwen/Qwen2.5-Coder-1.5B")
        })?;
        middle.prompt(&self.tokenizer, before, after)
    }

    /// The ids of a chat.
    pub(crate) fn chat(
        &self,
        messages: &[Message],
        options: &RenderOptions,
    ) -> Result<Vec<u32>, Error> {
        let format = self.format.as_ref().ok_or_else(no_chat_format)?;
        if messages.is_empty() {
            return Err(
                err!(Usage, "the chat has no messages: give at least one").of_key("messages")
            );
        }
        self.limits.check_text(messages.iter().map(|message| message.text().len()).sum())?;
        let prompt = self.written(
            messages,
            options,
            |messages, options| format.prompt(messages, options),
            scaffold_text::Prompt::text,
        )?;
        check_roles(messages, &prompt.text())?;
        Ok(self.tokenizer.encode_prompt(&prompt)?.ids)
    }

    /// How the model writes thoughts and calls.
    pub(super) fn spoken(&self) -> &Spoken {
        self.spoken.get_or_init(|| {
            let syntax = self.format.as_ref().map(ChatFormat::syntax).unwrap_or_default();
            Spoken::new(syntax, &self.tokenizer)
        })
    }

    /// The same for a chat of these options.
    pub(super) fn spoken_in(&self, options: &RenderOptions) -> &Spoken {
        let own = self.spoken();
        if !options.tools_in_words || own.syntax.has_calls() {
            return own;
        }
        self.in_words.get_or_init(|| Spoken::new(own.syntax.clone().or_general(), &self.tokenizer))
    }

    /// Whether calls of strict tools are held to their schemas where the model need not call.
    pub(super) fn can_be_strict(&self, options: &RenderOptions) -> bool {
        Writer::new(&self.spoken_in(options).syntax, &self.tokenizer).can_be_strict()
    }

    /// Writes a chat by `by`, with its tools in words where the template knows none and the options
    /// want that; `text` is what was written.
    fn written<T>(
        &self,
        messages: &[Message],
        options: &RenderOptions,
        by: impl Fn(&[Message], &RenderOptions) -> Result<T, Error>,
        text: impl Fn(&T) -> String,
    ) -> Result<T, Error> {
        let speaks_of_tools = !options.tools.is_empty()
            || messages.iter().any(|one| one.role() == "tool" || !one.tool_calls().is_empty());
        if !speaks_of_tools || !self.spoken_in(options).syntax.is_general() {
            return by(messages, options);
        }
        let plain = RenderOptions { tools: Vec::new(), ..options.clone() };
        let by_system = tools_in_words(messages, &options.tools, Described::BySystem);
        if let Ok(written) = by(&by_system, &plain) {
            let whole = text(&written);
            let is_there = |one: &Message| whole.contains(one.text().trim());
            // Some templates leave the system's message out without a word.
            if by_system.iter().filter(|one| one.role() == "system").all(is_there) {
                return Ok(written);
            }
        }
        by(&tools_in_words(messages, &options.tools, Described::ByUser), &plain)
    }

    /// Whether an answer to this prompt begins with thoughts, because the prompt opens them.
    pub(super) fn opens_thoughts(&self, prompt: &[u32]) -> Result<bool, Error> {
        /// A mark, in whatever tokens, and white space behind it.
        const MARK: usize = 32;
        let end = &prompt[prompt.len().saturating_sub(MARK)..];
        Ok(self.spoken().syntax.is_opened_by(&self.tokenizer.decode(end, false)?))
    }

    /// What an answer to this prompt has to keep to, if to anything.
    pub(super) fn constraint(
        &self,
        options: &GenerateOptions,
        prompt: &[u32],
        thinks: Thinks,
    ) -> Result<Option<Constraint>, Error> {
        let grammar = self.grammar(options, thinks)?;
        if grammar.is_none() && options.thinking_budget.is_none() {
            return Ok(None);
        }
        let opened = self.opens_thoughts(prompt)?;
        let budget = options.thinking_budget;
        let thoughts =
            self.spoken().thoughts.clone().map(|marks| Thoughts { marks, opened, budget });
        let thoughts = thoughts.filter(|_| opened || thinks == Thinks::IfItLikes);
        if let Some(grammar) = &grammar {
            return self.grammars.constraint(grammar, &self.tokenizer, thoughts).map(Some);
        }
        let thoughts = thoughts.zip(budget);
        Ok(thoughts.map(|(thoughts, budget)| Grammars::budget(&self.tokenizer, thoughts, budget)))
    }

    /// The grammar of a whole answer: calls of tools, what was asked for, or one of the two.
    fn grammar(&self, options: &GenerateOptions, thinks: Thinks) -> Result<Option<Grammar>, Error> {
        let (choice, tools) = (&options.tool_choice, &options.render.tools);
        let strict = is_any_strict(tools);
        if options.grammar.is_none() && *choice == ToolChoice::Auto && !strict {
            return Ok(None);
        }
        // Nobody would tell calls and channels apart from the text.
        if thinks == Thinks::IfOpened {
            return Ok(options.grammar.clone());
        }
        let syntax = &self.spoken_in(&options.render).syntax;
        let writer = Writer::new(syntax, &self.tokenizer);
        if *choice != ToolChoice::Auto {
            return writer.required(choice, tools, options.one_call).map(Some);
        }
        let Some(answer) = options.grammar.clone() else {
            let held = writer.can_be_strict().then(|| writer.strict(tools, options.one_call));
            return held.unwrap_or(Ok(None));
        };
        if tools.is_empty() || !syntax.has_calls() {
            return Ok(Some(writer.answer(answer)));
        }
        writer.either(answer, tools, options.one_call).map(Some)
    }

    /// The text of a chat, as the model reads it.
    pub(crate) fn render(
        &self,
        messages: &[Message],
        options: &RenderOptions,
    ) -> Result<String, Error> {
        match &self.format {
            Some(format) => Ok(self.written(
                messages,
                options,
                |messages, options| format.render(messages, options),
                String::clone,
            )?),
            None => Err(no_chat_format()),
        }
    }
}

/// A template writes nothing of roles that it does not know, and says nothing either.
fn check_roles(messages: &[Message], written: &str) -> Result<(), Error> {
    let strange = |role: &str| !KNOWN_ROLES.contains(&role);
    for (index, message) in messages.iter().enumerate() {
        let (role, text) = (message.role(), message.text());
        if strange(role) && !text.trim().is_empty() && !written.contains(text.trim()) {
            return Err(err!(
                Usage,
                "its role is {role:?}, and the model's chat template writes nothing of it\n  accepted: {}",
                KNOWN_ROLES.join(", ")
            )
            .in_item("message", index)
            .of_key("messages"));
        }
    }
    Ok(())
}

/// What interfaces and templates call those who speak.
const KNOWN_ROLES: [&str; 5] = ["system", "user", "assistant", "tool", "developer"];

/// What `generation_config.json` recommends, or `config.json` where there is none, and the ends
/// that both name.
fn generation_settings(directory: &Path) -> Result<(GenerationConfig, Vec<u32>), Error> {
    let of_model = GenerationConfig::from_json(&ConfigJson::open(directory)?)?;
    let recommended = GenerationConfig::from_dir(directory)?;
    let mut eos = of_model.eos_token_ids.clone();
    let more = recommended.iter().flat_map(|config| &config.eos_token_ids);
    for &id in more {
        if !eos.contains(&id) {
            eos.push(id);
        }
    }
    Ok((recommended.unwrap_or(of_model), eos))
}
