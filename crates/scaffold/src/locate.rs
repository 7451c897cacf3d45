//! From a model's name to its files.

use scaffold_hub::{Hub, LocalModel, Progress};

use crate::Error;
use crate::aliases;
use crate::config::Config;

/// The files of the model called `name`: an alias, a repository, a path. They are fetched if they are not here.
///
/// # Errors
/// There is no such model, access is refused, or the network or the disk is in the way.
pub fn locate(
    config: &Config,
    name: &str,
    progress: &mut dyn Progress,
) -> Result<LocalModel, Error> {
    let hub = Hub::new(config.hub.clone());
    let name = hub.name(&aliases::expand(name))?;
    Ok(hub.resolve(&name, progress)?)
}
