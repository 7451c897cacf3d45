//! What a registry knows of its models. It stands behind one lock, which nobody holds for longer
//! than a look takes.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Instant, SystemTime};

use scaffold_error::Error;
use scaffold_hub as hub;

use super::options::KeepAlive;
use super::policy::{Holder, Holds};
use super::source::Resident;
use super::status::{Facts, ModelKind, RegistryMetrics};

/// All of it.
pub(super) struct Table<M> {
    pub(super) entries: BTreeMap<u64, Entry<M>>,
    pub(super) names: HashMap<(String, ModelKind), u64>,
    /// The names whose models stay.
    pub(super) pins: HashSet<String>,
    pub(super) counts: RegistryMetrics,
    /// Counts changes, for those who watch.
    pub(super) version: u64,
    /// Nothing is loaded any more.
    pub(super) closed: bool,
    pub(super) keeper: Keeper,
    last: u64,
}

/// The thread that lets models go.
#[derive(Default)]
pub(super) struct Keeper {
    pub(super) runs: bool,
    /// When it wakes; `None` while it does something.
    pub(super) until: Option<Instant>,
    pub(super) thread: Option<JoinHandle<()>>,
}

/// One model.
pub(super) struct Entry<M> {
    /// The names that it was asked for by.
    pub(super) names: Vec<String>,
    /// What it is called.
    pub(super) name: String,
    pub(super) kind: ModelKind,
    /// Where its files are, as soon as that is known.
    pub(super) place: Option<PathBuf>,
    pub(super) facts: Option<Facts>,
    pub(super) keep_alive: KeepAlive,
    pub(super) phase: Phase<M>,
}

pub(super) enum Phase<M> {
    Coming(Coming),
    Here(M, Held),
    Leaving(Leaving),
    Failed(Error, SystemTime),
}

/// A model that is being loaded.
pub(super) struct Coming {
    pub(super) job: Arc<Job>,
    pub(super) step: Step,
    /// Bytes that are kept for it.
    pub(super) reserved: Option<usize>,
    /// Requests that wait for it, and those of them that wait for room, too.
    pub(super) waiters: usize,
    pub(super) patient: usize,
}

#[derive(Clone)]
pub(super) enum Step {
    Fetching(u64, u64),
    Waiting(Option<Error>),
    Loading(u64, u64),
}

/// One load. It has a thread of its own, so that whoever waits for it can leave.
pub(super) struct Job {
    /// Its own, and that of the copy that it loads.
    pub(super) serial: u64,
    /// Nobody wants it any more.
    pub(super) stop: AtomicBool,
    pub(super) outcome: OnceLock<Outcome>,
    pub(super) listeners: Mutex<Vec<Sender<Heard>>>,
}

pub(super) enum Outcome {
    /// The model is here, with a lease for each who waited.
    Here,
    /// The model has another name, by which it is known already.
    Moved,
    Failed(Error),
}

/// What is told of a load.
#[derive(Clone)]
pub(super) enum Heard {
    Event(hub::Event),
    Loaded(u64, u64),
}

/// A model in memory, as far as its use goes.
#[derive(Clone)]
pub(super) struct Held {
    pub(super) serial: u64,
    pub(super) bytes: usize,
    pub(super) leases: usize,
    pub(super) requests: u64,
    pub(super) since: Instant,
    pub(super) last_used: Instant,
    /// When it goes.
    pub(super) expires: Option<Instant>,
    /// Loads that wait until it is idle, and how often it was asked for meanwhile.
    pub(super) wanted: usize,
    pub(super) passes: usize,
}

/// A model that goes. Whoever took it out has it.
pub(super) struct Leaving {
    pub(super) held: Held,
    /// It has ended, and goes with its last lease.
    pub(super) ended: bool,
    /// Nothing is waited for any more.
    pub(super) hurry: bool,
}

/// A model that was taken out, and has to be ended.
pub(super) struct TakenOut<M> {
    pub(super) id: u64,
    pub(super) serial: u64,
    pub(super) model: M,
}

/// Failures that are remembered.
const FAILURES: usize = 32;

impl Job {
    pub(super) fn new(serial: u64) -> Self {
        Self {
            serial,
            stop: AtomicBool::new(false),
            outcome: OnceLock::new(),
            listeners: Mutex::default(),
        }
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Tells those who listen and are still there.
    pub(super) fn tell(&self, heard: &Heard) {
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.retain(|listener| listener.send(heard.clone()).is_ok());
    }
}

impl<M> Phase<M> {
    /// The use of a copy, be it here or leaving.
    pub(super) fn held(&self) -> Option<&Held> {
        match self {
            Phase::Here(_, held) | Phase::Leaving(Leaving { held, .. }) => Some(held),
            Phase::Coming(_) | Phase::Failed(..) => None,
        }
    }

    pub(super) fn held_mut(&mut self) -> Option<&mut Held> {
        match self {
            Phase::Here(_, held) | Phase::Leaving(Leaving { held, .. }) => Some(held),
            Phase::Coming(_) | Phase::Failed(..) => None,
        }
    }

    /// Bytes that are counted for it; `None` where nothing is in memory nor comes.
    pub(super) fn bytes(&self) -> Option<usize> {
        match self {
            Phase::Coming(coming) => coming.reserved,
            _ => self.held().map(|held| held.bytes),
        }
    }
}

impl<M: Resident> Table<M> {
    pub(super) fn new() -> Self {
        Self {
            entries: BTreeMap::new(),
            names: HashMap::new(),
            pins: HashSet::new(),
            counts: RegistryMetrics::default(),
            version: 0,
            closed: false,
            keeper: Keeper::default(),
            last: 0,
        }
    }

    /// Something is different now.
    pub(super) fn bump(&mut self) {
        self.version += 1;
    }

    /// A number that nothing else has.
    pub(super) fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// The entries of a name, of all kinds.
    pub(super) fn named(&self, identity: &str) -> Vec<u64> {
        let of = |entry: &Entry<M>| entry.names.iter().any(|name| name == identity);
        self.entries.iter().filter(|(_, entry)| of(entry)).map(|(&id, _)| id).collect()
    }

    pub(super) fn is_pinned(&self, entry: &Entry<M>) -> bool {
        entry.names.iter().any(|name| self.pins.contains(name))
    }

    /// Bytes that are counted for all of them.
    pub(super) fn bytes(&self) -> usize {
        let bytes = self.entries.values().filter_map(|entry| entry.phase.bytes());
        bytes.fold(0, usize::saturating_add)
    }

    /// Bytes that are kept for models that are being loaded.
    pub(super) fn reserved(&self) -> usize {
        self.coming().filter_map(|coming| coming.reserved).fold(0, usize::saturating_add)
    }

    /// Models that are being read into memory.
    pub(super) fn loading(&self) -> usize {
        self.coming().filter(|coming| coming.reserved.is_some()).count()
    }

    fn coming(&self) -> impl Iterator<Item = &Coming> {
        self.entries.values().filter_map(|entry| match &entry.phase {
            Phase::Coming(coming) => Some(coming),
            _ => None,
        })
    }

    pub(super) fn coming_mut(&mut self, id: u64) -> Option<&mut Coming> {
        match &mut self.entries.get_mut(&id)?.phase {
            Phase::Coming(coming) => Some(coming),
            _ => None,
        }
    }

    /// The copy of that number, be it here or leaving.
    pub(super) fn copy_mut(&mut self, id: u64, serial: u64) -> Option<&mut Held> {
        let held = self.entries.get_mut(&id)?.phase.held_mut()?;
        (held.serial == serial).then_some(held)
    }

    /// Those that hold memory, but for one; times count from `start`.
    pub(super) fn holders(&self, but: u64, start: Instant) -> Vec<Holder> {
        let others = self.entries.iter().filter(|(id, _)| **id != but);
        let holder = |(&id, entry): (&u64, &Entry<M>)| {
            let bytes = entry.phase.bytes()?;
            let used = entry.phase.held().map_or(start, |held| held.last_used);
            let state = match &entry.phase {
                Phase::Leaving(leaving) if leaving.held.leases == 0 => Holds::Leaving,
                // It goes when it is used no more, which may take long.
                Phase::Leaving(_) => Holds::Busy,
                _ if self.is_pinned(entry) => Holds::Pinned,
                Phase::Here(model, held) if held.leases == 0 && !model.is_answering() => {
                    Holds::Idle
                }
                _ => Holds::Busy,
            };
            let last_used = used.saturating_duration_since(start).as_nanos() as u64;
            Some(Holder { id, bytes, last_used, state })
        };
        others.filter_map(holder).collect()
    }

    /// Takes a model out that is here: it is leaving from now on.
    pub(super) fn take_out(&mut self, id: u64) -> Option<TakenOut<M>> {
        let entry = self.entries.get_mut(&id)?;
        let Phase::Here(_, held) = &entry.phase else {
            return None;
        };
        let held = Held { expires: None, ..held.clone() };
        let serial = held.serial;
        let leaving = Phase::Leaving(Leaving { held, ended: false, hurry: false });
        let Phase::Here(model, _) = std::mem::replace(&mut entry.phase, leaving) else {
            return None;
        };
        self.bump();
        Some(TakenOut { id, serial, model })
    }

    /// A model that was taken out has ended: its memory is free, or comes with its last lease.
    pub(super) fn ended(&mut self, id: u64, serial: u64, is_free: bool) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        match &mut entry.phase {
            Phase::Leaving(leaving) if leaving.held.serial == serial => {
                leaving.ended = true;
                if is_free || leaving.held.leases == 0 {
                    self.remove(id);
                }
                self.bump();
            }
            _ => {}
        }
    }

    pub(super) fn remove(&mut self, id: u64) {
        self.entries.remove(&id);
        self.names.retain(|_, named| *named != id);
        self.bump();
    }

    /// Remembers why a model could not be loaded, and not too much of that.
    pub(super) fn fail(&mut self, id: u64, why: Error) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.phase = Phase::Failed(why, SystemTime::now());
        }
        let failed = self.entries.iter().filter_map(|(&id, entry)| match entry.phase {
            Phase::Failed(_, at) => Some((at, id)),
            _ => None,
        });
        let mut failed: Vec<(SystemTime, u64)> = failed.collect();
        failed.sort_unstable();
        for (_, id) in failed.iter().take(failed.len().saturating_sub(FAILURES)) {
            self.remove(*id);
        }
        self.bump();
    }

    /// A model was asked for although loads wait for its room, or no more is.
    pub(super) fn want(&mut self, ids: &[u64], more: bool) {
        for id in ids {
            if let Some(Phase::Here(_, held)) = self.entries.get_mut(id).map(|e| &mut e.phase) {
                held.wanted = if more { held.wanted + 1 } else { held.wanted.saturating_sub(1) };
                if held.wanted == 0 {
                    held.passes = 0;
                }
            }
        }
    }
}
