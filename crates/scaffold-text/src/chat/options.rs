//! What a template is given beside the messages.

use scaffold_jinja::{DateTime, Json};

/// How a chat is rendered.
#[derive(Clone, Debug, PartialEq)]
pub struct RenderOptions {
    /// End with the beginning of the assistant's answer.
    pub add_generation_prompt: bool,
    /// Leave the last message open, so that the model goes on with it. No generation prompt is
    /// added then.
    pub continue_final_message: bool,
    /// Tools, as `{"type": "function", "function": {…}}`. Empty means that there are none.
    pub tools: Vec<Json>,
    /// Where the model's template writes no calls of tools, describe them in words, and calls and what
    /// they gave as text ([`tools_in_words`](crate::tools_in_words)). Otherwise such a template leaves
    /// them out, as in `transformers`. A [`ChatTemplate`](crate::ChatTemplate) itself does not look at
    /// this.
    pub tools_in_words: bool,
    /// Documents to answer from, as `{"title": …, "text": …}`. Empty means that there are none.
    pub documents: Vec<Json>,
    /// Further variables of the template: `enable_thinking`, `date_string`, …
    pub kwargs: Vec<(String, Json)>,
    /// Let the names of control tokens in messages, tools, documents and further variables count as
    /// those tokens, as `transformers` does unless told otherwise. Otherwise they are text, and a
    /// user cannot end a turn by typing `<|im_end|>`; for text without such names there is no
    /// difference.
    pub special_in_messages: bool,
    /// Where the arguments of a call are JSON in a string, as OpenAI's clients send them, and the
    /// template fails because it takes them apart, give it objects. Otherwise such a template
    /// fails, as in `transformers`; templates that print the string get it byte for byte in either
    /// case.
    pub parse_arguments: bool,
    /// Which of the model's templates to use. Without a name: `tool_use` where there are tools and
    /// the model has it, else `default`.
    pub template: Option<String>,
    /// What `strftime_now` sees; without it, the system's clock in UTC.
    pub now: Option<DateTime>,
}

impl Default for RenderOptions {
    /// A prompt for the assistant's next answer.
    fn default() -> Self {
        RenderOptions {
            add_generation_prompt: true,
            continue_final_message: false,
            tools: Vec::new(),
            tools_in_words: false,
            documents: Vec::new(),
            kwargs: Vec::new(),
            special_in_messages: false,
            parse_arguments: false,
            template: None,
            now: None,
        }
    }
}
