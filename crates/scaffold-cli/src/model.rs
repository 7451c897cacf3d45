//! From the configured model's name to its files, with what the user hears about it.

use scaffold::aliases;
use scaffold::config::Config;
use scaffold::hub::{Hub, LocalModel, ModelName};

use crate::out;
use crate::progress::Display;

/// Finds the configured model, and fetches it if it is not here.
pub(crate) fn locate(config: &Config) -> anyhow::Result<LocalModel> {
    let name = &config.model.value;
    let found = scaffold::locate(config, name, &mut Display::new());
    if found.is_err()
        && let Some(near) = meant(name)
    {
        out::say(format_args!("note: {name} is not one of the short names; did you mean {near}?"));
    }
    Ok(found?)
}

/// The Hub client with the configured settings.
pub(crate) fn hub(config: &Config) -> Hub {
    scaffold::hub_client(config)
}

/// What the user means by a model's name, aliases included.
pub(crate) fn name(hub: &Hub, text: &str) -> anyhow::Result<ModelName> {
    Ok(hub.name(text)?)
}

/// The short name that a single word may be a slip of.
fn meant(name: &str) -> Option<&'static str> {
    let word = !name.contains(['/', '\\']) && !name.starts_with('.');
    if word && aliases::find(name).is_none() { aliases::near(name) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_slips_of_short_names_are_asked_about() {
        assert_eq!(meant("mistrl"), Some("mistral"));
        for name in ["mistral", "./mistrl", "org/mistrl", "something-else"] {
            assert_eq!(meant(name), None, "{name}");
        }
    }
}
