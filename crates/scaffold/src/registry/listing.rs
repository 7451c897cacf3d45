//! What is told of the models and of what was done with them.

use std::time::{Duration, Instant, SystemTime};

use super::shared::Shared;
use super::source::{Resident as _, Source};
use super::status::{ModelMetrics, ModelState, RegistryMetrics, Stage};
use super::table::{Phase, Step};
use crate::options::MemoryLimit;

impl<S: Source> Shared<S> {
    pub(super) fn models(&self) -> Vec<ModelState> {
        let clock = Clock::new();
        let table = self.lock();
        let state = |entry: &super::table::Entry<S::Model>| ModelState {
            name: entry.name.clone(),
            names: entry.names.clone(),
            made: Vec::new(),
            kind: entry.kind,
            stage: match &entry.phase {
                Phase::Coming(coming) => match coming.step.clone() {
                    Step::Fetching(bytes, of) => Stage::Fetching { bytes, of },
                    Step::Waiting(why) => Stage::Waiting(why),
                    Step::Loading(bytes, of) => Stage::Loading { bytes, of },
                },
                Phase::Here(_, held) => Stage::Ready {
                    since: clock.wall(held.since),
                    last_used: clock.wall(held.last_used),
                    expires: held
                        .expires
                        .filter(|_| !table.is_pinned(entry))
                        .map(|at| clock.wall(at)),
                },
                Phase::Leaving(_) => Stage::Draining,
                Phase::Failed(why, at) => Stage::Failed { why: why.clone(), at: *at },
            },
            pinned: table.is_pinned(entry),
            keep_alive: entry.keep_alive,
            leases: entry.phase.held().map_or(0, |held| held.leases),
            memory: entry.phase.bytes().unwrap_or(0),
            facts: entry.facts.clone(),
        };
        table.entries.values().map(state).collect()
    }

    /// Models that nobody has used for so long.
    pub(super) fn idle(&self, time: Duration) -> Vec<S::Model> {
        let table = self.lock();
        let idle = table.entries.values().filter_map(|entry| match &entry.phase {
            Phase::Here(model, held) => {
                let is_idle = held.leases == 0 && held.last_used.elapsed() >= time;
                (is_idle && !model.is_answering()).then(|| model.clone())
            }
            _ => None,
        });
        idle.collect()
    }

    pub(super) fn metrics(&self) -> RegistryMetrics {
        let now = Instant::now();
        let table = self.lock();
        let models = table.entries.values().filter_map(|entry| {
            let held = entry.phase.held()?;
            Some(ModelMetrics {
                name: entry.name.clone(),
                kind: entry.kind,
                memory: held.bytes,
                leases: held.leases,
                requests: held.requests,
                age: now.saturating_duration_since(held.since),
                engine: match &entry.phase {
                    Phase::Here(model, _) => model.metrics(),
                    _ => None,
                },
            })
        });
        RegistryMetrics {
            memory: table.bytes(),
            memory_limit: match self.options.memory {
                MemoryLimit::Bytes(bytes) => Some(bytes),
                MemoryLimit::Available | MemoryLimit::Unlimited => None,
            },
            models: models.collect(),
            ..table.counts.clone()
        }
    }

    /// Waits until the version is another one; the version then.
    pub(super) fn watch(&self, version: u64, timeout: Duration) -> u64 {
        // A timeout past the end of time is none.
        let deadline = Instant::now().checked_add(timeout);
        let mut table = self.lock();
        while table.version == version {
            let left = deadline.map(|end| end.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                break;
            }
            table.wait(left);
        }
        table.version
    }
}

/// Both clocks at one moment.
struct Clock(Instant, SystemTime);

impl Clock {
    fn new() -> Self {
        Self(Instant::now(), SystemTime::now())
    }

    /// What the clock on the wall says at a time; now, where it cannot say.
    fn wall(&self, at: Instant) -> SystemTime {
        let Clock(now, wall) = *self;
        let told = match at.checked_duration_since(now) {
            Some(later) => wall.checked_add(later),
            None => wall.checked_sub(now.saturating_duration_since(at)),
        };
        told.unwrap_or(wall)
    }
}
