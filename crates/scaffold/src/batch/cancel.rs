//! Stopping a call from elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Stops a call, be it waiting or at work, from any thread: all of its clones are the same. A call
/// that was stopped fails with [`Kind::Cancelled`](crate::Kind::Cancelled), at the next layer of the
/// model at the latest.
///
/// ```
/// use scaffold::embed::EmbedOptions;
///
/// let cancel = scaffold::Cancel::new();
/// let options = EmbedOptions::new().cancel(&cancel);
/// std::thread::spawn({ let cancel = cancel.clone(); move || cancel.cancel() }).join().unwrap();
/// assert!(options.cancel.is_some_and(|cancel| cancel.is_cancelled()));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// One that stops nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops the calls that were given this one, also those that are made later.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was called for.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The same one, or a clone of it.
impl PartialEq for Cancel {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Cancel {}
