//! `POST /v1/chat/completions`

use std::sync::Arc;

use scaffold::Answer;
use serde_json::{Value, json};

use super::chunks::Chunks;
use super::messages;
use super::parameters::Parameters;
use super::shapes::{Head, content, ends, usage};
use crate::body;
use crate::call::{Answered, Call};
use crate::fault::Fault;
use crate::sampling;
use crate::stream::{Running, Starting, live, whole};
use crate::thoughts::{Beginning, Parts, Thoughts};

pub(crate) async fn chat(call: &Call) -> Answered {
    let mut fields = call.fields()?;
    let Parameters { model, mut options, n, stream, usage: wants_usage, keep } =
        Parameters::read(call, &mut fields)?;
    let newer = fields.count("max_completion_tokens")?;
    let older = fields.count("max_tokens")?;
    options.max_new_tokens = newer.or(older);
    options.logprobs = sampling::logprobs(&mut fields)?;
    let list = fields.list("messages")?.ok_or_else(|| fields.missing("messages"))?;
    let messages = messages::read(list)?;
    options.render = messages::rendering(&mut fields)?;
    call.ignore(fields);

    let head = Head::new("chatcmpl", &model);
    let with_logprobs = options.logprobs.is_some();
    let hides_ends = !options.ignore_eos;
    let models = Arc::clone(call.models());
    let starting: Starting = Box::pin(async move {
        let limits = Arc::clone(&models);
        let work = models.language(&model, keep, move |model| {
            let ids = model.chat_ids(&messages, &options.render)?;
            limits.limit(&mut options, model);
            let prompt: Arc<[u32]> = ids.as_slice().into();
            let beginning = limits.beginning(model, &ids, &options.render)?;
            let streams = model.streams_ids(ids, n, &options);
            let streams = streams.map_err(|error| Fault::from(error).of_prompt("messages"))?;
            Ok((streams, prompt, beginning))
        });
        let (lease, (streams, prompt, beginning), load) = work.await?;
        Ok(Running { lease, streams, prompts: vec![prompt], load, beginning })
    });
    if stream {
        let form = Chunks::new(head, with_logprobs, hides_ends, wants_usage);
        return live(starting, Box::new(form)).await;
    }
    let (running, answers) = whole(starting).await?;
    let ends = ends(&running, hides_ends);
    let choices = answers.iter().enumerate().map(|(index, answer)| {
        choice(index, answer, running.beginning, with_logprobs.then_some(&ends))
    });
    let mut object = head.object("chat.completion", &choices.collect::<Value>());
    object["usage"] = usage(&answers, answers.len());
    Ok(body::json(200, &object))
}

fn choice(index: usize, answer: &Answer, beginning: Beginning, ends: Option<&Vec<u32>>) -> Value {
    let Parts { thought, text } = Thoughts::split(beginning, &answer.text);
    let mut message = messages::answer(&text);
    if !thought.is_empty() {
        message.insert("reasoning_content".to_owned(), thought.into());
    }
    message.insert("refusal".to_owned(), Value::Null);
    let logprobs =
        ends.map(|ends| content(sampling::of_text(&answer.logprobs, ends).map(sampling::logprob)));
    json!({
        "index": index,
        "message": message,
        "logprobs": logprobs,
        "finish_reason": answer.finish.name(),
    })
}
