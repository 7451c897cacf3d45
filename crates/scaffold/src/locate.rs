//! From a model's name to its files.

use scaffold_hub::{Hub, LocalModel, Progress};

use crate::about;
use crate::config::Config;
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
    let name = hub.name(name)?;
    hub.resolve(&name, progress)
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
