//! Rankings and embeddings as rerankers' clients ask for them: `/rerank`, `/v1/rerank`,
//! `/v2/rerank`, `/embed`. What is ranked is called `documents` by Jina, Cohere and vLLM, `texts` by
//! text-embeddings-inference; the answer has the shape that goes with it.

use scaffold::embed::EmbedOptions;
use scaffold::rerank::{Scale, ScoreOptions};
use serde_json::{Value, json};

use crate::body::{self, Reply};
use crate::call::{Answered, Call};
use crate::dialect::Dialect;
use crate::fault::{Fault, MOST_TEXTS};
use crate::fields::Fields;
use crate::random;

pub(crate) async fn rerank(call: &Call) -> Answered {
    let mut fields = call.fields()?;
    match fields.take("texts") {
        None => of_documents(call, fields).await,
        Some(texts) => {
            let answered = of_texts(call, fields, &texts).await;
            // Its clients read errors in its own shape.
            Ok(answered
                .unwrap_or_else(|fault| body::json(fault.status, &Dialect::Tei.error(&fault))))
        }
    }
}

async fn of_documents(call: &Call, mut fields: Fields) -> Answered {
    let model = call.model(&mut fields)?;
    let query = fields.needed("query")?;
    let list = fields.list("documents")?.ok_or_else(|| fields.missing("documents"))?;
    Fault::at_most("documents", list.len(), MOST_TEXTS)?;
    let documents = list.iter().enumerate().map(|(index, document)| {
        let text = document.as_str().or_else(|| document.get("text")?.as_str());
        text.map(str::to_owned).ok_or_else(|| {
            let at = format!("documents[{index}]");
            Fault::field(&at, format!("{at} is neither text nor an object with a text"))
        })
    });
    let documents = documents.collect::<Result<Vec<String>, Fault>>()?;
    let top = fields.count("top_n")?.or(fields.count("top_k")?);
    let gives_back = fields.flag("return_documents")?.unwrap_or(true);
    let raw = fields.flag("raw_scores")?.unwrap_or(false);
    call.ignore(fields);
    let given = documents.clone();
    let scores = call.models().ranker(&model, move |ranker| {
        // Too long is what documents are.
        let options = ScoreOptions::new().truncate(true).scale(scale(raw)).special_as_text(true);
        Ok(ranker.scores(&query, &given, &options)?)
    });
    let scores = scores.await?;
    call.spend(scores.tokens);
    let ranked = scores.ranked(top);
    let result = |one: &scaffold::rerank::Ranked| {
        let mut value = json!({"index": one.index, "relevance_score": one.score});
        if gives_back {
            value["document"] = json!({"text": documents[one.index]});
        }
        value
    };
    let object = json!({
        "id": format!("rerank-{}", random::digits()),
        "object": "list",
        "model": model,
        "usage": {"prompt_tokens": scores.tokens, "total_tokens": scores.tokens},
        "results": ranked.iter().map(result).collect::<Value>(),
    });
    Ok(body::json(200, &object))
}

fn scale(raw: bool) -> Scale {
    if raw { Scale::Logits } else { Scale::Sigmoid }
}

async fn of_texts(call: &Call, mut fields: Fields, texts: &Value) -> Result<Reply, Fault> {
    let model = call.model(&mut fields)?;
    let query = fields.needed("query")?;
    let list =
        texts.as_array().map(|list| list.iter().map(|text| text.as_str().map(str::to_owned)));
    let texts: Vec<String> = list
        .and_then(Iterator::collect)
        .ok_or_else(|| Fault::field("texts", "texts is no list of texts"))?;
    Fault::at_most("texts", texts.len(), MOST_TEXTS)?;
    let raw = fields.flag("raw_scores")?.unwrap_or(false);
    let gives_back = fields.flag("return_text")?.unwrap_or(false);
    let truncate = fields.flag("truncate")?.unwrap_or(false);
    call.ignore(fields);
    let given = texts.clone();
    let scores = call.models().ranker(&model, move |ranker| {
        let options =
            ScoreOptions::new().truncate(truncate).scale(scale(raw)).special_as_text(true);
        Ok(ranker.scores(&query, &given, &options)?)
    });
    let scores = scores.await?;
    call.spend(scores.tokens);
    let ranked = scores.ranked(None);
    let result = |one: &scaffold::rerank::Ranked| {
        let mut value = json!({"index": one.index, "score": one.score});
        if gives_back {
            value["text"] = texts[one.index].as_str().into();
        }
        value
    };
    Ok(body::json(200, &ranked.iter().map(result).collect()))
}

pub(crate) async fn embed(call: &Call) -> Answered {
    let mut fields = call.fields()?;
    let model = call.model(&mut fields)?;
    let texts = fields.texts("inputs")?.ok_or_else(|| fields.missing("inputs"))?;
    Fault::at_most("inputs", texts.len(), MOST_TEXTS)?;
    let truncate = fields.flag("truncate")?.unwrap_or(false);
    let normalize = fields.flag("normalize")?.unwrap_or(true);
    let dimensions = fields.count("dimensions")?;
    call.ignore(fields);
    let work = call.models().embedder(&model, None, move |embedder| {
        let options = EmbedOptions::new()
            .truncate(truncate)
            .normalize(normalize)
            .dimensions(dimensions)
            .special_as_text(true);
        Ok(embedder.embed_batch(&texts, &options)?)
    });
    let (embeddings, _) = work.await?;
    call.spend(embeddings.tokens);
    Ok(body::json(200, &embeddings.iter().map(|vector| json!(vector)).collect()))
}
