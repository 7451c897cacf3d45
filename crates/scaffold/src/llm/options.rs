//! How one answer is made, where a call says more than nothing.

use scaffold_engine::parameter::{self, Parameter, Value};
use scaffold_engine::{Sampling, Standing, Stop};
use scaffold_error::err;
use scaffold_grammar::Grammar;
use scaffold_text::RenderOptions;
use serde::{Deserialize, Serialize};

use super::called::ToolChoice;
use super::defaults::Defaults;
use crate::error::Error;

/// A field for each parameter of the sampler, with the way in by name and by value.
macro_rules! options {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $kind:ident $row:ident,)*) => {
        /// How an answer is made. What is not said is as the settings say, then as the model's
        /// makers recommend, then as by default.
        ///
        /// Whoever names a way of drawing (a temperature above 0, `top_p`, …) wants tokens to be
        /// drawn, also where the settings say greedy; who asks for both in one call is refused.
        ///
        /// ```
        /// use scaffold::GenerateOptions;
        ///
        /// let options = GenerateOptions::new().temperature(0.7).seed(42).max_new_tokens(200).stop("\n\n");
        /// assert_eq!(options.temperature, Some(0.7));
        /// let same: GenerateOptions = serde_json::from_str(
        ///     r#"{"temperature": 0.7, "seed": 42, "max_new_tokens": 200, "stop": ["\n\n"]}"#,
        /// )?;
        /// assert_eq!(options, same);
        /// # Ok::<(), serde_json::Error>(())
        /// ```
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        #[non_exhaustive]
        pub struct GenerateOptions {
            $($(#[$doc])* #[serde(skip_serializing_if = "Option::is_none")] pub $name: Option<$type>,)*
            /// The answer ends before the first of these texts, in place of those that the model's
            /// makers recommend.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub stop: Option<Vec<String>>,
            /// Tokens that end the answer like an end-of-sequence token.
            #[serde(skip_serializing_if = "Vec::is_empty")]
            pub stop_ids: Vec<u32>,
            /// Goes on after the model's own end of the answer.
            #[serde(skip_serializing_if = "std::ops::Not::not")]
            pub ignore_eos: bool,
            /// Added to the logits of these tokens, before everything else.
            #[serde(skip_serializing_if = "Vec::is_empty")]
            pub logit_bias: Vec<(u32, f32)>,
            /// Reports the log-probability of each token, and of so many of the most probable ones
            /// in its place.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub logprobs: Option<usize>,
            /// Reports the log-probability of each token of the prompt but the first, given all
            /// before it, and of so many of the most probable ones in its place.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub prompt_logprobs: Option<usize>,
            /// What the answer has to keep to, from its first character to its last: a JSON schema, a
            /// regular expression, a grammar or a list of choices. Thoughts before it are free.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub grammar: Option<Grammar>,
            /// Tokens that thoughts of a chat's answer may have; then they are closed, and the answer
            /// begins. For models that mark their thoughts.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub thinking_budget: Option<usize>,
            /// Where the request stands among others: its priority, whose it is, how long it may
            /// wait, and with whom it shares what was computed. It never changes an answer.
            #[serde(skip)]
            pub standing: Standing,
            /// Whether a chat's answer has to call one of the tools. What it calls is valid by the tool's
            /// schema then.
            #[serde(skip)]
            pub tool_choice: ToolChoice,
            /// An answer that has to call does so once; without it, as often as it likes.
            #[serde(skip)]
            pub one_call: bool,
            /// How a chat is written for the model: tools, and variables of its template. A prompt
            /// that is no chat has none of it.
            #[serde(skip)]
            pub render: RenderOptions,
        }

        impl GenerateOptions {
            $($(#[$doc])* #[must_use]
            pub fn $name(mut self, value: $type) -> Self {
                self.$name = Some(value);
                self
            })*

            /// The parameters that are said, in the order of the table.
            fn said(&self) -> Vec<(&'static Parameter, Value)> {
                let values = [$((&parameter::$row, self.$name.map(Value::$kind)),)*];
                values.into_iter().filter_map(|(row, value)| Some((row, value?))).collect()
            }

            /// Says a value of the table of [parameters](scaffold_engine::parameter). One of
            /// another kind than the parameter's changes nothing; none takes back what was said.
            pub fn set(&mut self, row: &Parameter, value: Value) {
                $(if row.name == parameter::$row.name {
                    match value {
                        Value::$kind(value) => self.$name = Some(value),
                        Value::None => self.$name = None,
                        _ => {}
                    }
                })*
            }
        }
    };
}

options! {
    /// How far the choice of tokens is spread; 0 always takes the likeliest.
    temperature: f32 = Real TEMPERATURE,
    /// Whether tokens are drawn at random.
    do_sample: bool = Switch DO_SAMPLE,
    /// Draws from this many of the likeliest tokens; 0 is off.
    top_k: usize = Count TOP_K,
    /// Draws from the likeliest tokens that make up this share; 1 is off.
    top_p: f32 = Real TOP_P,
    /// Draws from tokens at least this fraction as likely as the likeliest; 0 is off.
    min_p: f32 = Real MIN_P,
    /// Draws from the tokens nearest to the expected surprise, up to this share; 1 is off.
    typical_p: f32 = Real TYPICAL_P,
    /// Makes tokens that occurred, the prompt's too, less likely by this factor; 1 is off.
    repetition_penalty: f32 = Real REPETITION_PENALTY,
    /// Taken from the logit of every token of the answer so far; 0 is off.
    presence_penalty: f32 = Real PRESENCE_PENALTY,
    /// Taken from a token's logit for each time the answer has it; 0 is off.
    frequency_penalty: f32 = Real FREQUENCY_PENALTY,
    /// No run of this many tokens occurs twice; 0 is off.
    no_repeat_ngram_size: usize = Count NO_REPEAT_NGRAM_SIZE,
    /// No end before this many new tokens.
    min_new_tokens: usize = Count MIN_NEW_TOKENS,
    /// No end before prompt and answer have this many tokens.
    min_length: usize = Count MIN_LENGTH,
    /// Where random numbers begin: the same seed gives the same answer.
    seed: u64 = Seed SEED,
    /// New tokens in the answer, at most.
    max_new_tokens: usize = Count MAX_NEW_TOKENS,
}

impl GenerateOptions {
    /// The parameters that say how tokens are drawn.
    pub const DRAWING: [&Parameter; 5] = [
        &parameter::TEMPERATURE,
        &parameter::TOP_K,
        &parameter::TOP_P,
        &parameter::MIN_P,
        &parameter::TYPICAL_P,
    ];

    /// Says nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Always takes the likeliest token.
    #[must_use]
    pub fn greedy(self) -> Self {
        self.do_sample(false)
    }

    /// The answer ends before this text; may be said more than once.
    #[must_use]
    pub fn stop(mut self, text: impl Into<String>) -> Self {
        self.stop.get_or_insert_default().push(text.into());
        self
    }

    /// The answer ends with this token; may be said more than once.
    #[must_use]
    pub fn stop_id(mut self, id: u32) -> Self {
        self.stop_ids.push(id);
        self
    }

    /// Goes on after the model's own end of the answer.
    #[must_use]
    pub fn ignore_eos(mut self) -> Self {
        self.ignore_eos = true;
        self
    }

    /// Adds to the logit of a token, before everything else; may be said more than once.
    #[must_use]
    pub fn bias(mut self, id: u32, bias: f32) -> Self {
        self.logit_bias.push((id, bias));
        self
    }

    /// Reports the log-probability of each token, and of so many of the most probable ones in its
    /// place.
    #[must_use]
    pub fn logprobs(mut self, most_probable: usize) -> Self {
        self.logprobs = Some(most_probable);
        self
    }

    /// Reports the log-probability of each token of the prompt but the first, and of so many of the
    /// most probable ones in its place.
    #[must_use]
    pub fn prompt_logprobs(mut self, most_probable: usize) -> Self {
        self.prompt_logprobs = Some(most_probable);
        self
    }

    /// The answer is a JSON value that is valid by this schema. A schema
    /// that cannot be followed wholly is refused, with the keyword and its place.
    #[must_use]
    pub fn schema(self, schema: serde_json::Value) -> Self {
        self.grammar(Grammar::Schema(schema))
    }

    /// The answer is one of these texts.
    #[must_use]
    pub fn choices<S: Into<String>>(self, choices: impl IntoIterator<Item = S>) -> Self {
        self.grammar(Grammar::choices(choices))
    }

    /// The answer is a text that this regular expression matches as a whole.
    #[must_use]
    pub fn regex(self, regex: impl Into<String>) -> Self {
        self.grammar(Grammar::Regex(regex.into()))
    }

    /// What the answer has to keep to.
    #[must_use]
    pub fn grammar(mut self, grammar: Grammar) -> Self {
        self.grammar = Some(grammar);
        self
    }

    /// Tokens that thoughts of a chat's answer may have.
    #[must_use]
    pub fn thinking_budget(mut self, tokens: usize) -> Self {
        self.thinking_budget = Some(tokens);
        self
    }

    /// Whether a chat's answer has to call one of the tools.
    #[must_use]
    pub fn tool_choice(mut self, choice: ToolChoice) -> Self {
        self.tool_choice = choice;
        self
    }

    /// Where the request stands among others.
    #[must_use]
    pub fn standing(mut self, standing: Standing) -> Self {
        self.standing = standing;
        self
    }

    /// How a chat is written for the model.
    #[must_use]
    pub fn render(mut self, options: RenderOptions) -> Self {
        self.render = options;
        self
    }

    /// Whether what is said makes sense, whatever the model.
    ///
    /// # Errors
    /// A value out of its range, a way of drawing together with greedy, or a grammar that answers cannot
    /// be held to, as far as that can be said without a model.
    pub fn check(&self) -> Result<(), Error> {
        if let Some(grammar) = &self.grammar {
            grammar.check()?;
        }
        self.check_values()
    }

    fn check_values(&self) -> Result<(), Error> {
        for (row, value) in self.said() {
            row.check(value)?;
        }
        match (self.drawing(), self.do_sample) {
            (Some((row, value)), Some(false)) => Err(err!(
                Usage,
                "{} is {value} and do_sample is false: the one draws tokens, the other always takes the likeliest; leave one out",
                row.name
            )
            .of_key(row.name)),
            _ => Ok(()),
        }
    }

    /// The first thing that is said of how tokens are drawn, if any is.
    fn drawing(&self) -> Option<(&'static Parameter, Value)> {
        self.said().into_iter().find(|(row, value)| {
            // Greedy, in words of a temperature.
            let greedy = row.name == parameter::TEMPERATURE.name && *value == Value::Real(0.0);
            let draws = Self::DRAWING.iter().any(|drawing| drawing.name == row.name);
            draws && !greedy && *value != row.neutral
        })
    }

    /// Lays what is said over what holds otherwise.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub(crate) fn over(&self, defaults: &Defaults) -> Result<(Sampling, Stop), Error> {
        self.check_values()?;
        let (mut sampling, mut stop) = (defaults.sampling.clone(), defaults.stop.clone());
        sampling.do_sample |= self.drawing().is_some();
        for (row, value) in self.said() {
            row.put(&mut sampling, &mut stop, value);
        }
        if let Some(strings) = &self.stop {
            stop.strings.clone_from(strings);
        }
        stop.ids.extend_from_slice(&self.stop_ids);
        stop.ignore_eos |= self.ignore_eos;
        sampling.logit_bias.extend_from_slice(&self.logit_bias);
        Ok((sampling, stop))
    }
}
