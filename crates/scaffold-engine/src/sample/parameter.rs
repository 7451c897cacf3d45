//! The parameters of the sampler that are one value each: names, ranges, neutral values and
//! meanings, for every door.
//!
//! A door reads text with [`Parameter::read`]; [`Sampling::check`] and the engine ask
//! [`Parameter::check`]. So all of them accept the same values, and refuse the others in the same
//! words. Ranges are those of `transformers` 5, whose processors raise an error outside of them;
//! where it takes more, the row says why this does not.

use std::fmt::Display;

use scaffold_error::{Error, err};

use super::sampling::Sampling;
use crate::request::Stop;

/// A parameter's value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// A number.
    Real(f32),
    /// A whole number.
    Count(usize),
    /// On or off.
    Switch(bool),
    /// Where random numbers begin.
    Seed(u64),
    /// None is set.
    None,
}

impl Value {
    /// The number, if it is one.
    pub fn real(self) -> Option<f32> {
        match self {
            Value::Real(x) => Some(x),
            _ => None,
        }
    }

    /// The whole number, if it is one.
    pub fn count(self) -> Option<usize> {
        match self {
            Value::Count(n) => Some(n),
            _ => None,
        }
    }

    /// The switch, if it is one.
    pub fn switch(self) -> Option<bool> {
        match self {
            Value::Switch(on) => Some(on),
            _ => None,
        }
    }
}

impl Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Real(x) => x.fmt(f),
            Value::Count(n) => n.fmt(f),
            Value::Switch(on) => on.fmt(f),
            Value::Seed(seed) => seed.fmt(f),
            Value::None => f.write_str("none"),
        }
    }
}

/// The values that a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Range {
    /// Finite numbers from `least` (itself only where it is `included`) to `most`.
    Real {
        /// The lower end.
        least: f32,
        /// Whether the lower end is accepted.
        included: bool,
        /// The upper end, which is accepted.
        most: f32,
    },
    /// Whole numbers from this one.
    Count(usize),
    /// True and false.
    Switch,
    /// Whole numbers of 64 bits, and none.
    Seed,
}

impl Range {
    const fn from(least: f32, most: f32) -> Self {
        Range::Real { least, included: true, most }
    }

    const fn above(least: f32, most: f32) -> Self {
        Range::Real { least, included: false, most }
    }

    /// Not a number is in no range, and an infinity is beyond every end.
    fn holds(self, value: Value) -> bool {
        match (self, value) {
            (Range::Real { least, included, most }, Value::Real(x)) => {
                x <= most && (x > least || included && x == least)
            }
            (Range::Count(least), Value::Count(n)) => n >= least,
            (Range::Switch, Value::Switch(_))
            | (Range::Seed, Value::Seed(_))
            | (Range::Seed | Range::Count(_), Value::None) => true,
            _ => false,
        }
    }

    fn read(self, text: &str) -> Option<Value> {
        match self {
            Range::Real { .. } => text.parse().ok().map(Value::Real),
            Range::Count(_) => whole(text).parse().ok().map(Value::Count),
            Range::Switch => switch(text).map(Value::Switch),
            // -1 is what llama.cpp and Ollama call none.
            Range::Seed if matches!(text, "none" | "-1") => Some(Value::None),
            Range::Seed => whole(text).parse().ok().map(Value::Seed),
        }
    }
}

/// Files have whole numbers with a point too: `50.0`.
fn whole(text: &str) -> &str {
    text.strip_suffix(".0").unwrap_or(text)
}

/// True or false, in Python's spelling and the shells'.
pub fn switch(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// The name, which is `transformers`' where it has the parameter.
    pub name: &'static str,
    /// Other programs' names for it.
    pub others: &'static [&'static str],
    /// What it takes.
    pub range: Range,
    /// The same in words.
    pub accepted: &'static str,
    /// The value that changes nothing.
    pub neutral: Value,
    /// What it does, in one sentence without a capital and a stop.
    pub meaning: &'static str,
    get: fn(&Sampling, &Stop) -> Value,
    put: fn(&mut Sampling, &mut Stop, Value),
}

impl Parameter {
    /// The row that goes by `name`.
    pub fn by_name(name: &str) -> Option<&'static Parameter> {
        ALL.iter().find(|row| row.name == name || row.others.contains(&name))
    }

    /// The value that `text` says.
    ///
    /// # Errors
    /// The error names parameter, text and range.
    pub fn read(&self, text: &str) -> Result<Value, Error> {
        self.range
            .read(text)
            .filter(|&value| self.range.holds(value))
            .ok_or_else(|| self.refused(format_args!("{text:?}")))
    }

    /// Whether `value` is in range.
    ///
    /// # Errors
    /// The error names parameter, value and range.
    pub fn check(&self, value: Value) -> Result<(), Error> {
        if self.range.holds(value) { Ok(()) } else { Err(self.refused(value)) }
    }

    /// The value that a request has.
    pub fn get(&self, sampling: &Sampling, stop: &Stop) -> Value {
        (self.get)(sampling, stop)
    }

    /// Puts a value into a request. One of another kind than the parameter's changes nothing.
    pub fn put(&self, sampling: &mut Sampling, stop: &mut Stop, value: Value) {
        (self.put)(sampling, stop, value);
    }

    fn refused(&self, value: impl Display) -> Error {
        out_of_range(self.name, value, self.accepted)
    }
}

/// A parameter or a setting has a value that it cannot have.
pub(crate) fn out_of_range(name: &str, value: impl Display, accepted: &str) -> Error {
    err!(Usage, "{name} is {value}: accepted is {accepted}").of_key(name)
}

/// The two ways into a field of [`Sampling`].
macro_rules! field {
    ($kind:ident, $name:ident) => {
        (
            |sampling: &Sampling, _: &Stop| Value::$kind(sampling.$name),
            |sampling: &mut Sampling, _: &mut Stop, value: Value| {
                if let Value::$kind(value) = value {
                    sampling.$name = value;
                }
            },
        )
    };
}

type Ways = (fn(&Sampling, &Stop) -> Value, fn(&mut Sampling, &mut Stop, Value));

const fn row(
    name: &'static str,
    range: Range,
    accepted: &'static str,
    neutral: Value,
    meaning: &'static str,
    ways: Ways,
) -> Parameter {
    Parameter { name, others: &[], range, accepted, neutral, meaning, get: ways.0, put: ways.1 }
}

const COUNT: &str = "a whole number, 0 or more (0 turns it off)";

/// `do_sample`.
pub const DO_SAMPLE: Parameter = row(
    "do_sample",
    Range::Switch,
    "true or false (also True, False, 1, 0, yes, no, on, off)",
    Value::Switch(false),
    "draw tokens at random; false always takes the likeliest",
    field!(Switch, do_sample),
);

/// `temperature`. 0 is an error in `transformers`; here it is greedy, as in the interfaces of
/// Ollama and OpenAI.
pub const TEMPERATURE: Parameter = row(
    "temperature",
    Range::from(0.0, f32::MAX),
    "a number, 0 or more (0 always takes the likeliest token)",
    Value::Real(1.0),
    "how far the choice of tokens is spread",
    field!(Real, temperature),
);

/// `top_k`. `transformers` has `None` or 0 for off.
pub const TOP_K: Parameter = row(
    "top_k",
    Range::Count(0),
    COUNT,
    Value::Count(0),
    "draw from this many of the likeliest tokens",
    field!(Count, top_k),
);

/// `top_p`. 0 is in range in `transformers`: the likeliest token is always kept.
pub const TOP_P: Parameter = row(
    "top_p",
    Range::from(0.0, 1.0),
    "a number from 0 to 1 (1 turns it off)",
    Value::Real(1.0),
    "draw from the likeliest tokens that make up this share",
    field!(Real, top_p),
);

/// `min_p`.
pub const MIN_P: Parameter = row(
    "min_p",
    Range::from(0.0, 1.0),
    "a number from 0 to 1 (0 turns it off)",
    Value::Real(0.0),
    "draw from tokens at least this fraction as likely as the likeliest",
    field!(Real, min_p),
);

/// `typical_p`. The warper of `transformers` takes what is above 0 and below 1, and `generate`
/// leaves it out at 1.
pub const TYPICAL_P: Parameter = row(
    "typical_p",
    Range::above(0.0, 1.0),
    "a number above 0, up to 1 (1 turns it off)",
    Value::Real(1.0),
    "draw from the tokens nearest to the expected surprise, up to this share",
    field!(Real, typical_p),
);

/// `repetition_penalty`.
pub const REPETITION_PENALTY: Parameter = Parameter {
    others: &["repeat_penalty"],
    ..row(
        "repetition_penalty",
        Range::above(0.0, f32::MAX),
        "a number above 0 (1 turns it off)",
        Value::Real(1.0),
        "make tokens that occurred, the prompt's too, less likely by this factor",
        field!(Real, repetition_penalty),
    )
};

/// `presence_penalty`, of OpenAI's interface. Its bounds there, −2 and 2, are a service's and not
/// the formula's.
pub const PRESENCE_PENALTY: Parameter = row(
    "presence_penalty",
    Range::from(f32::MIN, f32::MAX),
    "a number (0 turns it off)",
    Value::Real(0.0),
    "take this from the logit of every token of the answer so far",
    field!(Real, presence_penalty),
);

/// `frequency_penalty`, of OpenAI's interface, as [`PRESENCE_PENALTY`].
pub const FREQUENCY_PENALTY: Parameter = row(
    "frequency_penalty",
    Range::from(f32::MIN, f32::MAX),
    "a number (0 turns it off)",
    Value::Real(0.0),
    "take this from a token's logit for each time the answer has it",
    field!(Real, frequency_penalty),
);

/// `no_repeat_ngram_size`.
pub const NO_REPEAT_NGRAM_SIZE: Parameter = row(
    "no_repeat_ngram_size",
    Range::Count(0),
    COUNT,
    Value::Count(0),
    "let no run of this many tokens occur twice",
    field!(Count, no_repeat_ngram_size),
);

/// `min_new_tokens`.
pub const MIN_NEW_TOKENS: Parameter = row(
    "min_new_tokens",
    Range::Count(0),
    COUNT,
    Value::Count(0),
    "no end before this many new tokens",
    field!(Count, min_new_tokens),
);

/// `min_length`.
pub const MIN_LENGTH: Parameter = row(
    "min_length",
    Range::Count(0),
    COUNT,
    Value::Count(0),
    "no end before prompt and answer have this many tokens",
    field!(Count, min_length),
);

/// `seed`: those of [`Sampling::seed`]'s type.
pub const SEED: Parameter = row(
    "seed",
    Range::Seed,
    "a whole number, 0 or more, or -1 for another one each time (also none)",
    Value::None,
    "seed of the random numbers: the same seed gives the same answer",
    (
        |sampling, _| sampling.seed.map_or(Value::None, Value::Seed),
        |sampling, _, value| match value {
            Value::Seed(seed) => sampling.seed = Some(seed),
            Value::None => sampling.seed = None,
            _ => {}
        },
    ),
);

/// `max_new_tokens`. None, as many as the context holds, is not said in words: `transformers` has
/// no word for it either.
pub const MAX_NEW_TOKENS: Parameter = Parameter {
    others: &["num_predict"],
    ..row(
        "max_new_tokens",
        Range::Count(1),
        "a whole number, 1 or more",
        Value::None,
        "new tokens in an answer, at most",
        (
            |_, stop| stop.max_new_tokens.map_or(Value::None, Value::Count),
            |_, stop, value| {
                if let Value::Count(count) = value {
                    stop.max_new_tokens = Some(count);
                }
            },
        ),
    )
};

/// Every parameter.
pub static ALL: [Parameter; 14] = [
    TEMPERATURE,
    DO_SAMPLE,
    TOP_K,
    TOP_P,
    MIN_P,
    TYPICAL_P,
    REPETITION_PENALTY,
    PRESENCE_PENALTY,
    FREQUENCY_PENALTY,
    NO_REPEAT_NGRAM_SIZE,
    MIN_NEW_TOKENS,
    MIN_LENGTH,
    SEED,
    MAX_NEW_TOKENS,
];

#[cfg(test)]
mod tests;
