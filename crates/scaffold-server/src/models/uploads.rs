//! What clients may bring for models of their own.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::options::ServerOptions;

/// Files that are brought at once; others wait.
const AT_ONCE: usize = 4;

/// What may be brought.
pub(crate) struct Uploads {
    /// Bytes of one file, at most.
    pub(crate) most: u64,
    /// How long nothing may come of one.
    pub(crate) patience: Duration,
    pub(crate) turns: Arc<Semaphore>,
}

impl Uploads {
    pub(super) fn new(options: &ServerOptions) -> Self {
        let turns = Arc::new(Semaphore::new(AT_ONCE));
        Self { most: options.upload_bytes, patience: options.body_time, turns }
    }
}
