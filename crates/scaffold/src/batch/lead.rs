//! Who computes, and for whom: one of the threads that wait leads, for all of them.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use scaffold_engine::{Queue, Ticket};
use scaffold_error::{Kind, err};
use scaffold_model::{Encoder, EncoderSession, Exec, Text, Turn};

use super::call::{Call, How, Open};
use super::error::{full, lost, panicked};
use super::metrics::EncoderMetrics;
use super::pick::{Pick, weight};
use super::sessions::{BATCH_TOKENS, Idle};
use crate::embed::input::Input;
use crate::error::Error;
use crate::options::LoadOptions;

/// What is done with the last hidden states of texts.
pub(crate) trait Head: Send + Sync {
    /// Numbers that it gives for a text.
    fn width(&self) -> usize;

    /// Reads the states of a batch that has come to its end, and gives the numbers of its texts,
    /// `[texts, width]`.
    fn finish(
        &self,
        exec: &Exec,
        session: &mut EncoderSession,
        texts: &[Finished],
    ) -> Result<Vec<f32>, Error>;
}

/// A text of a batch that has come to its end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Finished {
    pub(crate) tokens: usize,
    /// Tokens at its start that do not count.
    pub(crate) skip: usize,
}

/// What came of a call.
#[derive(Debug)]
pub(crate) struct Computed<T = ()> {
    /// `[texts, width]`.
    pub(crate) values: Vec<f32>,
    /// Texts that failed, by their places.
    pub(crate) failed: Vec<(usize, Error)>,
    /// What was told of the texts when they were made.
    pub(crate) told: T,
}

/// An encoder that computes for all who call.
pub(crate) struct Batcher<H> {
    pub(crate) encoder: Arc<Encoder>,
    pub(crate) exec: Arc<Exec>,
    pub(crate) head: H,
    idle: Idle,
    queue: Arc<Queue>,
    ids: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    pick: Pick,
    open: BTreeMap<u64, Open>,
    /// Whether somebody computes.
    led: bool,
    /// Batches that were left between two layers: they go on first.
    left: Vec<Batch>,
    metrics: EncoderMetrics,
}

/// Texts that are computed together.
struct Batch {
    texts: Vec<(Arc<Call>, usize)>,
    /// `None`: it is not begun.
    session: Option<EncoderSession>,
}

impl Batch {
    fn tokens(&self) -> usize {
        self.texts.iter().map(|(call, place)| call.inputs[*place].ids.len()).sum()
    }

    /// Whether nobody wants it any more.
    fn is_gone(&self) -> bool {
        self.texts.iter().all(|(call, _)| call.is_gone())
    }
}

/// How far a batch has come.
enum Progress {
    /// Its results are there.
    Ended(Vec<f32>),
    /// Another is to compute first.
    Left,
    /// Nobody wants it.
    Gone,
}

/// Sees to it that another can lead when this thread does not, however it ends.
struct Leading<'a, H>(&'a Batcher<H>);

impl<H> Drop for Leading<'_, H> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.led = false;
        state.hand_over();
    }
}

impl State {
    /// Wakes one that waits, to lead, where nobody does.
    fn hand_over(&self) {
        let next = self.open.values().find(|open| !open.call.has_ended());
        if let Some(next) = next.filter(|_| !self.led) {
            next.call.changed.notify_all();
        }
    }

    /// What the work at hand weighs: as much as the call that weighs most.
    fn weight(&self) -> u32 {
        self.open.values().map(|open| open.call.weight).max().unwrap_or(1)
    }

    /// The batch to go on with, or the next one.
    fn next(&mut self) -> Option<Batch> {
        if let Some(batch) = self.left.pop() {
            return Some(batch);
        }
        let now = Instant::now();
        let texts = self.pick.batch(BATCH_TOKENS);
        let texts = texts.into_iter().filter_map(|(id, place)| {
            let open = self.open.get_mut(&id)?;
            if !open.call.begun.swap(true, Ordering::Relaxed) {
                open.ticket.begin(now);
                self.metrics.queue.add(now.saturating_duration_since(open.call.submitted));
            }
            Some((Arc::clone(&open.call), place))
        });
        let texts: Vec<_> = texts.collect();
        (!texts.is_empty()).then_some(Batch { texts, session: None })
    }

    /// Hands out the results of a batch, or says to all of it why there are none.
    fn deliver(&mut self, texts: &[(Arc<Call>, usize)], result: Result<&[f32], &Error>) {
        for (index, (call, place)) in texts.iter().enumerate() {
            let Some(open) = self.open.get_mut(&call.id).filter(|open| !open.call.has_ended())
            else {
                continue;
            };
            let row = result.map(|rows| {
                let width = rows.len() / texts.len();
                &rows[index * width..(index + 1) * width]
            });
            open.put(*place, row);
            if open.call.has_ended() {
                self.pick.remove(call.id);
            }
        }
    }
}

impl<H: Head> Batcher<H> {
    pub(crate) fn new(
        encoder: Arc<Encoder>,
        exec: Arc<Exec>,
        head: H,
        options: &LoadOptions,
    ) -> Self {
        Self {
            encoder,
            exec,
            head,
            idle: Idle::default(),
            queue: Queue::new(options.max_waiting, options.owner_waiting),
            ids: AtomicU64::new(0),
            state: Mutex::default(),
        }
    }

    /// What was done until now.
    pub(crate) fn metrics(&self) -> EncoderMetrics {
        let (waiting, running) = self.queue.counts();
        let state = self.lock();
        EncoderMetrics {
            waiting,
            running,
            waiting_texts: state.pick.texts(),
            waiting_tokens: state.pick.tokens(),
            ..state.metrics.clone()
        }
    }

    /// Computes the texts that `make` gives for these workers and a weight, with how many tokens at
    /// the start of each do not count, and what there is to tell of them.
    ///
    /// # Errors
    /// Too many calls wait already, it was not begun in time, it was stopped, or a text failed.
    pub(crate) fn compute<T>(
        &self,
        how: &How<'_>,
        make: impl FnOnce(&Exec, u32) -> Result<(Vec<Input>, usize, T), Error>,
    ) -> Result<Computed<T>, Error> {
        let begun = Instant::now();
        let ticket = match self.queue.take(how.owner()) {
            Ok(ticket) => ticket,
            Err(overloaded) => {
                self.lock().metrics.refused += 1;
                return Err(full(overloaded));
            }
        };
        self.lock().metrics.submitted += 1;
        let weight = weight(how.priority());
        let result = how.check().and_then(|()| {
            let (inputs, skip, told) = make(&self.exec, weight)?;
            let id = self.ids.fetch_add(1, Ordering::Relaxed);
            let call = Arc::new(Call::new(id, inputs, skip, how, weight, begun));
            let Computed { values, failed, .. } = self.attend(&call, how, ticket)?;
            Ok(Computed { values, failed, told })
        });
        let metrics = &mut self.lock().metrics;
        metrics.whole.add(begun.elapsed());
        *match result.as_ref().map_err(Error::kind) {
            Ok(_) => &mut metrics.completed,
            Err(Kind::Cancelled) => &mut metrics.cancelled,
            Err(Kind::Busy) => &mut metrics.expired,
            Err(_) => &mut metrics.failed,
        } += 1;
        result
    }

    /// Puts a call among the others, and waits or works until it has what it came for.
    fn attend(&self, call: &Arc<Call>, how: &How<'_>, ticket: Ticket) -> Result<Computed, Error> {
        let count = call.inputs.len();
        let values = vec![0.0; count * self.head.width()];
        let mut open =
            Open { call: Arc::clone(call), ticket, values, failed: Vec::new(), left: count };
        let mut texts: Vec<(usize, usize)> = Vec::with_capacity(count);
        for (place, input) in call.inputs.iter().enumerate() {
            match self.check(call, place) {
                Ok(()) => texts.push((place, input.ids.len())),
                Err(error) if how.each => open.put(place, Err(&error)),
                Err(error) => return Err(error),
            }
        }
        if open.left == 0 {
            return Ok(Computed { values: open.values, failed: open.failed, told: () });
        }
        let mut state = self.lock();
        state.pick.add(call.id, how.owner().cloned(), call.weight, texts.into_iter());
        state.open.insert(call.id, open);
        drop(state);
        let over = self.wait(call);
        call.gone.store(true, Ordering::Relaxed);
        let mut state = self.lock();
        state.pick.remove(call.id);
        let open = state.open.remove(&call.id);
        // What woke this one may have been meant for whoever leads next.
        state.hand_over();
        if state.open.is_empty() {
            state.left.clear();
        }
        drop(state);
        over?;
        let Open { values, mut failed, .. } = open.ok_or_else(lost)?;
        if !how.each && !failed.is_empty() {
            return Err(failed.swap_remove(0).1);
        }
        Ok(Computed { values, failed, told: () })
    }

    /// Waits until a call has all that it will have, and leads while nobody else does.
    fn wait(&self, call: &Call) -> Result<(), Error> {
        let mut state = self.lock();
        loop {
            if let Some(over) = call.is_over() {
                return over;
            }
            if !state.led {
                state.led = true;
                drop(state);
                let leading = Leading(self);
                self.lead(call);
                drop(leading);
                state = self.lock();
                continue;
            }
            state = match call.look_again() {
                None => call.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(time) => {
                    let waited = call.changed.wait_timeout(state, time);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// Computes for all calls until `own` is over.
    ///
    /// Where there are batches enough, each thread takes whole ones, so that threads do not wait for
    /// each other after every operation. Otherwise all threads share each operation; so they do
    /// while others of the process compute, too, which then wait for a part of a layer's time only.
    fn lead(&self, own: &Call) {
        let (team, weight) = (&self.exec.team, self.lock().weight());
        let threads = team.threads();
        let mut turn = team.turn(weight);
        let mut waited = Duration::ZERO;
        while own.is_over().is_none() {
            let state = self.lock();
            let left = state.left.iter().map(Batch::tokens).sum::<usize>();
            let tokens = state.pick.tokens() + left;
            turn.set_weight(state.weight());
            let is_lost = tokens == 0;
            drop(state);
            if is_lost {
                return self.lose(own);
            }
            let are_others = turn.waited() > waited;
            waited = turn.waited();
            if threads > 1 && !are_others && tokens >= 2 * threads * BATCH_TOKENS {
                team.run(threads, &|_| {
                    while self.work(own, &turn) {}
                });
            } else {
                self.work(own, &turn);
            }
            turn.pass();
        }
    }

    /// There is nothing to be done, and a call has not come to its end: it would wait for ever.
    fn lose(&self, own: &Call) {
        if let Some(open) = self.lock().open.get_mut(&own.id) {
            open.failed.push((0, lost()));
            open.end();
        }
    }

    /// Computes a batch, or as much of it as there is time for; whether there is time for another.
    fn work(&self, own: &Call, turn: &Turn<'_>) -> bool {
        let Some(mut batch) = self.lock().next() else {
            return false;
        };
        let contained = catch_unwind(AssertUnwindSafe(|| self.advance(&mut batch, own, turn)));
        let progress = match contained {
            Ok(progress) => progress,
            Err(panic) => {
                // What it worked with may be in any state.
                batch.session = None;
                self.lock().metrics.panics += 1;
                Err(panicked(&reason(&*panic)))
            }
        };
        let session = match progress {
            Ok(Progress::Left) => {
                self.lock().left.push(batch);
                return false;
            }
            Ok(Progress::Gone) => batch.session,
            Ok(Progress::Ended(rows)) => {
                let mut state = self.lock();
                state.metrics.batches += 1;
                state.metrics.texts += batch.texts.len() as u64;
                state.metrics.tokens += batch.tokens() as u64;
                state.deliver(&batch.texts, Ok(&rows));
                batch.session
            }
            Err(error) => {
                self.lock().deliver(&batch.texts, Err(&error));
                batch.session
            }
        };
        if let Some(session) = session {
            self.idle.give_back(session);
        }
        !turn.is_wanted() && own.is_over().is_none()
    }

    /// Takes a batch through layers until it is at its end or has to give way.
    fn advance(&self, batch: &mut Batch, own: &Call, turn: &Turn<'_>) -> Result<Progress, Error> {
        if batch.is_gone() {
            return Ok(Progress::Gone);
        }
        if batch.session.is_none() {
            let session = self.idle.take(&self.encoder, batch.tokens())?;
            let session = batch.session.insert(session);
            let texts = batch.texts.iter().map(|(call, place)| self.text(call, *place));
            session.begin(&texts.collect::<Vec<_>>())?;
        }
        let Some(session) = &mut batch.session else {
            return Ok(Progress::Gone);
        };
        while session.advance() {
            if batch.texts.iter().all(|(call, _)| call.is_gone()) {
                return Ok(Progress::Gone);
            }
            if turn.is_wanted() || own.is_over().is_some() {
                return Ok(Progress::Left);
            }
        }
        let finished = batch.texts.iter().map(|(call, place)| Finished {
            tokens: call.inputs[*place].ids.len(),
            skip: call.skip,
        });
        let rows = self.head.finish(&self.exec, session, &finished.collect::<Vec<_>>())?;
        self.encoder.check_weights()?;
        Ok(Progress::Ended(rows))
    }

    /// A text as the encoder takes it. A model without token types ignores what the tokenizer says.
    fn text<'c>(&self, call: &'c Call, place: usize) -> Text<'c> {
        let input = &call.inputs[place];
        let typed = self.encoder.spec().embedding.token_types > 1;
        Text { tokens: &input.ids, types: if typed { &input.types } else { &[] } }
    }

    /// Refuses a text that would fail those beside it.
    fn check(&self, call: &Call, place: usize) -> Result<(), Error> {
        if call.inputs[place].ids.is_empty() {
            return Err(err!(
                Usage,
                "it is empty, and this model's tokenizer puts nothing around a text: there is nothing to compute"
            )
            .in_item("text", place)
            .remedy("leave the text out"));
        }
        let checked = self.encoder.check_text(place, &self.text(call, place));
        checked.map_err(|error| error.in_item("text", place))
    }
}

impl<H> Batcher<H> {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a panic says.
fn reason(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("it gives no reason").to_owned()
}

impl<H> fmt::Debug for Batcher<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batcher").field("encoder", &self.encoder).finish_non_exhaustive()
    }
}
