//! How an answer is made, as OpenAI's clients say it, with what vLLM and llama.cpp take besides.

use scaffold::GenerateOptions;
use scaffold::registry::KeepAlive;
use scaffold::text::Tokenizer;
use serde_json::Value;

use crate::call::Call;
use crate::fault::Fault;
use crate::fields::{Fields, whole};
use crate::forms;
use crate::sampling;

/// What chats and completions share.
pub(super) struct Parameters {
    pub(super) model: String,
    pub(super) options: GenerateOptions,
    /// Answers to each prompt.
    pub(super) n: usize,
    pub(super) stream: bool,
    /// The stream tells how many tokens there were.
    pub(super) usage: bool,
    pub(super) keep: Option<KeepAlive>,
}

/// What is not done here, and why.
const REFUSED: [(&str, &str); 6] = [
    ("functions", "functions are tools by now: use tools"),
    ("audio", "answers are text: leave it out"),
    ("web_search_options", "the server does not search the web: leave it out"),
    (
        "chat_template",
        "a model is asked in its own chat format: leave it out, or write the prompt for /v1/completions",
    ),
    ("prompt_logprobs", "use /v1/completions with \"echo\": true and logprobs"),
    ("truncate_prompt_tokens", "prompts are not cut: shorten it"),
];

/// Answers to one prompt that may be asked for.
const MOST_ANSWERS: usize = 128;

impl Parameters {
    pub(super) fn read(call: &Call, fields: &mut Fields) -> Result<Self, Fault> {
        let model = call.model(fields)?;
        refuse(fields)?;
        let mut options = GenerateOptions::new().standing(call.standing());
        sampling::common(fields, &mut options)?;
        options.repetition_penalty = fields.real("repetition_penalty")?;
        options.min_new_tokens = fields.count("min_tokens")?;
        forms::read(call, fields, &mut options)?;
        options.ignore_eos = fields.flag("ignore_eos")?.unwrap_or(false);
        if let Some(ids) = fields.list("stop_token_ids")? {
            options.stop_ids = ids_of(&ids).ok_or_else(|| {
                fields.wrong("stop_token_ids", &ids.into(), "a list of token ids")
            })?;
        }
        if let Some(biases) = fields.object("logit_bias")? {
            options.logit_bias = read_biases(biases)?;
        }
        let n = fields.count("n")?.unwrap_or(1);
        if !(1..=MOST_ANSWERS).contains(&n) {
            return Err(fields.wrong("n", &n.into(), "a whole number from 1 to 128"));
        }
        let stream = fields.flag("stream")?.unwrap_or(false);
        let mut usage = false;
        if let Some(mut wanted) = fields.object("stream_options")? {
            usage = wanted.flag("include_usage")?.unwrap_or(false);
            // It hides from listeners how long words are, which encryption elsewhere has to.
            wanted.settle_flag("include_obfuscation", false)?;
            call.ignore(wanted);
        }
        let keep = sampling::keep_alive(fields)?;
        Ok(Self { model, options, n, stream, usage, keep })
    }
}

fn refuse(fields: &mut Fields) -> Result<(), Fault> {
    for (field, why) in REFUSED {
        fields.refuse(field, why)?;
    }
    fields.settle("function_call", &["none".into(), "auto".into()]);
    fields.refuse("function_call", "functions are tools by now: use tool_choice")?;
    if let Some(kinds) = fields.texts("modalities")?
        && kinds.iter().any(|kind| kind != "text")
    {
        return Err(Fault::field(
            "modalities",
            "modalities cannot be honoured: answers are text; accepted is [\"text\"]",
        ));
    }
    Ok(())
}

/// Token ids.
pub(crate) fn ids_of(list: &[Value]) -> Option<Vec<u32>> {
    list.iter().map(|id| whole(id).and_then(|id| u32::try_from(id).ok())).collect()
}

/// Refuses ids that are none of the tokenizer's: as text they would be nothing.
pub(crate) fn check_ids(tokenizer: &Tokenizer, ids: &[u32], field: &str) -> Result<(), Fault> {
    match ids.iter().find(|id| tokenizer.id_to_piece(**id).is_none()) {
        None => Ok(()),
        Some(id) => Err(Fault::field(
            field,
            format!(
                "{field} names token {id}, which the model does not have: use ids of its tokenizer"
            ),
        )),
    }
}

fn read_biases(biases: Fields) -> Result<Vec<(u32, f32)>, Fault> {
    let bad = |token: &str| {
        let accepted = "an object of token ids and numbers from -100 to 100";
        Fault::field(
            "logit_bias",
            format!("logit_bias[{token:?}] cannot be read: accepted is {accepted}"),
        )
    };
    let read = biases.each().map(|(token, bias)| {
        let id = token.parse().map_err(|_| bad(&token))?;
        let bias = bias.as_f64().filter(|bias| (-100.0..=100.0).contains(bias));
        Ok((id, bias.ok_or_else(|| bad(&token))? as f32))
    });
    read.collect()
}
