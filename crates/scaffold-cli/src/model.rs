//! From the configured model's name to its files, with what the user hears about it.

use scaffold::config::Config;
use scaffold::hub::{Hub, LocalModel, ModelName};

use crate::progress::Display;

/// Finds the configured model, and fetches it if it is not here.
pub(crate) fn locate(config: &Config) -> anyhow::Result<LocalModel> {
    Ok(scaffold::locate::locate(config, &config.model.value, &mut Display::new())?)
}

/// The Hub client with the configured settings.
pub(crate) fn hub(config: &Config) -> Hub {
    scaffold::locate::hub_client(config)
}

/// What the user means by a model's name, aliases included.
pub(crate) fn name(hub: &Hub, text: &str) -> anyhow::Result<ModelName> {
    Ok(hub.name(text)?)
}
