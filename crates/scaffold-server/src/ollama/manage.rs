//! `DELETE /api/delete`, `POST /api/copy`, and what is not there.

use super::options::model;
use crate::body::empty;
use crate::call::{Answered, Call};
use crate::fault::Fault;

pub(crate) async fn delete(call: &Call) -> Answered {
    let mut fields = call.fields()?;
    let model = model(&mut fields)?;
    call.ignore(fields);
    let models = call.models();
    if models.is_made(&model) {
        models.check_may_make()?;
    } else if !models.may_remove() {
        return Err(Fault::new(
            403,
            "models are removed from the machine of the server alone: `scaffold rm MODEL`",
        ));
    }
    models.remove(&model).await?;
    Ok(empty(200))
}

pub(crate) async fn copy(call: &Call) -> Answered {
    let mut fields = call.fields()?;
    let source = fields.needed("source")?;
    let destination = fields.needed("destination")?;
    call.ignore(fields);
    call.models().check_may_make()?;
    call.models().copy(&source, &destination).await?;
    Ok(empty(200))
}

/// What Ollama has at a path and this server has not.
pub(crate) fn absent(path: &str) -> Fault {
    let why = match path {
        "/api/push" => "models are not uploaded: use the Hub's own tools",
        _ => "there is no account here and nothing in a cloud",
    };
    // What will never be done is no fault of the server's: clients ask again after those.
    Fault::new(400, format!("{path} is not done here: {why}"))
}
