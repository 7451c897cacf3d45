//! From a model's name to its files.

use scaffold_error::Kind;
use scaffold_hub::{Hub, LocalModel, Progress};

use crate::about;
use crate::aliases;
use crate::config::{Config, Source};
use crate::error::Error;
use crate::options::LoadOptions;

/// The files of the model called `name`: an alias, a repository, a path. They are fetched if they
/// are not here.
///
/// # Errors
/// There is no such model, access is refused, or the network or the disk is in the way.
pub fn locate(
    config: &Config,
    name: &str,
    progress: &mut dyn Progress,
) -> Result<LocalModel, Error> {
    let hub = hub_client(config);
    let found = hub.name(name).and_then(|name| hub.resolve(&name, progress));
    found.map_err(|error| explained(config, name, error))
}

/// An error with what is known of the name besides.
fn explained(config: &Config, name: &str, error: Error) -> Error {
    let mut error = error.of_model(name);
    let is_default = config.model.source == Source::Default && config.model.value == name;
    if is_default && error.kind() != Kind::Cancelled {
        error = error
            .prefixed(format!(
                "no model was named, so that it is LLM_MODEL's default, {name} (7 billion parameters, behind a gate)"
            ))
            .remedy("name a small one that needs no access: LLM_MODEL=starter");
    } else if !error.sentence().contains(name) {
        error = error.prefixed(name);
    }
    match meant(name) {
        Some(near) => error.remedy_first(format!("did you mean {near}?")),
        None => error,
    }
}

/// The short name that a single word may be a slip of.
fn meant(name: &str) -> Option<&'static str> {
    let word = !name.contains(['/', '\\']) && !name.starts_with('.');
    if word && aliases::find(name).is_none() { aliases::near(name) } else { None }
}

/// The Hub client of this configuration, the one place that makes it. It knows the short names, and
/// what fits into memory here: where a repository has several quantizations and none was asked for,
/// the best of those that fit is taken.
pub fn hub_client(config: &Config) -> Hub {
    let mut settings = config.hub.clone();
    settings.judge =
        settings.judge.or_else(|| Some(about::judge(LoadOptions::for_one_answer(config))));
    Hub::new(settings)
}

#[cfg(test)]
mod tests {
    use scaffold_hub::Silent;

    use super::*;
    use crate::config::{Flag, Inputs, Key};

    #[test]
    fn only_slips_of_short_names_are_asked_about() {
        assert_eq!(meant("mistrl"), Some("mistral"));
        for name in ["mistral", "./mistrl", "org/mistrl", "something-else"] {
            assert_eq!(meant(name), None, "{name}");
        }
    }

    #[test]
    fn who_named_no_model_hears_which_it_is_and_why() {
        let home = tempfile::tempdir().unwrap();
        let variable = |name: &str| (name == "HOME").then(|| home.path().into());
        let flags = vec![Flag { key: Key::Offline, name: "--test", value: "true".to_owned() }];
        let inputs = Inputs { variable: &variable, project: None, file: None, flags };
        let config = Config::load(inputs).unwrap();
        let error = locate(&config, &config.model.value, &mut Silent).unwrap_err().to_string();
        for part in ["Mistral-7B", "LLM_MODEL's default", "behind a gate", "LLM_MODEL=starter"] {
            assert!(error.contains(part), "{part}: {error}");
        }
        let error = locate(&config, "startr", &mut Silent).unwrap_err();
        assert!(error.to_string().contains("did you mean starter?"), "{error}");
        assert_eq!(error.model(), Some("startr"));
    }
}
