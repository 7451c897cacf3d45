//! A request for a model: it is there, it comes and is waited for, or it is loaded.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use scaffold_engine::bytes_text;
use scaffold_error::{Error, err};
use scaffold_hub::Progress;

use super::lease::Use;
use super::loading::Wanted;
use super::options::{Ask, KeepAlive};
use super::shared::{Locked, Shared};
use super::source::{Resident, Source};
use super::status::ModelKind;
use super::table::{Heard, Job, Outcome, Phase, Step, Table};

/// How often flags are looked at, of which nobody tells.
const LOOK: Duration = Duration::from_millis(100);

/// How often a model is leased while others wait until it is idle.
const PASSES: usize = 8;

/// What is known of a model that is asked for.
enum Look<M> {
    Absent,
    Here(u64, u64, M),
    /// Its engine has ended.
    Dead(u64),
    /// It is leaving, or others have waited for it long enough.
    Leaving,
    Coming(u64, Arc<Job>),
}

impl<M: Resident> Table<M> {
    fn look(&mut self, identity: &str, kind: ModelKind) -> Look<M> {
        let id = self.names.get(&(identity.to_owned(), kind)).copied();
        let Some((id, entry)) = id.and_then(|id| Some((id, self.entries.get_mut(&id)?))) else {
            return Look::Absent;
        };
        match &mut entry.phase {
            Phase::Failed(..) => Look::Absent,
            // It is over in a moment, and then begun anew.
            Phase::Coming(coming) if coming.job.is_stopped() => Look::Leaving,
            Phase::Coming(coming) => Look::Coming(id, Arc::clone(&coming.job)),
            Phase::Leaving(_) => Look::Leaving,
            Phase::Here(model, _) if !model.is_alive() => Look::Dead(id),
            Phase::Here(_, held) if held.wanted > 0 && held.passes >= PASSES => Look::Leaving,
            Phase::Here(model, held) => Look::Here(id, held.serial, model.clone()),
        }
    }

    /// Counts a lease of a model that is here.
    fn lease(&mut self, id: u64, serial: u64, keep_alive: Option<KeepAlive>) {
        if let Some(held) = self.copy_mut(id, serial) {
            held.leases += 1;
            if held.wanted > 0 {
                held.passes += 1;
            }
        }
        self.leased(id, serial, keep_alive);
    }

    fn leased(&mut self, id: u64, serial: u64, keep_alive: Option<KeepAlive>) {
        if let Some(held) = self.copy_mut(id, serial) {
            held.requests += 1;
            held.last_used = Instant::now();
            held.expires = None;
        }
        if let Some((entry, keep_alive)) = self.entries.get_mut(&id).zip(keep_alive) {
            entry.keep_alive = keep_alive;
        }
        self.bump();
    }
}

impl<S: Source> Shared<S> {
    /// The model, and its use.
    pub(super) fn ask(
        self: &Arc<Self>,
        name: &str,
        kind: ModelKind,
        ask: Ask<'_>,
    ) -> Result<(S::Model, Use), Error> {
        let leased = self.lease(name, kind, ask);
        leased.map_err(|error| error.of_model(name))
    }

    fn lease(
        self: &Arc<Self>,
        name: &str,
        kind: ModelKind,
        ask: Ask<'_>,
    ) -> Result<(S::Model, Use), Error> {
        let identity = self.source.identity(name)?;
        let Ask { keep_alive, wait, cancel, mut change, progress } = ask;
        // A time past the end of time is none.
        let deadline = wait.and_then(|wait| Instant::now().checked_add(wait));
        let is_patient = wait.is_some_and(|wait| !wait.is_zero());
        let mut waits = Waits { name, is_patient, deadline, cancel, progress, stops: false };
        let mut table = self.lock();
        loop {
            if table.closed {
                return Err(err!(
                    Unavailable,
                    "no model is loaded any more, because the program is ending: ask again when it runs"
                ));
            }
            let (id, job) = match table.look(&identity, kind) {
                Look::Here(id, serial, model) => {
                    table.lease(id, serial, keep_alive);
                    table.counts.hits += 1;
                    return Ok((model, Use::counted(self, id, serial)));
                }
                Look::Dead(id) => {
                    let taken = table.take_out(id);
                    table.unlocked(|shared| shared.end(taken));
                    continue;
                }
                Look::Leaving => {
                    waits.go_on().map_err(|gone| match gone {
                        Gone::Cancelled => stopped(name),
                        Gone::Over => err!(
                            Busy,
                            "{name} is being unloaded or makes room for another model, and the time is over that was to be waited: ask again"
                        ),
                    })?;
                    table.wait(waits.at_most());
                    continue;
                }
                Look::Coming(id, job) => (id, job),
                Look::Absent => {
                    let change = change.take();
                    let identity = &*identity;
                    let wanted = Wanted { name, identity, kind, keep_alive, change };
                    self.begin(&mut table, wanted)?
                }
            };
            let leased;
            (table, leased) = self.wait_for(table, id, &job, &mut waits);
            if let Some(model) = leased? {
                table.leased(id, job.serial, keep_alive);
                return Ok((model, Use::counted(self, id, job.serial)));
            }
        }
    }

    /// Waits for a load. `None`: its model is gone again, or has another name.
    fn wait_for<'s>(
        self: &Arc<Self>,
        mut table: Locked<'s, S>,
        id: u64,
        job: &Job,
        waits: &mut Waits<'_, '_>,
    ) -> (Locked<'s, S>, Result<Option<S::Model>, Error>) {
        let heard = waits.progress.is_some().then(|| {
            let (listener, heard) = mpsc::channel();
            job.listeners.lock().unwrap_or_else(PoisonError::into_inner).push(listener);
            heard
        });
        let patient = usize::from(waits.is_patient);
        if let Some(coming) = table.coming_mut(id) {
            coming.waiters += 1;
            coming.patient += patient;
        }
        loop {
            if let Some(heard) = &heard {
                // Whoever hears it may look at the registry.
                table.unlocked(|_| waits.relay(heard));
            }
            match job.outcome.get() {
                None => {}
                Some(Outcome::Failed(why)) => return (table, Err(why.clone())),
                Some(Outcome::Moved) => return (table, Ok(None)),
                Some(Outcome::Here) => {
                    let model = match table.entries.get(&id).map(|entry| &entry.phase) {
                        Some(Phase::Here(model, held)) if held.serial == job.serial => {
                            Some(model.clone())
                        }
                        _ => None,
                    };
                    if model.is_none() && table.copy_mut(id, job.serial).is_some() {
                        // It leaves already; so does the lease that was kept for this request.
                        let kept = Use::counted(self, id, job.serial);
                        table.unlocked(|_| drop(kept));
                    }
                    return (table, Ok(model));
                }
            }
            let blocked = table.coming_mut(id).and_then(|coming| match &coming.step {
                Step::Waiting(Some(why)) => Some(why.clone()),
                _ => None,
            });
            let gone = waits.go_on().err();
            let why = match (gone, blocked) {
                (Some(Gone::Cancelled), _) => Some(stopped(waits.name)),
                (Some(Gone::Over), Some(why)) => Some(why),
                (None, Some(why)) if !waits.is_patient => Some(why),
                (Some(Gone::Over), None) => Some(table.still_loading(id, waits.name)),
                (None, _) => None,
            };
            let Some(why) = why else {
                table.wait(waits.at_most());
                continue;
            };
            if let Some(coming) = table.coming_mut(id) {
                coming.waiters -= 1;
                coming.patient -= patient;
                if coming.waiters == 0 && matches!(gone, Some(Gone::Cancelled)) {
                    job.stop();
                }
                // The load may wait for room for this request alone.
                table.bump();
            }
            return (table, Err(why));
        }
    }
}

impl<S: Source> Locked<'_, S> {
    fn still_loading(&mut self, id: u64, name: &str) -> Error {
        let step = self.coming_mut(id).map(|coming| coming.step.clone());
        let text = |bytes| bytes_text(bytes);
        let how_far = match step {
            Some(Step::Fetching(bytes, of)) if of > 0 => {
                format!("{} of {} are fetched", text(bytes), text(of))
            }
            Some(Step::Loading(bytes, of)) => {
                format!("{} of {} are in memory", text(bytes), text(of))
            }
            Some(Step::Waiting(_)) => "it waits for its turn".to_owned(),
            Some(Step::Fetching(..)) | None => "its files are being looked for".to_owned(),
        };
        err!(
            Busy,
            "{name} is being loaded ({how_far}), and takes no requests yet: ask again later, or wait longer"
        )
    }
}

fn stopped(name: &str) -> Error {
    err!(Cancelled, "stopped on request, while {name} was waited for")
}

/// How long a request waits, and who hears of it.
struct Waits<'n, 'p> {
    name: &'n str,
    /// It waits for models that are in use, too.
    is_patient: bool,
    deadline: Option<Instant>,
    cancel: Option<Arc<AtomicBool>>,
    progress: Option<&'p mut (dyn Progress + Send)>,
    /// What `progress` last said of that.
    stops: bool,
}

/// Why a request waits no longer.
#[derive(Clone, Copy)]
enum Gone {
    Over,
    Cancelled,
}

impl Waits<'_, '_> {
    fn go_on(&self) -> Result<(), Gone> {
        let flag = self.cancel.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed));
        if flag || self.stops {
            return Err(Gone::Cancelled);
        }
        match self.deadline {
            Some(deadline) if deadline <= Instant::now() => Err(Gone::Over),
            _ => Ok(()),
        }
    }

    /// How long may be waited until all of that is looked at again.
    fn at_most(&self) -> Option<Duration> {
        let left = self.deadline.map(|end| end.saturating_duration_since(Instant::now()));
        let look = (self.cancel.is_some() || self.progress.is_some()).then_some(LOOK);
        left.into_iter().chain(look).min()
    }

    fn relay(&mut self, heard: &Receiver<Heard>) {
        if let Some(progress) = &mut self.progress {
            for heard in heard.try_iter() {
                match heard {
                    Heard::Event(event) => progress.event(&event),
                    Heard::Loaded(bytes, of) => progress.loaded(bytes, of),
                }
            }
            self.stops = progress.cancelled();
        }
    }
}
