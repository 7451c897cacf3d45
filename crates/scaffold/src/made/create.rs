//! Making a model of one's own.

use std::collections::BTreeMap;

use scaffold_error::{Error, Notice, Topic, err};
use scaffold_hub::{
    Base, Hub, LocalModel, MadeModel, MadeName, MadeStore, ModelName, Progress, Silent,
};

use super::recipe::Recipe;
use super::{parameters, template};
use crate::aliases;
use crate::config::Config;
use crate::locate::{hub_client, locate};
use crate::model::Model;
use crate::options::LoadOptions;
use crate::quantize;

/// A model of one's own that was made, and what there is to know about it.
#[derive(Clone, Debug)]
pub struct Created {
    /// What was written down.
    pub model: MadeModel,
    /// What changes nothing here, and what the name hides.
    pub notices: Vec<Notice>,
}

/// Makes a model of one's own, in place of one that is called so. What it is made from is fetched if
/// it is not here.
///
/// # Errors
/// The name cannot be one, the model that it is to be made from cannot be had or computed, a
/// parameter or template cannot be used, or the disk is in the way.
pub fn create(
    config: &Config,
    name: &str,
    recipe: &Recipe,
    progress: &mut dyn Progress,
) -> Result<Created, Error> {
    create_with(config, name, recipe, progress, |name, progress| locate(config, name, progress))
}

/// [`create`], with the model that it is made from found in a way of the caller's.
///
/// # Errors
/// As [`create`].
pub fn create_with(
    config: &Config,
    name: &str,
    recipe: &Recipe,
    progress: &mut dyn Progress,
    find: impl FnOnce(&str, &mut dyn Progress) -> Result<LocalModel, Error>,
) -> Result<Created, Error> {
    let name = own_name(name)?;
    let hub = hub_client(config);
    let mut notices = recipe.notices.clone();
    notices.extend(hides(&hub, &name));
    let (mut model, local) = match (&recipe.from, recipe.files.is_empty()) {
        (Some(from), true) => {
            let local = find(from, progress)?;
            (base_of(&hub, from, name, &local)?, Some(local))
        }
        (None, false) => (MadeModel::new(name, Base::Files(recipe.files.clone())), None),
        (Some(_), false) => {
            return Err(err!(
                Usage,
                "from and files both say what the model is made from: leave one out"
            )
            .of_key("files"));
        }
        (None, true) => {
            return Err(err!(
                Usage,
                "neither 'from' or 'files' was specified: say what the model is made from"
            )
            .of_key("from"));
        }
    };
    say(&mut model, recipe, &mut notices)?;
    let local = match local {
        Some(local) => local,
        None => prepared(&hub, &model)?,
    };
    // Whether it is a model that can be computed here; what is none is not written down.
    let opened = Model::open(&local, &LoadOptions::for_one_answer(config))?;
    let store = hub.made()?;
    if let Some(wanted) = &recipe.quantize
        && let Some(files) = quantized(&store, &opened, wanted, progress)?
    {
        model.base = Base::Files(files);
    }
    Ok(Created { model: store.put(model)?, notices })
}

/// Gives a model a further name: of a model of one's own, a second one of its own; of any other, one
/// that is made from it.
///
/// # Errors
/// As [`create`].
pub fn copy(
    config: &Config,
    from: &str,
    to: &str,
    progress: &mut dyn Progress,
) -> Result<Created, Error> {
    copy_with(config, from, to, |name| locate(config, name, progress))
}

/// [`copy`], with a model that is not one's own found in a way of the caller's.
///
/// # Errors
/// As [`create`].
pub fn copy_with(
    config: &Config,
    from: &str,
    to: &str,
    find: impl FnOnce(&str) -> Result<LocalModel, Error>,
) -> Result<Created, Error> {
    let hub = hub_client(config);
    let ModelName::Made(own) = hub.name(from)? else {
        let found = |name: &str, _: &mut dyn Progress| find(name);
        return create_with(config, to, &Recipe::of(from), &mut Silent, found);
    };
    let name = own_name(to)?;
    let notices = hides(&hub, &name).into_iter().collect();
    Ok(Created { model: hub.made()?.copy(&own, name)?, notices })
}

/// A name that may be given: one that an alias has would hide it.
fn own_name(text: &str) -> Result<MadeName, Error> {
    let name = MadeName::parse(text)?;
    match aliases::find(&name.to_string()) {
        Some(alias) => Err(err!(
            Usage,
            "{} is a short name of {}, which a model of your own would hide",
            text.trim(),
            alias.repo
        )
        .of_key("model")
        .remedy(format!("take another name, or another tag: {}:mine", name.name()))),
        None => Ok(name),
    }
}

/// What cannot be meant by the name any more.
fn hides(hub: &Hub, name: &MadeName) -> Option<Notice> {
    let (bare, tag) = (name.name(), name.tag());
    let hidden = if tag == "latest" {
        hidden_by_bare(hub, bare)
    } else {
        // Behind a short name it would be a quantization.
        aliases::find(bare).map(|alias| format!("{tag} of {0} is written {0}:{tag}", alias.repo))
    };
    hidden.map(|text| {
        Notice::new(Topic::Source, format!("{name} means this model from now on: {text}"))
    })
}

/// Neither directories nor old repositories of the Hub have a tag.
fn hidden_by_bare(hub: &Hub, bare: &str) -> Option<String> {
    if std::path::Path::new(bare).join("config.json").is_file() {
        return Some(format!("the directory is written ./{bare}"));
    }
    match ModelName::parse(bare) {
        Ok(ModelName::Repo(repo)) if hub.has_repo(&repo) => {
            Some(format!("the repository of the Hub is written hf.co/{bare}"))
        }
        _ => None,
    }
}

/// What is to be written down before anything is said: a model of one's own is made from what another
/// one is made from, and has what that one says.
fn base_of(hub: &Hub, from: &str, name: MadeName, local: &LocalModel) -> Result<MadeModel, Error> {
    if let Some(made) = &local.made {
        return Ok(MadeModel { name, ..MadeModel::clone(made) });
    }
    let text = match hub.name(from)? {
        // Wherever somebody stands who asks for it.
        ModelName::Local(_) => {
            let path = std::path::absolute(local.files.path());
            let path = path.map_err(Error::io("find", local.files.path()))?;
            path.to_str()
                .ok_or_else(|| {
                    err!(Usage, "the path {} is no text", path.display()).of_key("from")
                })?
                .to_owned()
        }
        other => other.in_full(),
    };
    Ok(MadeModel::new(name, Base::From(text)))
}

/// What the recipe says, over what is there already.
fn say(model: &mut MadeModel, recipe: &Recipe, notices: &mut Vec<Notice>) -> Result<(), Error> {
    if let Some(source) = &recipe.template {
        model.template = template::checked(source, notices)?;
    }
    if let Some(text) = &recipe.system {
        model.system = Some(text.clone()).filter(|text| !text.is_empty());
    }
    let said = parameters::read(&recipe.parameters)?;
    model.parameters.extend(said);
    notices.extend(parameters::notice(&model.parameters));
    if !recipe.messages.is_empty() {
        model.messages.clone_from(&recipe.messages);
    }
    for licence in &recipe.licences {
        if !model.licences.contains(licence) {
            model.licences.push(licence.clone());
        }
    }
    Ok(())
}

/// Files that were brought, where they are to be used.
fn prepared(hub: &Hub, model: &MadeModel) -> Result<LocalModel, Error> {
    hub.made()?.prepare(model)?;
    hub.cached_as(model.clone())?.ok_or_else(|| {
        err!(Internal, "the files of {} were put in their place and are not there", model.name)
    })
}

/// The file with weights of the type that is wanted; none where they have it already.
fn quantized(
    store: &MadeStore,
    model: &Model,
    wanted: &str,
    progress: &mut dyn Progress,
) -> Result<Option<BTreeMap<String, String>>, Error> {
    let stored = quantize::stored(model)?;
    if wanted.eq_ignore_ascii_case(&stored) {
        return Ok(None);
    }
    let to = quantize::weights(wanted).map_err(|error| error.of_key("quantize"))?;
    let digest = store.make_blob(|path| {
        let written = quantize::write(model, to, false, path, progress);
        written.map(drop).map_err(|error| error.of_key("quantize"))
    })?;
    Ok(Some(BTreeMap::from([("model.gguf".to_owned(), digest)])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn what_a_name_hides_is_told_or_refused() {
        let home = tempfile::tempdir().unwrap();
        let config = Config::isolated(home.path()).unwrap();
        let hub = hub_client(&config);
        let old = config.hub.hub_cache().unwrap().join("models--gpt2/refs");
        std::fs::create_dir_all(old).unwrap();
        let told = |text: &str| {
            hides(&hub, &own_name(text).unwrap()).map(|notice| notice.text).unwrap_or_default()
        };
        assert!(told("gpt2").contains("hf.co/gpt2"), "{}", told("gpt2"));
        let quantization = told("tinyllama:Q8_0");
        assert!(quantization.contains("TinyLlama/TinyLlama-1.1B-Chat-v1.0:Q8_0"), "{quantization}");
        assert_eq!((told("mario"), told("mario:v1")), (String::new(), String::new()));
        for alias in ["starter", "Mistral:latest", "llama3.2:1b"] {
            let error = own_name(alias).unwrap_err().to_string();
            assert!(error.contains("short name"), "{error}");
        }
    }
}
