//! One step of the engine: `submit → plan → forward → look → commit → emit`, one function each.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::blocks::{BlockManager, EntryId, Integrity, root, salted_root};
use crate::config::EngineConfig;
use crate::event::{Event, FinishReason, Finished, Started};
use crate::forward::{Forward, LanguageModel};
use crate::masks::Masks;
use crate::memory::MemoryPlan;
use crate::metrics::{BlockMetrics, Board, Metrics};
use crate::pace::Pace;
use crate::prefix::{Ask, PromptPrefix, answer};
use crate::queue::seconds;
use crate::request::Priority;
use crate::sample::Sampler;
use crate::schedule::{Bounds, Part, Scheduler, StepPlan};
use crate::sequence::Sequence;
use scaffold_error::{Error, err};
use scaffold_model::{CacheOverflow, KvType, SessionSize, Span, Want};

mod follow;
mod look;

use look::{Outcome, look};

/// Where the prefix cache begins for what has this salt and is planned for `length` tokens.
fn root_of(
    model: &dyn LanguageModel,
    salts: &RandomState,
    salt: Option<&Arc<str>>,
    length: usize,
) -> EntryId {
    let regime = model.length_regime(length);
    match salt {
        None => root(regime),
        Some(salt) => salted_root(salts.hash_one((salt, regime))),
    }
}

/// A model, the sequences that it works on, and the buffers of a step. Used by one thread.
pub(crate) struct Core {
    model: Arc<dyn LanguageModel>,
    session: Box<dyn Forward>,
    size: SessionSize,
    /// Logits that belong to tokens the tokenizer knows; the padding after them is never looked at.
    vocab: usize,
    pub(crate) scheduler: Scheduler,
    pace: Pace,
    salts: RandomState,
    sampler: Sampler,
    masks: Masks,
    plan: StepPlan,
    outcomes: Vec<Outcome>,
    wider: Option<KvType>,
    widened: Option<KvType>,
    /// Nothing can be computed until a reader has read, or something comes.
    pub(crate) is_stalled: bool,
    metrics: Metrics,
    board: Arc<Board>,
    /// Sequences that are at their end, with the event that says so.
    ended: Vec<(Sequence, Option<Event>)>,
    /// Panics that failed one request and nothing else, until they are fetched.
    pub(crate) panics: Vec<String>,
}

impl Core {
    /// `wider` is the cache to go on with when keys or values are too large for the one of
    /// `memory`.
    pub(crate) fn new(
        model: Arc<dyn LanguageModel>,
        vocab: usize,
        memory: &MemoryPlan,
        config: &EngineConfig,
        wider: Option<KvType>,
        board: Arc<Board>,
    ) -> Result<Self, Error> {
        let size = SessionSize {
            blocks: memory.blocks,
            block_tokens: memory.block_tokens,
            kv_type: memory.kv_type,
            rows: config.step_tokens,
        };
        let bounds = Bounds {
            max_sequences: config.max_sequences,
            step_tokens: config.step_tokens,
            owner_running: config.owner_running,
        };
        let mut metrics = Metrics::default();
        metrics.blocks.bytes = memory.kv_bytes;
        let blocks = BlockManager::new(memory.blocks, memory.block_tokens);
        let mut core = Self {
            session: Arc::clone(&model).session(size).map_err(of_model)?,
            model,
            size,
            vocab,
            scheduler: Scheduler::new(blocks, bounds),
            pace: Pace::new(config.prefill_slowdown),
            salts: RandomState::new(),
            sampler: Sampler::default(),
            masks: Masks::default(),
            plan: StepPlan::default(),
            outcomes: Vec::with_capacity(config.max_sequences),
            wider,
            widened: None,
            is_stalled: false,
            metrics,
            board,
            ended: Vec::new(),
            panics: Vec::new(),
        };
        core.tell();
        Ok(core)
    }

    /// Takes a request into the queue.
    pub(crate) fn submit(&mut self, mut sequence: Sequence) {
        sequence.root = self.root(sequence.job.standing.salt.as_ref(), sequence.prompt_tokens);
        self.scheduler.queue(sequence);
    }

    /// Where the prefix cache begins for a sequence with this salt that is planned for `length` tokens.
    fn root(&self, salt: Option<&Arc<str>>, length: usize) -> EntryId {
        root_of(&*self.model, &self.salts, salt, length)
    }

    /// Copies a block of a prefix.
    pub(crate) fn copy_prefix(&mut self, ask: Ask) {
        let regime = |length| self.model.length_regime(length);
        let (model, salts) = (&self.model, &self.salts);
        let root = |prefix: &PromptPrefix| {
            root_of(&**model, salts, prefix.salt.as_ref(), prefix.prompt_tokens)
        };
        answer(ask, &mut self.scheduler.blocks, &mut *self.session, regime, root);
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.scheduler.is_idle()
    }

    pub(crate) fn check_integrity(&self) -> Result<(), Integrity> {
        self.scheduler.check_integrity()
    }

    /// Computes one step for everything that is running, and lets in what is waiting.
    pub(crate) fn step(&mut self) {
        let start = Instant::now();
        self.clear_away(start);
        self.plan();
        self.is_stalled = self.plan.parts.is_empty();
        if !self.is_stalled {
            self.compute(start);
        }
        self.tell();
    }

    /// Computes the step that is planned, which began at `start`.
    fn compute(&mut self, start: Instant) {
        let width = self.model.vocab();
        let expected = width * self.plan.parts.iter().map(Part::logits).sum::<usize>();
        let running = &self.scheduler.running;
        let standings = self.plan.parts.iter().map(|part| &running[part.index].job.standing);
        let mut priorities = standings.map(|standing| standing.priority);
        self.session.set_awaited(priorities.any(|priority| priority == Priority::Interactive));
        let asking = self.masks.begin(&mut self.scheduler, &self.plan.parts);
        let computed = forward(&mut *self.session, &self.scheduler, &self.plan);
        if let Some(asking) = asking {
            asking.finish(&mut self.scheduler);
        }
        if let Err(error) = self.model.check() {
            return self.fail(&error);
        }
        match computed {
            Ok(logits) if logits.len() == expected => {
                let rows = logits.chunks_exact(width).map(|row| &row[..self.vocab]);
                look(rows, &mut self.scheduler, &self.plan, &mut self.sampler, &mut self.outcomes);
                self.commit();
                self.emit();
                self.measure(start.elapsed());
            }
            Ok(logits) => {
                // Going on would compute the same step for ever.
                let found = logits.len();
                let error = err!(
                    Internal,
                    "the model gave {found} logits where {expected} were asked for: this is a fault of the program that \
                     computes it, not of the request; report it with the model's name"
                );
                self.fail(&error);
            }
            Err(error) => {
                let overflowed = error.cause::<CacheOverflow>().is_some();
                if !(overflowed && self.widen()) {
                    self.fail(&of_model(error));
                }
            }
        }
    }

    /// Drops what was cancelled, and what was not begun in time.
    fn clear_away(&mut self, now: Instant) {
        let cancelled = self.scheduler.cancelled();
        self.metrics.cancelled += cancelled.len() as u64;
        self.ended.extend(cancelled.into_iter().map(|sequence| (sequence, None)));
        for sequence in self.scheduler.expired(now) {
            self.metrics.expired += 1;
            let waited = now.saturating_duration_since(sequence.job.clock.submitted);
            self.ended.push((sequence, Some(Event::Failed(late(waited)))));
        }
    }

    /// Decides which rows to compute, and reports the requests that leave the queue.
    fn plan(&mut self) {
        let pace = &self.pace;
        self.scheduler.plan(&mut self.plan, |answers| pace.rows(answers));
        self.metrics.put_back += self.plan.put_back as u64;
        for part in &self.plan.parts {
            let sequence = &mut self.scheduler.running[part.index];
            if sequence.is_begun() {
                continue;
            }
            let now = Instant::now();
            sequence.job.clock.started = Some(now);
            self.metrics.queue.add(now - sequence.job.clock.submitted);
            self.metrics.cached_tokens += sequence.computed as u64;
            if let Some(ticket) = &mut sequence.job.ticket {
                ticket.begin(now);
            }
            sequence.job.cached_tokens = sequence.computed;
            sequence.job.events.send(Event::Started(Started {
                prompt_tokens: sequence.prompt_tokens,
                cached_tokens: sequence.computed,
                max_new_tokens: sequence.job.ends.max_tokens - sequence.prompt_tokens,
                seed: sequence.job.sampler.seed,
            }));
        }
    }

    /// Records what is computed and appends the chosen tokens.
    fn commit(&mut self) {
        let scheduler = &mut self.scheduler;
        scheduler.commit(&self.plan);
        for part in &self.plan.parts {
            let sequence = &mut scheduler.running[part.index];
            if sequence.tokens.len() == sequence.prompt_tokens {
                sequence.job.events.tell_read(sequence.computed);
            }
            if sequence.computed + 1 >= sequence.prompt_tokens {
                sequence.job.leads = None;
            }
        }
        let mut chosen = Vec::with_capacity(self.outcomes.len());
        for outcome in &self.outcomes {
            if let Some(Ok(choice)) = &outcome.choice {
                chosen.push((outcome.index, choice.id));
            }
        }
        for (index, id) in chosen {
            self.append(index, id);
        }
    }

    /// Appends a token to a running sequence.
    fn append(&mut self, index: usize, id: u32) {
        let sequence = &mut self.scheduler.running[index];
        sequence.tokens.push(id);
        sequence.forced = 0;
        let length = sequence.tokens.len();
        if self.model.outgrows(sequence.planned, length) {
            sequence.planned = length;
            let salt = self.scheduler.running[index].job.standing.salt.as_ref();
            let root = self.root(salt, length);
            self.scheduler.restart(index, root);
        }
    }

    /// Reports scores and new text, and takes out the sequences that are complete or cannot go on.
    fn emit(&mut self) {
        let now = Instant::now();
        // From the last to the first: taking one out moves only those after it.
        while let Some(Outcome { index, scores, choice }) = self.outcomes.pop() {
            let sequence = &mut self.scheduler.running[index];
            if !scores.is_empty() {
                if let Some(scoring) = &mut sequence.job.scoring {
                    scoring.next += scores.len();
                }
                sequence.job.events.send(Event::Scored(scores));
            }
            let Some(choice) = choice else {
                if sequence.is_scored() {
                    self.finish(index, FinishReason::Length, now);
                }
                continue;
            };
            self.metrics.completion_tokens += u64::from(choice.is_ok());
            let clock = &mut sequence.job.clock;
            match clock.last_token.replace(now) {
                Some(last) => self.metrics.between_tokens.add(now - last),
                None => self.metrics.first_token.add(now - clock.submitted),
            }
            clock.first_token.get_or_insert(now);
            match choice.and_then(|choice| self.say(index, choice)) {
                Ok(reason) => {
                    let sequence = &mut self.scheduler.running[index];
                    if let Some(text) = sequence.job.output.take(reason.is_some()) {
                        sequence.job.events.send(Event::Text(text));
                    }
                    if let Some(reason) = reason {
                        self.finish(index, reason, now);
                    }
                }
                Err(error) => {
                    let sequence = self.scheduler.retire(index);
                    self.metrics.failed += 1;
                    self.ended.push((sequence, Some(Event::Failed(error))));
                }
            }
        }
    }

    /// Takes a complete sequence out.
    fn finish(&mut self, index: usize, reason: FinishReason, now: Instant) {
        let sequence = self.scheduler.retire(index);
        self.metrics.finish(reason);
        let (usage, timings) = (sequence.usage(), sequence.job.clock.timings(now));
        let (widened, incomplete) = (self.widened, sequence.is_incomplete(reason));
        let finished = Finished { reason, usage, timings, widened, incomplete };
        let finished = Event::Finished(finished);
        self.ended.push((sequence, Some(finished)));
    }

    /// Learns from a step that took so long. What others computed meanwhile says nothing of what a
    /// row takes.
    fn measure(&mut self, took: Duration) {
        let plan = &self.plan;
        let own = took.saturating_sub(self.session.waited());
        self.pace.learn(plan.answers, plan.prompt_rows + plan.forced_rows, own.as_secs_f64());
        self.metrics.step.add(took);
        self.metrics.steps += 1;
        self.metrics.prompt_tokens += plan.prompt_rows as u64;
    }

    /// Reports a failed step to every sequence in it, and takes them out: their blocks may be half
    /// written.
    fn fail(&mut self, error: &Error) {
        for part in self.plan.parts.iter().rev() {
            self.metrics.failed += 1;
            let sequence = self.scheduler.retire(part.index);
            self.ended.push((sequence, Some(Event::Failed(error.clone()))));
        }
    }

    /// Tells all that is to be told at the end of a step: first the board, then the readers, so that
    /// who has a whole answer finds it counted.
    fn tell(&mut self) {
        self.see();
        self.board.put(&self.metrics);
        for (mut sequence, event) in self.ended.drain(..) {
            sequence.job.ticket = None;
            if let Some(event) = event {
                sequence.job.events.send(event);
            }
        }
    }

    /// What it is at, into the metrics.
    fn see(&mut self) {
        let (scheduler, metrics) = (&self.scheduler, &mut self.metrics);
        metrics.running = scheduler.running.len();
        metrics.waiting = scheduler.waiting.len();
        metrics.waiting_begun = scheduler.waiting.iter().filter(|s| s.is_begun()).count();
        metrics.paused = scheduler.waiting.iter().filter(|sequence| sequence.paused).count();
        let (total, available) = (scheduler.blocks.total(), scheduler.blocks.available());
        metrics.blocks = BlockMetrics {
            total,
            held: total - available,
            idle: scheduler.blocks.idle(),
            tokens: scheduler.blocks.block_tokens(),
            given_up: scheduler.blocks.given_up(),
            bytes: metrics.blocks.bytes,
        };
    }
}

impl Core {
    /// Goes over to the wider cache, if there is one and it can be had: everything is computed anew
    /// in it. No answer has lost a token by then, since the step that did not fit gave none.
    fn widen(&mut self) -> bool {
        let Some(kv_type) = self.wider.take() else {
            return false;
        };
        let size = SessionSize { kv_type, ..self.size };
        let Ok(session) = Arc::clone(&self.model).session(size) else {
            return false;
        };
        (self.session, self.size) = (session, size);
        self.scheduler.start_anew();
        self.widened = Some(kv_type);
        true
    }

    /// After a panic in a step, which may have left anything half done: fails the sequences that
    /// were at work, and makes everything anew that they shared. Those that wait lose nothing.
    pub(crate) fn recover(&mut self, error: &Error) -> Result<(), String> {
        for sequence in self.scheduler.abandon() {
            self.metrics.failed += 1;
            self.ended.push((sequence, Some(Event::Failed(error.clone()))));
        }
        self.sampler = Sampler::default();
        self.plan = StepPlan::default();
        self.outcomes.clear();
        let session = Arc::clone(&self.model).session(self.size);
        self.tell();
        self.session =
            session.map_err(|error| format!("its memory cannot be made anew: {error}"))?;
        let whole = self.check_integrity();
        whole.map_err(|error| format!("its queues are not whole: {error:?}"))
    }
}

/// Computes the planned rows; returns a row of logits for every part that reaches the end of its
/// sequence, and for each row that is scored.
fn forward<'s>(
    session: &'s mut dyn Forward,
    scheduler: &Scheduler,
    plan: &StepPlan,
) -> Result<&'s [f32], Error> {
    let spans: Vec<Span<'_>> = plan
        .parts
        .iter()
        .map(|part| {
            let sequence = &scheduler.running[part.index];
            Span {
                tokens: &sequence.tokens[sequence.computed..sequence.computed + part.rows],
                start: sequence.computed,
                blocks: &sequence.blocks,
                want: match (part.scored, part.last) {
                    (true, _) => Want::All,
                    (false, true) => Want::Last,
                    (false, false) => Want::Nothing,
                },
                planned: sequence.planned,
            }
        })
        .collect();
    session.forward(&spans)
}

/// A request was not begun in time.
fn late(waited: Duration) -> Error {
    err!(
        Busy,
        "the request has waited for {} and was not begun: the time that it may wait is over, because others were before it. \
         Repeat it later, or let it wait longer",
        seconds(waited)
    )
}

/// The error of a model, as that of a request.
fn of_model(error: Error) -> Error {
    error.prefixed("the model failed")
}

#[cfg(test)]
mod tests;
