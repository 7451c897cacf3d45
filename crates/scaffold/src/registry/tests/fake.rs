//! Models without weights, whose loads tests begin and end.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use scaffold_engine::Metrics;
use scaffold_error::{Error, err};
use scaffold_hub::Progress;

use crate::memory::Available;
use crate::registry::options::{Change, RegistryOptions};
use crate::registry::shared::Shared;
use crate::registry::source::{Resident, Source};
use crate::registry::status::{Facts, ModelKind};
use crate::registry::table::Phase;

/// Longer than anything here takes.
pub(super) const LONG: Duration = Duration::from_mins(1);

/// What happens when a model is loaded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Load {
    Works,
    Fails,
    Panics,
    /// It goes on when the gate is opened, or ends when it is stopped.
    Waits,
}

/// The bytes that are in memory, and were at most; loads that were begun, and at once at most.
#[derive(Default)]
pub(super) struct Ledger {
    pub(super) bytes: AtomicUsize,
    pub(super) peak: AtomicUsize,
    pub(super) loads: AtomicUsize,
    pub(super) at_once: AtomicUsize,
    pub(super) most_at_once: AtomicUsize,
}

pub(super) struct Fakes {
    pub(super) ledger: Arc<Ledger>,
    models: Mutex<HashMap<String, (usize, Load)>>,
    gate: (Mutex<bool>, Condvar),
    pub(super) available: Mutex<Option<usize>>,
}

#[derive(Clone)]
pub(super) struct Fake(Arc<Inner>);

struct Inner {
    bytes: usize,
    ledger: Arc<Ledger>,
    dead: AtomicBool,
    answering: AtomicBool,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.ledger.bytes.fetch_sub(self.bytes, Ordering::SeqCst);
    }
}

impl Fake {
    pub(super) fn die(&self) {
        self.0.dead.store(true, Ordering::SeqCst);
    }

    pub(super) fn answer(&self, answering: bool) {
        self.0.answering.store(answering, Ordering::SeqCst);
    }

    pub(super) fn is(&self, other: &Fake) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Resident for Fake {
    fn is_alive(&self) -> bool {
        !self.0.dead.load(Ordering::SeqCst)
    }

    fn is_answering(&self) -> bool {
        self.0.answering.load(Ordering::SeqCst)
    }

    fn drain(&self, timeout: Duration) -> bool {
        let end = Instant::now() + timeout;
        while self.is_answering() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(1));
        }
        !self.is_answering()
    }

    fn end(&self) -> bool {
        self.die();
        false
    }

    fn metrics(&self) -> Option<Metrics> {
        None
    }
}

pub(super) struct Found {
    name: String,
    place: PathBuf,
    bytes: usize,
    load: Load,
}

impl Fakes {
    pub(super) fn open_gate(&self) {
        *self.gate.0.lock().unwrap() = true;
        self.gate.1.notify_all();
    }

    pub(super) fn set(&self, name: &str, bytes: usize, load: Load) {
        self.models.lock().unwrap().insert(name.to_owned(), (bytes, load));
    }
}

impl Source for Fakes {
    type Model = Fake;
    type Found = Found;

    /// Capitals make no difference; `link/x` is a name of its own for the files of `x`.
    fn identity(&self, name: &str) -> Result<String, Error> {
        Ok(name.to_lowercase())
    }

    fn find(
        &self,
        name: &str,
        _: ModelKind,
        _: Option<Change>,
        _: &mut dyn Progress,
    ) -> Result<Found, Error> {
        let name = name.to_lowercase();
        let name = name.strip_prefix("link/").unwrap_or(&name);
        let known = self.models.lock().unwrap().get(name).copied();
        let (bytes, load) = known.ok_or_else(|| err!(NotFound, "there is no {name}"))?;
        Ok(Found { name: name.to_owned(), place: name.into(), bytes, load })
    }

    fn about<'f>(&self, found: &'f Found) -> (&'f str, &'f Path, Facts) {
        (&found.name, &found.place, Facts::default())
    }

    fn plan(&self, found: &Found, limit: Option<Available>) -> Result<(usize, usize), Error> {
        match limit {
            Some(limit) if limit.bytes < found.bytes => {
                Err(err!(Unavailable, "{} needs {} and {limit}", found.name, found.bytes))
            }
            _ => Ok((found.bytes, 512)),
        }
    }

    fn load(
        &self,
        found: Found,
        bytes: Option<usize>,
        progress: &mut dyn Progress,
    ) -> Result<Fake, Error> {
        assert!(bytes.is_none_or(|bytes| bytes == found.bytes));
        let ledger = Arc::clone(&self.ledger);
        ledger.loads.fetch_add(1, Ordering::SeqCst);
        let now = ledger.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        ledger.most_at_once.fetch_max(now, Ordering::SeqCst);
        progress.loaded(1, 2);
        let end = || ledger.at_once.fetch_sub(1, Ordering::SeqCst);
        match found.load {
            Load::Works => std::thread::sleep(Duration::from_millis(1)),
            Load::Fails => {
                end();
                return Err(err!(Damaged, "{} is broken", found.name));
            }
            Load::Panics => {
                end();
                // As a panic, but nothing is printed about it.
                std::panic::resume_unwind(Box::new(format!("a fault in {}", found.name)));
            }
            Load::Waits => {
                let mut open = self.gate.0.lock().unwrap();
                while !*open {
                    if progress.cancelled() {
                        end();
                        return Err(err!(Cancelled, "stopped"));
                    }
                    open = self.gate.1.wait_timeout(open, Duration::from_millis(2)).unwrap().0;
                }
            }
        }
        progress.loaded(2, 2);
        end();
        let bytes = ledger.bytes.fetch_add(found.bytes, Ordering::SeqCst) + found.bytes;
        ledger.peak.fetch_max(bytes, Ordering::SeqCst);
        let (dead, answering) = Default::default();
        Ok(Fake(Arc::new(Inner { bytes: found.bytes, ledger, dead, answering })))
    }

    fn available(&self) -> Option<Available> {
        let by = crate::memory::Bound::Machine;
        self.available.lock().unwrap().map(|bytes| Available { bytes, by })
    }
}

/// A registry of fakes; `a`, `b` and `c` are there and have ten bytes each.
pub(super) fn registry(options: RegistryOptions) -> Arc<Shared<Fakes>> {
    let fakes = Fakes {
        ledger: Arc::default(),
        models: Mutex::default(),
        gate: Default::default(),
        available: Mutex::default(),
    };
    for name in ["a", "b", "c"] {
        fakes.set(name, 10, Load::Works);
    }
    Arc::new(Shared::new(fakes, options))
}

/// Waits until it is so.
pub(super) fn until(mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + LONG;
    while !is_so() {
        assert!(Instant::now() < end, "it never comes to that");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The names of the models that are here or leaving, with their leases.
pub(super) fn here(shared: &Shared<Fakes>) -> Vec<(String, usize)> {
    let table = shared.lock();
    let here = table.entries.values().filter_map(|entry| match &entry.phase {
        Phase::Here(_, held) => Some((entry.name.clone(), held.leases)),
        _ => None,
    });
    here.collect()
}

impl Shared<Fakes> {
    /// All models that are known.
    pub(super) fn lock_ids(&self) -> Vec<u64> {
        self.lock().entries.keys().copied().collect()
    }
}
