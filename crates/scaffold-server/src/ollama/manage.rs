//! `DELETE /api/delete`, `POST /api/copy`, and what is not there.

use super::options::model;
use crate::body::empty;
use crate::call::{Answered, Call};
use crate::fault::Fault;

pub(crate) async fn delete(call: &Call) -> Answered {
    let mut fields = call.fields()?;
    let model = model(&mut fields)?;
    call.ignore(fields);
    if !call.models().may_remove() {
        return Err(Fault::new(
            403,
            "models are removed from the machine of the server alone: `scaffold rm MODEL`",
        ));
    }
    call.models().remove(&model).await?;
    Ok(empty(200))
}

pub(crate) async fn copy(call: &Call) -> Answered {
    let mut fields = call.fields()?;
    let source = fields.needed("source")?;
    fields.needed("destination")?;
    call.models().find(&source).await?;
    Err(Fault::new(
        501,
        "models are not copied: they lie in the cache that Python's programs share, under the names of their repositories; ask by those",
    ))
}

/// What Ollama has at a path and this server has not.
pub(crate) fn absent(path: &str) -> Fault {
    let why = match path {
        "/api/create" | "/api/blobs/" => {
            "models are not made from Modelfiles yet: `scaffold pull` brings repositories and GGUF files of the Hub, and a path names files of your own"
        }
        "/api/push" => "models are not uploaded: use the Hub's own tools",
        _ => "there is no account here and nothing in a cloud",
    };
    // What will never be done is no fault of the server's: clients ask again after those.
    let status = if matches!(path, "/api/create" | "/api/blobs/") { 501 } else { 400 };
    Fault::new(status, format!("{path} is not done here: {why}"))
}
