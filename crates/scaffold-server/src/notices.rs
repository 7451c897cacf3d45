//! What a client is told beside its answer.

use std::sync::{Arc, Mutex, PoisonError};

/// What a client is told beside its answer, in the header `x-scaffold-notice`: how something was done
/// that could not be done as it is usually done. Shared by all who work on a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notices(Arc<Mutex<Vec<&'static str>>>);

impl Notices {
    /// Tells this, once.
    pub(crate) fn add(&self, notice: &'static str) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.contains(&notice) {
            all.push(notice);
        }
    }

    /// What was told by now.
    pub(crate) fn joined(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).join("; ")
    }
}
