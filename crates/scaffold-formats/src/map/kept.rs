//! Systems that keep a mapped file as long as it is mapped have nothing to watch.

use std::fs::File;
use std::path::Path;

use scaffold_error::Error;

/// Tells whether a mapped file has become shorter than it was when it was mapped.
#[derive(Clone, Debug)]
pub struct Watch(());

impl Watch {
    pub(super) fn of(_: &Path, _: File, _: &[u8]) -> Self {
        Self(())
    }

    #[expect(clippy::unused_self, reason = "as on other systems")]
    pub(super) fn end(&self) {}

    /// Whether all that was read was there.
    ///
    /// # Errors
    /// None here: a mapped file cannot be made shorter.
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "as on other systems")]
    pub fn check(&self) -> Result<(), Error> {
        Ok(())
    }
}
