//! `POST /v1/chat/completions`

use scaffold::Reply as Told;
use serde_json::{Value, json};

use super::chunks::Chunks;
use super::messages;
use super::parameters::Parameters;
use super::shapes::{Head, content, ends, finish, usage};
use crate::body;
use crate::call::{Answered, Call};
use crate::sampling;
use crate::stream::{live, of_chat, whole};
use crate::tools::Choice;

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
    let Choice { tools, one_call } = Choice::read(&mut fields, &mut options)?;
    options.render.tools = tools;
    call.ignore(fields);

    let head = Head::new("chatcmpl", &model);
    let with_logprobs = options.logprobs.is_some();
    let hides_ends = !options.ignore_eos;
    let starting = of_chat(call, &model, keep, messages, options, n, "messages");
    if stream {
        let form = Chunks::new(head, with_logprobs, hides_ends, wants_usage, one_call);
        return live(starting, Box::new(form)).await;
    }
    let (running, told) = whole(starting).await?;
    let ends = ends(&running, hides_ends);
    let choices = told
        .iter()
        .enumerate()
        .map(|(index, told)| choice(index, told, one_call, with_logprobs.then_some(&ends)));
    let mut object = head.object("chat.completion", &choices.collect::<Value>());
    object["usage"] = usage(told.iter().map(|told| &told.answer), told.len());
    Ok(body::json(200, &object))
}

fn choice(index: usize, told: &Told, one_call: bool, ends: Option<&Vec<u32>>) -> Value {
    let of_text = |ends| sampling::of_text(&told.answer.logprobs, ends).map(sampling::logprob);
    let mut choice = json!({
        "index": index,
        "message": messages::answer(told, one_call),
        "logprobs": ends.map(|ends| content(of_text(ends))),
        "finish_reason": finish(&told.answer, !told.calls.is_empty()),
    });
    sampling::add_thoughts(&mut choice, told.thoughts_cut);
    choice
}
