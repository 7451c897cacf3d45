//! What a call asks for, as Python writes it: one object of JSON.

use scaffold::engine::{Priority, Standing};
use scaffold::text::Json;
use scaffold::{Error, GenerateOptions, Grammar, Kind, Message, RenderOptions, ToolChoice};
use serde::Deserialize;
use std::time::Duration;

use crate::errors::read;

/// What a call asks for.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Asked {
    /// How the answer is made.
    options: GenerateOptions,
    chat: Chat,
    standing: Stand,
    /// A grammar in whichever of the two notations it is written.
    grammar: Option<String>,
    /// Answers to the same prompt.
    pub(crate) count: usize,
}

/// How a chat is written for the model.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Chat {
    tools: Vec<Json>,
    tools_in_words: bool,
    documents: Vec<Json>,
    /// Further variables of the template.
    variables: Json,
    template: Option<String>,
    continue_final_message: bool,
    add_generation_prompt: bool,
    special_in_messages: bool,
    /// One of the tools has to be called.
    must_call: bool,
    /// This tool has to be called.
    call: Option<String>,
    one_call: bool,
}

/// Where the request stands among others.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Stand {
    batch: bool,
    owner: Option<String>,
    /// Seconds.
    max_wait: Option<f64>,
    salt: Option<String>,
    join: bool,
}

impl Default for Asked {
    fn default() -> Self {
        Self {
            options: GenerateOptions::new(),
            chat: Chat::default(),
            standing: Stand::default(),
            grammar: None,
            count: 1,
        }
    }
}

impl Default for Chat {
    fn default() -> Self {
        Self {
            tools: Vec::new(),
            tools_in_words: true,
            documents: Vec::new(),
            variables: Json::object(),
            template: None,
            continue_final_message: false,
            add_generation_prompt: true,
            special_in_messages: false,
            must_call: false,
            call: None,
            one_call: false,
        }
    }
}

impl Chat {
    fn over(self, options: &mut GenerateOptions) -> Result<(), Error> {
        let Json::Object(kwargs) = self.variables else {
            let text = "the further variables of the template are no object: give a dictionary of names and values";
            return Err(Error::new(Kind::Usage, text).of_key("template_variables"));
        };
        options.render = RenderOptions {
            tools: self.tools,
            tools_in_words: self.tools_in_words,
            documents: self.documents,
            kwargs,
            template: self.template,
            continue_final_message: self.continue_final_message,
            add_generation_prompt: self.add_generation_prompt,
            special_in_messages: self.special_in_messages,
            parse_arguments: true,
            ..RenderOptions::default()
        };
        options.one_call = self.one_call;
        options.tool_choice = match self.call {
            Some(name) => ToolChoice::Named(name),
            None if self.must_call => ToolChoice::Required,
            None => ToolChoice::Auto,
        };
        Ok(())
    }
}

impl Stand {
    fn standing(self) -> Result<Standing, Error> {
        let wait = |seconds: f64| {
            Duration::try_from_secs_f64(seconds).map_err(|_| {
                let text = format!("max_wait is {seconds}\n  accepted: seconds, 0 or more");
                Error::new(Kind::Usage, text).of_key("max_wait")
            })
        };
        Ok(Standing {
            priority: if self.batch { Priority::Batch } else { Priority::Interactive },
            owner: self.owner.map(Into::into),
            max_wait: self.max_wait.map(wait).transpose()?,
            salt: self.salt.map(Into::into),
            join: self.join,
        })
    }
}

impl Asked {
    /// Reads what Python has written.
    pub(crate) fn read(json: &str) -> Result<Self, Error> {
        let mut asked: Self = read("options", json)?;
        std::mem::take(&mut asked.chat).over(&mut asked.options)?;
        if let Some(grammar) = asked.grammar.take() {
            asked.options.grammar = Some(Grammar::of_text(grammar));
        }
        asked.options.standing = std::mem::take(&mut asked.standing).standing()?;
        Ok(asked)
    }

    /// How the answer is made.
    pub(crate) fn options(&self) -> &GenerateOptions {
        &self.options
    }
}

/// The messages of a chat.
pub(crate) fn messages(json: &str) -> Result<Vec<Message>, Error> {
    let list: Vec<Json> = read("messages", json)?;
    let numbered = list.into_iter().enumerate();
    numbered
        .map(|(at, one)| Message::try_from(one).map_err(|error| error.in_item("message", at)))
        .collect()
}
