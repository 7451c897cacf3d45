//! `POST /api/show`

use scaffold::hub::ModelFiles;
use scaffold::made::{Base, MadeModel, Modelfile, modelfile_of, parameters_text};
use serde_json::{Map, Value, json};

use super::listing::details;
use super::options::model;
use crate::body;
use crate::call::{Answered, Call};
use crate::clock;
use crate::models::{Facts, capabilities};

pub(crate) async fn show(call: &Call) -> Answered {
    let mut fields = call.fields()?;
    let model = model(&mut fields)?;
    fields.flag("verbose")?;
    call.ignore(fields);
    let shown = call.models().show(&model).await?;
    let about = &shown.about;
    let family = about.architecture.as_str();
    // Some clients take the first key that ends with `context_length`.
    let mut info = Map::new();
    info.insert("general.architecture".to_owned(), family.into());
    for (key, value) in [
        (format!("{family}.context_length"), json!(about.context)),
        (format!("{family}.embedding_length"), json!(about.embedding_length)),
        (format!("{family}.block_count"), json!(about.layers)),
        ("general.parameter_count".to_owned(), json!(about.parameters)),
        ("general.basename".to_owned(), json!(basename(&shown.name))),
    ] {
        info.insert(key, value);
    }
    let template = about.template.as_deref().unwrap_or_default();
    let mut object = json!({
        "license": about.licence.as_deref().unwrap_or_default(),
        "modelfile": Modelfile::of_name(&shown.name).to_string(),
        "parameters": "",
        "template": template,
        "details": details(&Facts::of(about), shown.format),
        "model_info": Value::Object(info),
        "capabilities": capabilities(about),
        "modified_at": clock::text(shown.modified),
    });
    if let Some(made) = &shown.made {
        add_own(&mut object, made, &shown.files);
    }
    Ok(body::json(200, &object))
}

/// What a model of one's own says over what it is made from.
fn add_own(object: &mut Value, made: &MadeModel, files: &ModelFiles) {
    object["modelfile"] = modelfile_of(made, files).to_string().into();
    object["parameters"] = parameters_text(&made.parameters).into();
    if let Base::From(from) = &made.base {
        object["details"]["parent_model"] = from.as_str().into();
    }
    if let Some(system) = &made.system {
        object["system"] = system.as_str().into();
    }
    if !made.licences.is_empty() {
        object["license"] = made.licences.join("\n").into();
    }
    if !made.messages.is_empty() {
        object["messages"] = json!(made.messages);
    }
}

/// The last word of a name.
fn basename(name: &str) -> &str {
    name.trim_end_matches('/').rsplit('/').next().unwrap_or(name)
}
