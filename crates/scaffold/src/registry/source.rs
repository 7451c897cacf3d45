//! What a registry needs of models: where they come from, and how they end. Tests have models of
//! their own.

use std::path::Path;
use std::time::Duration;

use scaffold_engine::Metrics;
use scaffold_error::Error;
use scaffold_hub::Progress;

use super::options::Change;
use super::status::{Facts, ModelKind};
use crate::memory::Available;

/// Where models come from.
pub(super) trait Source: Send + Sync + 'static {
    /// A model in memory.
    type Model: Resident;
    /// A model whose files are here, and nothing of it is in memory.
    type Found: Send;

    /// One name for all ways to write a name. Quick: every request asks.
    fn identity(&self, name: &str) -> Result<String, Error>;

    /// The model's files, fetched if they are not here, and opened.
    fn find(
        &self,
        name: &str,
        kind: ModelKind,
        change: Option<Change>,
        progress: &mut dyn Progress,
    ) -> Result<Self::Found, Error>;

    /// Its name in its full form, the place of its files, and what it is.
    fn about<'f>(&self, found: &'f Self::Found) -> (&'f str, &'f Path, Facts);

    /// The bytes that it takes where it may have so many, and the tokens of its context.
    fn plan(&self, found: &Self::Found, limit: Option<Available>) -> Result<(usize, usize), Error>;

    /// Loads it, in so many bytes at most.
    fn load(
        &self,
        found: Self::Found,
        bytes: Option<usize>,
        progress: &mut dyn Progress,
    ) -> Result<Self::Model, Error>;

    /// What the system can still give; `None` where it does not say.
    fn available(&self) -> Option<Available>;
}

/// A model in memory. Clones are the same model.
pub(super) trait Resident: Clone + Send + Sync + 'static {
    /// Whether it takes requests.
    fn is_alive(&self) -> bool;

    /// Whether it computes something that no lease stands for.
    fn is_answering(&self) -> bool;

    /// Waits until it computes nothing, and takes no more requests; whether it came to that.
    fn drain(&self, timeout: Duration) -> bool;

    /// Ends what it computes; whether its memory is free although others may still hold it.
    fn end(&self) -> bool;

    /// Writes what is worth keeping of what it has computed.
    fn keep_prompts(&self) {}

    /// What its engine has done, if it has one.
    fn metrics(&self) -> Option<Metrics>;
}
