//! What both interfaces say of how answers are made, and of how likely their tokens are.

use scaffold::registry::KeepAlive;
use scaffold::{Candidate, GenerateOptions, Logprob};
use serde_json::{Value, json};

use crate::clock::keep_alive_of;
use crate::fault::Fault;
use crate::fields::Fields;

/// Tokens that are told beside a chosen one, at most: what both interfaces promise.
pub(crate) const MOST_TOP: usize = 20;

/// The parameters that have the same name in both interfaces.
pub(crate) fn common(fields: &mut Fields, options: &mut GenerateOptions) -> Result<(), Fault> {
    if let Some(value) = fields.real("temperature")? {
        options.temperature = Some(value);
        // Who names one wants tokens to be drawn, whatever the settings say: also with 1, which
        // changes nothing else.
        if value > 0.0 {
            options.do_sample = Some(true);
        }
    }
    if let Some(value) = fields.real("top_p")? {
        options.top_p = Some(value);
    }
    if let Some(value) = fields.real("min_p")? {
        options.min_p = Some(value);
    }
    if let Some(value) = fields.real("typical_p")? {
        options.typical_p = Some(value);
    }
    if let Some(value) = fields.real("presence_penalty")? {
        options.presence_penalty = Some(value);
    }
    if let Some(value) = fields.real("frequency_penalty")? {
        options.frequency_penalty = Some(value);
    }
    // -1 is off for some clients, as 0 is.
    if let Some(value) = fields.whole("top_k")? {
        options.top_k = Some(usize::try_from(value).unwrap_or(0));
    }
    if let Some(value) = fields.whole("seed")? {
        options.seed = match value {
            -1 => None,
            value => Some(u64::try_from(value).map_err(|_| {
                fields.wrong(
                    "seed",
                    &json!(value),
                    "a whole number, 0 or more, or -1 for another one each time",
                )
            })?),
        };
    }
    if let Some(tokens) = fields.count("thinking_budget")? {
        options.thinking_budget = Some(tokens);
    }
    if let Some(texts) = fields.texts("stop")? {
        options.stop = Some(texts.into_iter().filter(|text| !text.is_empty()).collect());
    }
    Ok(())
}

/// Says of an answer, or of why it ended, that its thoughts were closed by force.
pub(crate) fn add_thoughts(object: &mut Value, cut: bool) {
    if cut {
        object["thinking_finish_reason"] = "length".into();
    }
}

/// `logprobs` as a switch and `top_logprobs` as a number.
pub(crate) fn logprobs(fields: &mut Fields) -> Result<Option<usize>, Fault> {
    let wanted = fields.flag("logprobs")?.unwrap_or(false);
    let top = fields.count("top_logprobs")?;
    match top {
        Some(top) if top > MOST_TOP => {
            Err(fields.wrong("top_logprobs", &json!(top), "a whole number from 0 to 20"))
        }
        Some(top) if top > 0 && !wanted => Err(Fault::field(
            "top_logprobs",
            "top_logprobs says what stands beside logprobs: set \"logprobs\": true, too",
        )),
        _ => Ok(wanted.then(|| top.unwrap_or(0))),
    }
}

/// `keep_alive`: seconds, or a length of time as Go writes it; below zero for ever.
pub(crate) fn keep_alive(fields: &mut Fields) -> Result<Option<KeepAlive>, Fault> {
    let Some(value) = fields.take("keep_alive") else {
        return Ok(None);
    };
    let time = match &value {
        Value::Number(number) => keep_alive_of(&number.to_string()),
        Value::String(text) => keep_alive_of(text),
        _ => None,
    };
    let accepted =
        "seconds, or a text such as \"5m\" or \"1h30m\"; below zero: for ever, 0: not at all";
    time.map(Some).ok_or_else(|| fields.wrong("keep_alive", &value, accepted))
}

/// A token and how likely it is, with those beside it.
pub(crate) fn logprob(one: &Logprob) -> Value {
    let token =
        |it: &Candidate| json!({"token": it.token, "logprob": it.logprob, "bytes": it.bytes});
    let mut value = token(&one.chosen);
    value["top_logprobs"] = one.top.iter().map(token).collect();
    value
}

/// Log-probabilities of the tokens that are text: what ended an answer is none of it.
pub(crate) fn of_text<'l>(
    logprobs: &'l [Logprob],
    ends: &'l [u32],
) -> impl Iterator<Item = &'l Logprob> {
    logprobs.iter().filter(move |one| !ends.contains(&one.chosen.id))
}
