//! `POST /tokenize`, `/detokenize`, `/render`: a model's tokens and its chat format.

use scaffold::text::EncodeOptions;
use serde_json::json;

use crate::body;
use crate::call::{Answered, Call};
use crate::fault::Fault;
use crate::openai::messages;
use crate::openai::parameters::{check_ids, ids_of};
use crate::tools;

/// Tokens of a text, or of a chat as the model reads it.
pub(crate) async fn tokenize(call: &Call) -> Answered {
    let mut fields = call.fields()?;
    let model = call.model(&mut fields)?;
    // vLLM calls it a prompt, llama.cpp a content.
    let text = fields.text("prompt")?.or(fields.text("content")?).or(fields.text("text")?);
    let chat = fields.list("messages")?.map(messages::read).transpose()?;
    let special = fields.flag("add_special_tokens")?.unwrap_or(true);
    let with_pieces = fields.flag("with_pieces")?.unwrap_or(false);
    let mut render = messages::rendering(&mut fields)?;
    render.tools = tools::read(&mut fields)?;
    call.ignore(fields);
    if text.is_some() == chat.is_some() {
        return Err(Fault::field(
            "prompt",
            "there is a prompt or there are messages, one of the two",
        ));
    }
    let notices = call.notices.clone();
    let work = call.models().language(&model, None, move |model| {
        tools::prepare(model, &mut render, &notices)?;
        let tokenizer = model.tokenizer()?;
        let ids = match (&text, &chat) {
            (Some(text), _) => {
                model.engine()?.config().limits.check_text(text.len())?;
                let options = EncodeOptions { add_special: special, parse_special: true };
                tokenizer.encode(text, &options)?.ids
            }
            (None, Some(messages)) => model.chat_ids(messages, &render)?,
            (None, None) => Vec::new(),
        };
        let pieces: Option<Vec<String>> = with_pieces
            .then(|| ids.iter().map(|&id| tokenizer.id_to_piece(id).unwrap_or_default()).collect());
        Ok((ids, pieces, model.info().context))
    });
    let (_, (ids, pieces, context), _) = work.await?;
    let mut object = json!({"tokens": ids, "count": ids.len(), "max_model_len": context});
    if let Some(pieces) = pieces {
        object["pieces"] = pieces.into();
    }
    Ok(body::json(200, &object))
}

/// The text of tokens.
pub(crate) async fn detokenize(call: &Call) -> Answered {
    let mut fields = call.fields()?;
    let model = call.model(&mut fields)?;
    let list = fields.list("tokens")?.ok_or_else(|| fields.missing("tokens"))?;
    let skip = fields.flag("skip_special_tokens")?.unwrap_or(false);
    call.ignore(fields);
    let ids =
        ids_of(&list).ok_or_else(|| Fault::field("tokens", "tokens is no list of token ids"))?;
    let work = call.models().language(&model, None, move |model| {
        let tokenizer = model.tokenizer()?;
        check_ids(&tokenizer, &ids, "tokens")?;
        Ok(tokenizer.decode(&ids, skip)?)
    });
    let (_, text, _) = work.await?;
    Ok(body::json(200, &json!({"prompt": text, "content": text})))
}

/// A chat as the model reads it, in words.
pub(crate) async fn render(call: &Call) -> Answered {
    let mut fields = call.fields()?;
    let model = call.model(&mut fields)?;
    let list = fields.list("messages")?.ok_or_else(|| fields.missing("messages"))?;
    let messages = messages::read(list)?;
    let mut render = messages::rendering(&mut fields)?;
    render.tools = tools::read(&mut fields)?;
    call.ignore(fields);
    let notices = call.notices.clone();
    let work = call.models().language(&model, None, move |model| {
        tools::prepare(model, &mut render, &notices)?;
        Ok((model.render_chat(&messages, &render)?, model.chat_ids(&messages, &render)?.len()))
    });
    let (_, (prompt, count), _) = work.await?;
    Ok(body::json(200, &json!({"prompt": prompt, "count": count})))
}
