//! `POST /v1/embeddings`

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use scaffold::embed::EmbedOptions;
use serde_json::{Value, json};

use super::parameters::{check_ids, ids_of};
use super::shapes::usage_of_prompt;
use crate::body;
use crate::call::{Answered, Call};
use crate::fault::{Fault, MOST_TEXTS};
use crate::fields::Fields;
use crate::sampling;

/// Texts to be embedded: as they are, or in tokens of the model.
enum Input {
    Texts(Vec<String>),
    Ids(Vec<Vec<u32>>),
}

impl Input {
    fn len(&self) -> usize {
        match self {
            Input::Texts(texts) => texts.len(),
            Input::Ids(lists) => lists.len(),
        }
    }
}

pub(crate) async fn embeddings(call: &Call) -> Answered {
    let mut fields = call.fields()?;
    let model = call.model(&mut fields)?;
    let input = input(&mut fields)?;
    let dimensions = fields.count("dimensions")?;
    let in_base64 = match fields.text("encoding_format")?.as_deref() {
        None | Some("float") => false,
        Some("base64") => true,
        Some(_) => {
            return Err(fields.wrong(
                "encoding_format",
                &json!("other"),
                "\"float\" or \"base64\"",
            ));
        }
    };
    let truncate = fields.flag("truncate")?.unwrap_or(false);
    let keep = sampling::keep_alive(&mut fields)?;
    call.ignore(fields);

    let work = call.models().embedder(&model, keep, move |embedder| {
        let texts = match input {
            Input::Texts(texts) => texts,
            Input::Ids(lists) => {
                for ids in &lists {
                    check_ids(embedder.tokenizer(), ids, "input")?;
                }
                let decoded = lists.iter().map(|ids| embedder.tokenizer().decode(ids, true));
                decoded.collect::<Result<_, _>>()?
            }
        };
        let options = EmbedOptions::new()
            .truncate(truncate)
            .normalize(true)
            .dimensions(dimensions)
            .special_as_text(true);
        Ok(embedder.embed_batch(&texts, &options)?)
    });
    let (embeddings, _) = work.await?;
    call.spend(embeddings.tokens);
    let data = embeddings.iter().enumerate().map(|(index, vector)| {
        let vector = if in_base64 { packed(vector).into() } else { json!(vector) };
        json!({"object": "embedding", "index": index, "embedding": vector})
    });
    let object = json!({
        "object": "list",
        "data": data.collect::<Value>(),
        "model": model,
        "usage": usage_of_prompt(embeddings.tokens),
    });
    Ok(body::json(200, &object))
}

/// Little-endian numbers of 32 bits, in base64.
fn packed(vector: &[f32]) -> String {
    let bytes: Vec<u8> = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
    STANDARD.encode(bytes)
}

fn input(fields: &mut Fields) -> Result<Input, Fault> {
    let value = fields.take("input").ok_or_else(|| fields.missing("input"))?;
    let accepted = "a text, a list of texts, a list of token ids, or a list of such lists";
    let read = match &value {
        Value::String(text) => Some(Input::Texts(vec![text.clone()])),
        Value::Array(list) => match list.first() {
            None => None,
            Some(Value::String(_)) => {
                let texts = list.iter().map(|text| text.as_str().map(str::to_owned));
                texts.collect::<Option<Vec<_>>>().map(Input::Texts)
            }
            Some(Value::Number(_)) => ids_of(list).map(|ids| Input::Ids(vec![ids])),
            Some(_) => {
                let lists = list.iter().map(|ids| ids_of(ids.as_array()?));
                lists.collect::<Option<Vec<_>>>().map(Input::Ids)
            }
        },
        _ => None,
    };
    let read = read.ok_or_else(|| fields.wrong("input", &value, accepted))?;
    Fault::at_most("input", read.len(), MOST_TEXTS)?;
    Ok(read)
}
