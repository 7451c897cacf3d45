//! How a registry keeps its models, and how one is asked for.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use scaffold_hub::Progress;

use crate::options::{LoadOptions, MemoryLimit, setters};

/// How long a model stays in memory when nobody uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepAlive {
    /// So long; zero: it goes at once.
    For(Duration),
    /// Until its room is needed, or somebody unloads it.
    Forever,
}

impl From<Duration> for KeepAlive {
    fn from(time: Duration) -> Self {
        KeepAlive::For(time)
    }
}

/// How a [`Registry`](super::Registry) keeps its models.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RegistryOptions {
    /// What all models together may take of the machine's memory.
    pub memory: MemoryLimit,
    /// How long a model stays when nobody uses it, where a request does not say: five minutes.
    pub keep_alive: KeepAlive,
    /// Models that are in memory at once, at most.
    pub max_loaded: Option<usize>,
    /// Models that are read into memory at once, at most: one. Fetching counts for nothing.
    pub concurrent_loads: usize,
    /// How models are loaded, in place of what follows from the configuration. What it says of
    /// memory is not looked at.
    pub load: Option<LoadOptions>,
}

setters!(RegistryOptions {
    memory: MemoryLimit,
    keep_alive: KeepAlive,
    max_loaded: Option<usize>,
    concurrent_loads: usize,
    load: Option<LoadOptions>,
});

impl Default for RegistryOptions {
    fn default() -> Self {
        Self {
            memory: MemoryLimit::Available,
            keep_alive: KeepAlive::For(Duration::from_mins(5)),
            max_loaded: None,
            concurrent_loads: 1,
            load: None,
        }
    }
}

/// What is changed of how a model is loaded.
pub(super) type Change = Box<dyn FnOnce(&mut LoadOptions) + Send>;

/// How a model is asked for.
///
/// ```
/// use std::time::Duration;
/// use scaffold::registry::{Ask, KeepAlive};
///
/// let ask = Ask::new().keep_alive(KeepAlive::Forever).wait(Duration::from_secs(20));
/// # let _ = ask;
/// ```
#[derive(Default)]
pub struct Ask<'a> {
    pub(super) keep_alive: Option<KeepAlive>,
    pub(super) wait: Option<Duration>,
    pub(super) cancel: Option<Arc<AtomicBool>>,
    pub(super) change: Option<Change>,
    pub(super) progress: Option<&'a mut (dyn Progress + Send)>,
}

impl<'a> Ask<'a> {
    /// Waits for the model's load as long as that takes, and for no other model to become idle.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How long the model stays when nobody uses it, from now on.
    #[must_use]
    pub fn keep_alive(mut self, keep_alive: impl Into<KeepAlive>) -> Self {
        self.keep_alive = Some(keep_alive.into());
        self
    }

    /// Waits so long at most, also for models that are in use and whose room is needed. When the
    /// time is over, a load that is going on goes on: a later request finds the model. So zero
    /// begins a load and waits for nothing.
    #[must_use]
    pub fn wait(mut self, time: Duration) -> Self {
        self.wait = Some(time);
        self
    }

    /// Stops waiting when this becomes true, which is looked at every tenth of a second. A load that
    /// nobody else waits for is stopped, too.
    #[must_use]
    pub fn cancel(mut self, flag: Arc<AtomicBool>) -> Self {
        self.cancel = Some(flag);
        self
    }

    /// Changes how the model is loaded, where this request begins the load. A model that is there is
    /// taken as it is.
    #[must_use]
    pub fn change(mut self, change: impl FnOnce(&mut LoadOptions) + Send + 'static) -> Self {
        self.change = Some(Box::new(change));
        self
    }

    /// Who hears how the model is fetched and loaded, in this thread. It can stop the waiting as
    /// [`cancel`](Self::cancel) does.
    #[must_use]
    pub fn progress(mut self, progress: &'a mut (dyn Progress + Send)) -> Self {
        self.progress = Some(progress);
        self
    }
}

impl fmt::Debug for Ask<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ask")
            .field("keep_alive", &self.keep_alive)
            .field("wait", &self.wait)
            .finish_non_exhaustive()
    }
}
