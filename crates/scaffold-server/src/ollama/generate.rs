//! `POST /api/generate`

use std::sync::Arc;

use scaffold::registry::KeepAlive;
use scaffold::{Kind, LlmManager, Message, PartStream, RenderOptions};
use serde_json::{Value, json};

use super::lines::{CONTENT_TYPE, Lines, line};
use super::options::Asked;
use crate::body::{self, Body, reply};
use crate::call::{Answered, Call};
use crate::fault::Fault;
use crate::fields::{Fields, whole as whole_number};
use crate::stream::{Running, Starting, live, whole};
use crate::tools;

/// What a prompt is made of.
struct Prompt {
    text: String,
    /// What stands after what is to be written.
    suffix: Option<String>,
    system: Option<String>,
    raw: bool,
    /// The tokens of what went before.
    context: Vec<u32>,
}

pub(crate) async fn generate(call: &Call) -> Answered {
    let mut fields = call.fields()?;
    let asked = Asked::read(call, &mut fields)?;
    let prompt = prompt(&mut fields)?;
    call.ignore(fields);
    let is_middle = prompt.suffix.is_some();
    if is_middle && prompt.system.is_some() {
        call.ignore_these(vec!["system".to_owned()]);
    }
    if prompt.text.is_empty() && prompt.context.is_empty() && !is_middle {
        return nothing_asked(call, &asked, false).await;
    }
    let asked = Asked { is_raw: prompt.raw || is_middle, is_middle, ..asked };
    answer(call, asked, false, move |model, render| prompt.ids(model, render)).await
}

/// Answers what a model is asked.
pub(super) async fn answer(
    call: &Call,
    asked: Asked,
    is_chat: bool,
    ids: impl FnOnce(&LlmManager, &RenderOptions) -> Result<Vec<u32>, Fault> + Send + 'static,
) -> Answered {
    let Asked { model, stream, keep, mut options, unlimited, thinks, is_raw, is_middle } = asked;
    let mut lines = Lines::new(&model, is_chat, call.begun, options.logprobs.is_some());
    let models = Arc::clone(call.models());
    let (account, notices) = (call.client.account.clone(), call.notices.clone());
    let starting: Starting = Box::pin(async move {
        let limits = Arc::clone(&models);
        let name = model.clone();
        let work = models.language(&model, keep, move |model| {
            if thinks && !limits.thinks(model) {
                return Err(Fault::field("think", format!("{name:?} does not support thinking")));
            }
            tools::prepare(model, &mut options.render, &notices)?;
            let ids = ids(model, &options.render)?;
            if is_middle {
                options.stop_ids.extend(model.middle_ends()?);
            }
            if unlimited {
                options.max_new_tokens = Some(model.info().context.max(1));
            }
            limits.limit(&mut options, model);
            let prompt: Arc<[u32]> = ids.as_slice().into();
            let stream = if is_raw {
                PartStream::from(model.stream_ids(ids, &options)?)
            } else {
                let mut streams = model.parts_ids(ids, 1, &options)?;
                streams.pop().ok_or_else(Fault::internal)?
            };
            Ok((stream, prompt))
        });
        let (lease, (stream, prompt), load) = work.await?;
        Ok(Running::new(lease, vec![stream], vec![prompt], load, account))
    });
    if stream {
        return live(starting, Box::new(lines)).await;
    }
    let (running, told) = whole(starting).await?;
    lines.note(&running);
    Ok(body::json(200, &lines.whole(&told[0], &running.prompts[0])))
}

/// A request that asks nothing loads the model, or lets it go.
pub(super) async fn nothing_asked(call: &Call, asked: &Asked, is_chat: bool) -> Answered {
    let lines = Lines::new(&asked.model, is_chat, call.begun, false);
    // Options that nobody could answer with are refused, although nobody answers yet.
    asked.options.check()?;
    let reason = if matches!(asked.keep, Some(KeepAlive::For(time)) if time.is_zero()) {
        let (models, model) = (Arc::clone(call.models()), asked.model.clone());
        crate::models::blocking(move || models.let_go(&model)).await?;
        "unload"
    } else {
        let options = asked.options.clone();
        // Over what the model itself recommends, too.
        let work = call.models().language(&asked.model, asked.keep, move |model| {
            let (sampling, _) = model.effective(&options)?;
            Ok(sampling.check(usize::MAX)?)
        });
        work.await?;
        "load"
    };
    let object = lines.nothing(reason);
    if !asked.stream {
        return Ok(body::json(200, &object));
    }
    let mut bytes = Vec::new();
    line(&object, &mut bytes);
    Ok(reply(200, CONTENT_TYPE, Body::Whole(Some(bytes.into()))))
}

fn prompt(fields: &mut Fields) -> Result<Prompt, Fault> {
    let suffix = fields.text("suffix")?.filter(|suffix| !suffix.is_empty());
    fields.refuse(
        "template",
        "a model is asked in its own chat format; write the prompt yourself with \"raw\": true",
    )?;
    let raw = fields.flag("raw")?.unwrap_or(false);
    let text = fields.text("prompt")?.unwrap_or_default();
    let system = fields.text("system")?.filter(|system| !system.is_empty());
    let list = fields.list("context")?.unwrap_or_default();
    let ids = list.iter().map(|id| whole_number(id).and_then(|id| u32::try_from(id).ok()));
    let context = ids
        .collect::<Option<Vec<u32>>>()
        .ok_or_else(|| fields.wrong("context", &Value::from(list), "a list of token ids"))?;
    if raw && (system.is_some() || !context.is_empty()) {
        return Err(Fault::field("raw", "raw mode does not support template, system, or context"));
    }
    if suffix.is_some() && (raw || !context.is_empty()) {
        return Err(Fault::field(
            "suffix",
            "suffix is what stands after what is to be written, and cannot be there with raw or context",
        ));
    }
    fields.settle("_debug_render_only", &[json!(false)]);
    Ok(Prompt { text, suffix, system, raw, context })
}

impl Prompt {
    /// Its tokens: in the model's chat format, unless it is written already or there is none.
    fn ids(self, model: &LlmManager, render: &RenderOptions) -> Result<Vec<u32>, Fault> {
        let Self { text, suffix, system, raw, mut context } = self;
        if let Some(suffix) = suffix {
            return Ok(model.middle_ids(&text, &suffix)?);
        }
        if raw {
            return Ok(model.plain_ids(&text)?);
        }
        let mut messages: Vec<Message> =
            system.iter().map(|system| Message::system(system.as_str())).collect();
        messages.push(Message::user(text.as_str()));
        let ids = match context.as_slice() {
            [] => model.chat_ids(&messages, render),
            // What a model of one's own begins with stands there already.
            _ => model.turn_ids(&messages, render),
        };
        let ids = match ids {
            // Without a chat format a prompt is continued.
            Err(error) if error.kind() == Kind::Unsupported => match system {
                Some(system) => model.plain_ids(&format!("{system}\n\n{text}"))?,
                None if context.is_empty() => model.prompt_ids(&text)?,
                None => model.plain_ids(&text)?,
            },
            ids => ids?,
        };
        // A beginning stands at the beginning alone.
        let bos = model.tokenizer()?.bos();
        let begins = !context.is_empty() && bos.is_some() && ids.first().copied() == bos;
        context.extend_from_slice(&ids[usize::from(begins)..]);
        Ok(context)
    }
}
