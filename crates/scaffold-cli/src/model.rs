//! From the configured model's name to its files, with what the user hears about it.

use scaffold::config::Config;
use scaffold::hub::LocalModel;

use crate::progress::Display;

/// Finds the configured model, and fetches it if it is not here.
pub(crate) fn locate(config: &Config) -> anyhow::Result<LocalModel> {
    Ok(scaffold::locate(
        config,
        &config.model.value,
        &mut Display::new(),
    )?)
}
