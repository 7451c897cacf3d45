//! `POST /v1/completions`

use std::sync::Arc;

use scaffold::engine::{Request, Scores};
use scaffold::{Answer, AnswerStream, GenerateOptions, LlmManager, PartStream};
use serde_json::{Value, json};

use super::legacy::{Echo, Text, TextChunks};
use super::parameters::{Parameters, ids_of};
use super::shapes::{Head, usage};
use crate::body;
use crate::call::{Answered, Call};
use crate::fault::Fault;
use crate::fields::Fields;
use crate::sampling::MOST_TOP;
use crate::stream::{Running, Starting, live, whole};

/// Tokens of an answer where nobody says how many: OpenAI's own number.
const FEW: usize = 16;

/// Answers in one request, at most, to all of its prompts.
const MOST_PROMPTS: usize = 4096;

/// A prompt: text that is continued as it is, or tokens.
pub(super) enum Prompt {
    Text(String),
    Ids(Vec<u32>),
}

/// What is asked besides the common.
struct Asked {
    prompts: Vec<Prompt>,
    /// Answers that are computed for each prompt; those that are given may be fewer.
    best_of: usize,
    echo: bool,
    /// Nothing is written, and the prompts alone are given back.
    nothing_new: bool,
}

pub(crate) async fn completions(call: &Call) -> Answered {
    let mut fields = call.fields()?;
    let Parameters { model, mut options, n, stream, usage: wants_usage, keep } =
        Parameters::read(call, &mut fields)?;
    let suffix = fields.text("suffix")?.filter(|suffix| !suffix.is_empty());
    let logprobs = fields.count("logprobs")?;
    if let Some(top) = logprobs.filter(|top| *top > MOST_TOP) {
        return Err(fields.wrong("logprobs", &top.into(), "a whole number from 0 to 20"));
    }
    let asked = asked(&mut fields, n, stream, &mut options)?;
    options.logprobs = logprobs;
    if asked.echo {
        options.prompt_logprobs = logprobs;
    }
    call.ignore(fields);
    if suffix.is_some() && (asked.echo || asked.prompts.iter().any(|p| matches!(p, Prompt::Ids(_))))
    {
        return Err(Fault::field(
            "suffix",
            "suffix is what stands after what is to be written: prompts are texts then, and are not given back (echo)",
        ));
    }

    let head = Head::new("cmpl", &model);
    let Asked { prompts, best_of, echo, nothing_new } = asked;
    // The best are chosen by how likely their tokens are.
    let chooses = best_of > n;
    if chooses && options.logprobs.is_none() {
        options.logprobs = Some(0);
    }
    let hides_ends = !options.ignore_eos;
    let models = Arc::clone(call.models());
    let account = call.client.account.clone();
    let starting: Starting = Box::pin(async move {
        let work = models.language(&model, keep, move |model| {
            if suffix.is_some() {
                options.stop_ids.extend(model.middle_ends()?);
            }
            let read = |prompt: Prompt| match (prompt, &suffix) {
                (Prompt::Text(text), Some(suffix)) => model.middle_ids(&text, suffix),
                (Prompt::Text(text), None) => model.plain_ids(&text),
                (Prompt::Ids(ids), _) => Ok(ids),
            };
            let prompts: Vec<Vec<u32>> = prompts.into_iter().map(read).collect::<Result<_, _>>()?;
            let kept = prompts.iter().map(|ids| ids.as_slice().into()).collect();
            let mut streams: Vec<AnswerStream> = Vec::with_capacity(prompts.len() * best_of);
            for ids in prompts {
                if nothing_new {
                    streams.extend(scores(model, ids, best_of, &options)?);
                } else {
                    let more = model.streams_ids(ids, best_of, &options);
                    streams.extend(more.map_err(|error| Fault::from(error).of_prompt("prompt"))?);
                }
            }
            Ok((streams, kept))
        });
        let (lease, (streams, prompts), load) = work.await?;
        let streams = streams.into_iter().map(PartStream::from).collect();
        Ok(Running::new(lease, streams, prompts, load, account))
    });
    let text = Text { head, echo, logprobs, hides_ends };
    if stream {
        return live(starting, Box::new(TextChunks::new(text, n, wants_usage))).await;
    }
    let (running, told) = whole(starting).await?;
    let answers: Vec<Answer> = told.into_iter().map(|told| told.answer).collect();
    let echoes = Echo::of(&running, echo, hides_ends)?;
    let mut choices = Vec::new();
    for (prompt, answers) in answers.chunks(best_of).enumerate() {
        for answer in best(answers, n, chooses) {
            choices.push(text.choice(choices.len(), answer, &echoes[prompt]));
        }
    }
    let mut object = text.head.object("text_completion", &Value::from(choices));
    object["usage"] = usage(&answers, best_of);
    Ok(body::json(200, &object))
}

/// The answers whose tokens are likeliest, on average.
fn best(answers: &[Answer], n: usize, chooses: bool) -> Vec<&Answer> {
    let mut ranked: Vec<&Answer> = answers.iter().collect();
    if chooses {
        let likelihood = |answer: &Answer| answer.mean_logprob().unwrap_or(f64::NEG_INFINITY);
        ranked.sort_by(|a, b| likelihood(b).total_cmp(&likelihood(a)));
        ranked.truncate(n);
    }
    ranked
}

/// The prompt's own tokens, and no new ones.
fn scores(
    model: &LlmManager,
    ids: Vec<u32>,
    count: usize,
    options: &GenerateOptions,
) -> Result<Vec<AnswerStream>, Fault> {
    let mut silent = options.clone();
    silent.max_new_tokens = None;
    let (sampling, mut stop) = model.effective(&silent)?;
    stop.max_new_tokens = Some(0);
    // Nothing stands before the first token.
    if ids.len() < 2 {
        return Err(Fault::field(
            "prompt",
            "a prompt of which nothing is continued has two tokens at least: nothing stands before the first",
        ));
    }
    let request = Request {
        sampling,
        stop,
        scores: Some(Scores { from: 1, top: options.prompt_logprobs.unwrap_or(0) }),
        standing: options.standing.clone(),
        ..Request::new(ids)
    };
    Ok(model.submit_together(vec![request; count])?)
}

fn asked(
    fields: &mut Fields,
    n: usize,
    stream: bool,
    options: &mut GenerateOptions,
) -> Result<Asked, Fault> {
    let prompts = prompts(fields)?;
    let echo = fields.flag("echo")?.unwrap_or(false);
    let best_of = fields.count("best_of")?.unwrap_or(n);
    if best_of < n || best_of > 128 {
        return Err(fields.wrong("best_of", &best_of.into(), "a whole number from n to 128"));
    }
    Fault::at_most("prompt", prompts.len() * best_of, MOST_PROMPTS)?;
    if stream && best_of > n {
        return Err(Fault::field(
            "best_of",
            "best_of chooses among complete answers, and stream gives them as they come: leave one out",
        ));
    }
    let most = fields.count("max_tokens")?.unwrap_or(FEW);
    if most == 0 && !echo {
        return Err(fields.wrong(
            "max_tokens",
            &json!(0),
            "1 or more, or 0 together with \"echo\": true",
        ));
    }
    options.max_new_tokens = Some(most).filter(|most| *most > 0);
    Ok(Asked { prompts, best_of, echo, nothing_new: most == 0 })
}

fn prompts(fields: &mut Fields) -> Result<Vec<Prompt>, Fault> {
    let value = fields.take("prompt").ok_or_else(|| fields.missing("prompt"))?;
    let text = |value: &Value| value.as_str().map(|text| Prompt::Text(text.to_owned()));
    let read = match &value {
        Value::String(_) => text(&value).map(|prompt| vec![prompt]),
        Value::Array(list) => match list.first() {
            None => None,
            Some(Value::Number(_)) => ids_of(list).map(|ids| vec![Prompt::Ids(ids)]),
            Some(Value::String(_)) => list.iter().map(text).collect(),
            Some(_) => {
                let ids = |value: &Value| ids_of(value.as_array()?).map(Prompt::Ids);
                list.iter().map(ids).collect()
            }
        },
        _ => None,
    };
    let accepted = "a text, a list of texts, a list of token ids, or a list of such lists";
    read.ok_or_else(|| fields.wrong("prompt", &value, accepted))
}
