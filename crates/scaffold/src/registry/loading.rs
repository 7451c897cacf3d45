//! One load: a thread that fetches a model, waits for its turn and its room, and reads it into
//! memory.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use scaffold_engine::bytes_text;
use scaffold_error::{Error, Kind, err};
use scaffold_hub::{self as hub, Progress};

use super::options::{Change, KeepAlive};
use super::policy::{Decision, Room, decide};
use super::shared::{Locked, Shared};
use super::source::Source;
use super::status::{Facts, ModelKind};
use super::table::{Coming, Entry, Heard, Held, Job, Outcome, Phase, Step};
use crate::memory::{Available, Bound};
use crate::options::MemoryLimit;

/// How often is looked whether models have become idle that answer without a lease, of which nobody
/// is told.
const LOOK: Duration = Duration::from_millis(100);

/// What is to be loaded.
pub(super) struct Wanted<'n> {
    pub(super) name: &'n str,
    pub(super) identity: &'n str,
    pub(super) kind: ModelKind,
    pub(super) keep_alive: Option<KeepAlive>,
    pub(super) change: Option<Change>,
}

impl<S: Source> Shared<S> {
    /// Begins to load a model that is not here.
    pub(super) fn begin(
        self: &Arc<Self>,
        table: &mut Locked<'_, S>,
        wanted: Wanted<'_>,
    ) -> Result<(u64, Arc<Job>), Error> {
        let Wanted { name, identity, kind, keep_alive, change } = wanted;
        let job = Arc::new(Job::new(table.number()));
        let (shared, own, text) = (Arc::clone(self), Arc::clone(&job), name.to_owned());
        let id = match table.names.get(&(identity.to_owned(), kind)) {
            Some(&id) => id,
            None => table.number(),
        };
        // It comes to nothing before this thread has left the lock.
        let run = move || {
            let loaded = contained(|| shared.work(id, &own, &text, kind, change));
            shared.finish(id, &own, loaded.map_err(|error| error.of_model(text)));
        };
        let thread = std::thread::Builder::new().name("scaffold-load".into());
        thread.spawn(run).map_err(|cause| {
            err!(
                Unavailable,
                "the thread that loads a model could not be started: {cause}; check the limit of processes and threads"
            )
            .because(cause)
        })?;
        let coming = Coming {
            job: Arc::clone(&job),
            step: Step::Fetching(0, 0),
            reserved: None,
            waiters: 0,
            patient: 0,
        };
        let before = table.entries.remove(&id);
        let (names, name) = before.map_or_else(
            || (vec![identity.to_owned()], identity.to_owned()),
            |failed| (failed.names, failed.name),
        );
        let entry = Entry {
            names,
            name,
            kind,
            place: None,
            facts: None,
            keep_alive: keep_alive.unwrap_or(self.options.keep_alive),
            phase: Phase::Coming(coming),
        };
        table.entries.insert(id, entry);
        table.names.insert((identity.to_owned(), kind), id);
        table.bump();
        Ok((id, job))
    }

    /// The load itself. `None`: the model is here by another name.
    fn work(
        &self,
        id: u64,
        job: &Job,
        name: &str,
        kind: ModelKind,
        change: Option<Change>,
    ) -> Result<Option<(S::Model, Duration)>, Error> {
        let mut heard = Hears { shared: self, id, job, bytes: 0, of: 0, told: Instant::now() };
        let found = self.source.find(name, kind, change, &mut heard)?;
        let (full, place, facts) = self.source.about(&found);
        if !self.settle(id, full, place, facts) {
            return Ok(None);
        }
        let bytes = self.admit(id, job, &found)?;
        let begun = Instant::now();
        let model = self.source.load(found, bytes, &mut heard)?;
        Ok(Some((model, begun.elapsed())))
    }

    /// Writes down what the model is. `false`: it is known by another name already, and this is one
    /// of its names now.
    fn settle(&self, id: u64, name: &str, place: &Path, facts: Facts) -> bool {
        let mut table = self.lock();
        let Some(own) = table.entries.get_mut(&id) else {
            return false;
        };
        name.clone_into(&mut own.name);
        own.place = Some(place.to_owned());
        own.facts = Some(facts);
        let kind = own.kind;
        let mut others = table.entries.iter().filter(|(other, entry)| {
            **other != id && entry.kind == kind && entry.place.as_deref() == Some(place)
        });
        let other =
            others.next().map(|(&other, entry)| (other, matches!(entry.phase, Phase::Failed(..))));
        let (from, to) = match other {
            None => {
                table.bump();
                return true;
            }
            Some((other, true)) => (other, id),
            Some((other, false)) => (id, other),
        };
        let names = table.entries.get_mut(&from).map(|e| std::mem::take(&mut e.names));
        table.remove(from);
        for name in names.unwrap_or_default() {
            table.names.insert((name.clone(), kind), to);
            if let Some(entry) = table.entries.get_mut(&to)
                && !entry.names.contains(&name)
            {
                entry.names.push(name);
            }
        }
        to == id
    }

    /// Waits for its turn and its room, and keeps that for it: so many bytes, where they are
    /// limited.
    fn admit(&self, id: u64, job: &Job, found: &S::Found) -> Result<Option<usize>, Error> {
        let mut table = self.lock();
        let mut wanted: Vec<u64> = Vec::new();
        let admitted = loop {
            if job.is_stopped() || table.closed {
                break Err(cancelled());
            }
            if table.loading() >= self.options.concurrent_loads.max(1) {
                table.step(id, Step::Waiting(None));
                table.wait(None);
                continue;
            }
            let free = self.free(&table);
            let by = free.map_or(Bound::Caller, |free| free.by);
            let room = Room { bytes: free.map(|free| free.bytes), models: self.options.max_loaded };
            let within = |bytes: Option<usize>| bytes.map(|bytes| Available { bytes, by });
            let need = |bytes| Ok(self.source.plan(found, within(bytes))?.0);
            match decide(&table.holders(id, self.start), room, need) {
                Decision::Load(bytes) => {
                    let limited = free.map(|_| bytes);
                    break self.source.plan(found, within(limited)).map(|(_, context)| {
                        if let Some(facts) =
                            table.entries.get_mut(&id).and_then(|entry| entry.facts.as_mut())
                        {
                            facts.context = context;
                        }
                        if let Some(coming) = table.coming_mut(id) {
                            coming.reserved = Some(bytes);
                        }
                        table.step(id, Step::Loading(0, bytes as u64));
                        let memory = table.bytes();
                        table.counts.memory_peak = table.counts.memory_peak.max(memory);
                        limited
                    });
                }
                Decision::Leaving => table.wait(None),
                Decision::Evict(ids) => {
                    let gone: Vec<_> = ids.iter().filter_map(|&id| table.take_out(id)).collect();
                    table.counts.evictions += gone.len() as u64;
                    table.unlocked(|shared| shared.end(gone));
                }
                Decision::Busy(mut ids, needed) => {
                    let why = self.no_room(&table, id, needed);
                    if table.coming_mut(id).is_none_or(|coming| coming.patient == 0) {
                        // Nobody joins it any more who would wait.
                        job.stop();
                        break Err(why);
                    }
                    // One that is being loaded is wanted as soon as it is here.
                    ids.retain(|id| {
                        matches!(table.entries.get(id).map(|e| &e.phase), Some(Phase::Here(..)))
                    });
                    if wanted != ids {
                        table.want(&wanted, false);
                        table.want(&ids, true);
                        wanted = ids;
                    }
                    table.step(id, Step::Waiting(Some(why)));
                    table.wait(Some(LOOK));
                }
                Decision::Never(why, pinned) => break Err(never(&table, why, &pinned)),
            }
        };
        table.want(&wanted, false);
        admitted
    }

    /// What nobody holds of the memory for all of them.
    fn free(&self, table: &Locked<'_, S>) -> Option<Available> {
        match self.options.memory {
            MemoryLimit::Unlimited => None,
            MemoryLimit::Bytes(all) => {
                let bytes = all.saturating_sub(table.bytes());
                Some(Available { bytes, by: Bound::Caller })
            }
            MemoryLimit::Available => self.source.available().map(|system| {
                let bytes = system.bytes.saturating_sub(table.reserved());
                Available { bytes, ..system }
            }),
        }
    }

    /// Models that are used are in the way.
    fn no_room(&self, table: &Locked<'_, S>, id: u64, needed: usize) -> Error {
        let name = table.entries.get(&id).map_or("the model", |entry| &entry.name);
        let busy = table
            .entries
            .iter()
            .filter(|(other, entry)| **other != id && entry.phase.bytes().is_some());
        let busy = busy.map(|(_, entry)| {
            let bytes = bytes_text(entry.phase.bytes().unwrap_or(0) as u64);
            let state = match &entry.phase {
                Phase::Coming(_) => "being loaded".to_owned(),
                _ if table.is_pinned(entry) => "pinned".to_owned(),
                phase => match phase.held().map_or(0, |held| held.leases) {
                    0 => "idle or answering".to_owned(),
                    1 => "in use".to_owned(),
                    leases => format!("{leases} times in use"),
                },
            };
            format!("{} ({bytes}, {state})", entry.name)
        });
        let busy = busy.collect::<Vec<_>>().join(", ");
        let needed = bytes_text(needed as u64);
        let limit = match (self.options.max_loaded, self.options.memory) {
            (Some(most), _) if table.holders(id, self.start).len() >= most => {
                format!("{most} models may be loaded at once")
            }
            (_, MemoryLimit::Bytes(all)) => {
                format!("all models together may take {}", bytes_text(all as u64))
            }
            _ => "there is not enough memory beside the others".to_owned(),
        };
        err!(
            Unavailable,
            "{name} needs {needed} and cannot be loaded now, because models are in the way that are in use: {busy}; {limit}"
        )
        .remedy("ask again when one of them is idle, or let the request wait for that")
        .remedy("unload one of them, or allow the models more memory")
    }

    /// The load is over, however it ended.
    fn finish(
        self: &Arc<Self>,
        id: u64,
        job: &Job,
        loaded: Result<Option<(S::Model, Duration)>, Error>,
    ) {
        let mut table = self.lock();
        let is_closed = table.closed;
        let outcome = match loaded {
            Ok(None) => Outcome::Moved,
            Err(error) => {
                if error.kind() == Kind::Cancelled {
                    table.counts.cancelled += 1;
                    table.remove(id);
                } else {
                    table.counts.failed += 1;
                    table.fail(id, error.clone());
                }
                Outcome::Failed(error)
            }
            Ok(Some((model, took))) => {
                let now = Instant::now();
                let (bytes, waiters) = table
                    .coming_mut(id)
                    .map_or((0, 0), |coming| (coming.reserved.unwrap_or(0), coming.waiters));
                let held = Held {
                    serial: job.serial,
                    bytes,
                    leases: waiters,
                    requests: 0,
                    since: now,
                    last_used: now,
                    expires: None,
                    wanted: 0,
                    passes: 0,
                };
                if let Some(entry) = table.entries.get_mut(&id) {
                    entry.phase = Phase::Here(model, held);
                }
                if is_closed || job.is_stopped() {
                    // Those who still wait hear it from the outcome, and hold nothing.
                    if let Some(held) = table.copy_mut(id, job.serial) {
                        held.leases = 0;
                    }
                    let taken = table.take_out(id);
                    table.counts.cancelled += 1;
                    table.unlocked(|shared| shared.end(taken));
                    Outcome::Failed(cancelled())
                } else {
                    table.counts.loads += 1;
                    table.counts.load.add(took);
                    table.set_expiry(id, now);
                    Outcome::Here
                }
            }
        };
        // It is set once, here.
        let _ = job.outcome.set(outcome);
        table.bump();
        drop(table);
        self.keep();
    }
}

impl<S: Source> Locked<'_, S> {
    /// A load is so far.
    fn step(&mut self, id: u64, step: Step) {
        let Some(coming) = self.coming_mut(id) else {
            return;
        };
        let is_same = matches!(
            (&coming.step, &step),
            (Step::Waiting(None), Step::Waiting(None))
                | (Step::Waiting(Some(_)), Step::Waiting(Some(_)))
        );
        coming.step = step;
        if !is_same {
            self.bump();
        }
    }
}

/// What keeps the model out for good, as far as pins go.
fn never<S: Source>(table: &Locked<'_, S>, why: Error, pinned: &[u64]) -> Error {
    let names = pinned.iter().filter_map(|id| table.entries.get(id)).map(|entry| &*entry.name);
    let names = names.collect::<Vec<_>>().join(", ");
    match pinned {
        [] => why,
        _ => why.remedy(format!("unpin what stays in memory besides: {names}")),
    }
}

fn cancelled() -> Error {
    err!(Cancelled, "the load was stopped before the model was in memory: ask for it again")
}

/// Runs a load; a panic in it is an error of the load. What it worked on is thrown away.
fn contained<T>(load: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(load)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        let detail = text.unwrap_or("it gives no reason");
        Err(err!(
            Internal,
            "loading broke off: {detail}. This is a fault of the program. Other models go on: ask for this one again, and report \
             this with the model's name if it comes again"
        ))
    })
}

/// Hears of a load, and writes down how far it is.
struct Hears<'a, S: Source> {
    shared: &'a Shared<S>,
    id: u64,
    job: &'a Job,
    bytes: u64,
    of: u64,
    told: Instant,
}

impl<S: Source> Hears<'_, S> {
    /// `step`: how far it is, where it is not being fetched.
    fn tell(&mut self, heard: &Heard, step: Option<Step>) {
        self.job.tell(heard);
        if let Some(coming) = self.shared.lock().coming_mut(self.id) {
            match (step, &mut coming.step) {
                (Some(step), own) => *own = step,
                (None, Step::Fetching(bytes, of)) => (*bytes, *of) = (self.bytes, self.of),
                (None, _) => {}
            }
        }
        // Bytes come in many small pieces: those who watch hear of ten a second.
        if self.told.elapsed() >= LOOK || self.bytes >= self.of {
            self.told = Instant::now();
            self.shared.lock().bump();
        } else {
            self.shared.wake();
        }
    }
}

impl<S: Source> Progress for Hears<'_, S> {
    fn event(&mut self, event: &hub::Event) {
        match event {
            hub::Event::Planned { bytes, present, .. } => {
                (self.bytes, self.of) = (*present, bytes.saturating_add(*present));
            }
            hub::Event::Started { resumed, .. } => self.bytes = self.bytes.saturating_add(*resumed),
            hub::Event::Bytes { count, .. } => self.bytes = self.bytes.saturating_add(*count),
            _ => {}
        }
        self.tell(&Heard::Event(event.clone()), None);
    }

    fn loaded(&mut self, bytes: u64, of: u64) {
        (self.bytes, self.of) = (bytes, of);
        self.tell(&Heard::Loaded(bytes, of), Some(Step::Loading(bytes, of)));
    }

    fn cancelled(&self) -> bool {
        self.job.is_stopped()
    }
}
