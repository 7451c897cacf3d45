//! `POST /api/create`: a model of one's own, in the words that Ollama's lines have.

use std::collections::BTreeMap;
use std::sync::Arc;

use scaffold::made::{MadeMessage, MadeModel, MadeName, Recipe};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::options::model;
use super::pull::{Teller, told};
use crate::call::{Answered, Call};
use crate::fault::Fault;
use crate::fields::Fields;

/// Who may say a message, as in a Modelfile.
const ROLES: [&str; 3] = ["system", "user", "assistant"];

pub(crate) async fn create(call: &Call) -> Answered {
    let mut fields = call.fields()?;
    let name = model(&mut fields)?;
    let stream = fields.flag("stream")?.unwrap_or(true);
    let recipe = recipe(&mut fields)?;
    call.ignore(fields);
    call.models().check_may_make()?;
    // Before lines begin, under which every status is 200.
    MadeName::parse(&name)?;
    let ignored: Vec<String> = scaffold::made::parameters::idle(&recipe.parameters)
        .iter()
        .map(|name| format!("parameters.{name}"))
        .collect();
    call.ignore_these(ignored);
    let models = Arc::clone(call.models());
    told(stream, move |teller| {
        if recipe.files.keys().any(|name| name.to_ascii_lowercase().ends_with(".gguf")) {
            teller.status("parsing GGUF");
        }
        let created = models.create(&name, recipe, teller)?;
        tell_layers(teller, &created.model);
        for notice in &created.notices {
            teller.status(format!("note: {}", notice.text));
        }
        teller.status("writing manifest");
        Ok(())
    })
    .await
}

fn recipe(fields: &mut Fields) -> Result<Recipe, Fault> {
    fields.refuse(
        "modelfile",
        "send what it says as fields (from, system, template, parameters, messages), or run `scaffold create NAME -f Modelfile` where the server runs",
    )?;
    fields.refuse(
        "adapters",
        "adapters (LoRA) are not applied here yet; merge the adapter into the model, and make yours from that",
    )?;
    let mut recipe = Recipe::default();
    recipe.from = fields.text("from")?.filter(|from| !from.is_empty());
    recipe.files = files(fields)?;
    recipe.template = fields.text("template")?;
    recipe.system = fields.text("system")?;
    recipe.licences = fields.texts("license")?.unwrap_or_default();
    recipe.licences.retain(|text| !text.is_empty());
    recipe.parameters = parameters(fields)?;
    recipe.messages = messages(fields)?;
    let (now, old) = (fields.text("quantize")?, fields.text("quantization")?);
    recipe.quantize = now.or(old).filter(|wanted| !wanted.is_empty());
    if recipe.from.is_none() && recipe.files.is_empty() {
        return Err(Fault::field("from", "neither 'from' or 'files' was specified"));
    }
    Ok(recipe)
}

fn files(fields: &mut Fields) -> Result<BTreeMap<String, String>, Fault> {
    let Some(files) = fields.object("files")? else {
        return Ok(BTreeMap::new());
    };
    let file = |(name, digest): (String, Value)| match digest {
        Value::String(digest) => Ok((name, digest)),
        _ => Err(Fault::field(
            "files",
            "files has names of files, each with its digest: \"sha256:…\"",
        )),
    };
    files.each().map(file).collect()
}

fn parameters(fields: &mut Fields) -> Result<Map<String, Value>, Fault> {
    let Some(own) = fields.object("parameters")? else {
        return Ok(Map::new());
    };
    // What is null asks for nothing.
    let given: Map<String, Value> = own.each().filter(|(_, value)| !value.is_null()).collect();
    Ok(scaffold::made::parameters::read(&given)?)
}

fn messages(fields: &mut Fields) -> Result<Vec<MadeMessage>, Fault> {
    let list = fields.list("messages")?.unwrap_or_default();
    let message = |(index, value): (usize, Value)| {
        let path = format!("messages[{index}]");
        let Value::Object(map) = value else {
            return Err(Fault::field(&path, format!("{path} is no object with role and content")));
        };
        let mut own = Fields::of(map, &format!("{path}."));
        let (role, content) = (own.needed("role")?, own.needed("content")?);
        if !ROLES.contains(&role.as_str()) {
            let accepted = ROLES.join(", ");
            let text = format!("{path}.role is none of those that are accepted: {accepted}");
            return Err(Fault::field(format!("{path}.role"), text));
        }
        own.refuse("images", "models here read text: leave it out")?;
        own.refuse("tool_calls", "messages that a model begins with are texts: leave it out")?;
        Ok(MadeMessage { role, content })
    };
    list.into_iter().enumerate().map(message).collect()
}

/// Ollama tells a line for each thing that a model is put together from.
fn tell_layers(teller: &Teller, model: &MadeModel) {
    if let scaffold::made::Base::Files(files) = &model.base {
        for digest in files.values() {
            teller.status(format!("using existing layer {digest}"));
        }
    }
    let texts = [&model.template, &model.system].into_iter().flatten().chain(&model.licences);
    for text in texts {
        let hash = Sha256::digest(text.as_bytes());
        let digits = hash.iter().fold(String::new(), |digits, byte| format!("{digits}{byte:02x}"));
        teller.status(format!("creating new layer sha256:{digits}"));
    }
}
