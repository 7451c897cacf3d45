//! One step of the engine: `submit → plan → forward → sample → commit → emit`, one function each.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::blocks::{BlockManager, Integrity, root};
use crate::contain::contained;
use crate::event::{Event, FinishReason, Finished, Started};
use crate::forward::{Forward, LanguageModel};
use crate::health::panicked;
use crate::memory::MemoryPlan;
use crate::sample::{Choice, Place, Sampler};
use crate::schedule::{Scheduler, StepPlan};
use crate::sequence::Sequence;
use scaffold_error::{Error, err};
use scaffold_model::{CacheOverflow, KvType, SessionSize, Span, Want};

/// A model, the sequences that it works on, and the buffers of a step. Used by one thread.
pub(crate) struct Core {
    model: Arc<dyn LanguageModel>,
    session: Box<dyn Forward>,
    size: SessionSize,
    /// Logits that belong to tokens the tokenizer knows; the padding after them is never looked at.
    vocab: usize,
    pub(crate) scheduler: Scheduler,
    sampler: Sampler,
    plan: StepPlan,
    choices: Vec<Chosen>,
    wider: Option<KvType>,
    widened: Option<KvType>,
    /// Panics that failed one request and nothing else, until they are fetched.
    pub(crate) panics: Vec<String>,
}

/// The next token of a running sequence, or why it has none.
struct Chosen {
    index: usize,
    choice: Result<Choice, Error>,
}

impl Core {
    /// `wider` is the cache to go on with when keys or values are too large for the one of
    /// `memory`.
    pub(crate) fn new(
        model: Arc<dyn LanguageModel>,
        vocab: usize,
        memory: &MemoryPlan,
        max_sequences: usize,
        step_tokens: usize,
        wider: Option<KvType>,
    ) -> Result<Self, Error> {
        let size = SessionSize {
            blocks: memory.blocks,
            block_tokens: memory.block_tokens,
            kv_type: memory.kv_type,
            rows: step_tokens,
        };
        let blocks = BlockManager::new(memory.blocks, memory.block_tokens);
        Ok(Self {
            session: Arc::clone(&model).session(size).map_err(of_model)?,
            model,
            size,
            vocab,
            scheduler: Scheduler::new(blocks, max_sequences, step_tokens),
            sampler: Sampler::default(),
            plan: StepPlan::default(),
            choices: Vec::with_capacity(max_sequences),
            wider,
            widened: None,
            panics: Vec::new(),
        })
    }

    /// Takes a request into the queue.
    pub(crate) fn submit(&mut self, mut sequence: Sequence) {
        sequence.root = root(self.model.length_regime(sequence.prompt_tokens));
        self.scheduler.waiting.push_back(sequence);
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.scheduler.is_idle()
    }

    pub(crate) fn check_integrity(&self) -> Result<(), Integrity> {
        self.scheduler.check_integrity()
    }

    /// Computes one step for everything that is running, and lets in what is waiting.
    pub(crate) fn step(&mut self) {
        plan(&mut self.scheduler, &mut self.plan);
        if self.plan.parts.is_empty() {
            return;
        }
        let width = self.model.vocab();
        let expected = width * self.plan.parts.iter().filter(|part| part.last).count();
        match forward(&mut *self.session, &self.scheduler, &self.plan) {
            Ok(logits) if logits.len() == expected => {
                let rows = logits.chunks_exact(width).map(|row| &row[..self.vocab]);
                sample(rows, &mut self.scheduler, &self.plan, &mut self.sampler, &mut self.choices);
                commit(&*self.model, &mut self.scheduler, &self.plan, &self.choices);
                let panics = &mut self.panics;
                emit(&mut self.scheduler, &mut self.choices, self.widened, panics);
            }
            Ok(logits) => {
                // Going on would compute the same step for ever.
                let found = logits.len();
                let error = err!(
                    Internal,
                    "the model gave {found} logits where {expected} were asked for: this is a fault of the program that \
                     computes it, not of the request; report it with the model's name"
                );
                fail(&mut self.scheduler, &self.plan, &error);
            }
            Err(error) => {
                let overflowed = error.cause::<CacheOverflow>().is_some();
                if !(overflowed && self.widen()) {
                    fail(&mut self.scheduler, &self.plan, &of_model(error));
                }
            }
        }
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
            sequence.job.events.send(Event::Failed(error.clone()));
        }
        self.sampler = Sampler::default();
        self.plan = StepPlan::default();
        self.choices.clear();
        let session = Arc::clone(&self.model).session(self.size);
        self.session =
            session.map_err(|error| format!("its memory cannot be made anew: {error}"))?;
        let whole = self.check_integrity();
        whole.map_err(|error| format!("its queues are not whole: {error:?}"))
    }
}

/// Drops what was cancelled, decides which rows to compute, and reports the requests that leave the
/// queue.
fn plan(scheduler: &mut Scheduler, plan: &mut StepPlan) {
    scheduler.drop_cancelled();
    scheduler.plan(plan);
    for part in &plan.parts {
        let sequence = &mut scheduler.running[part.index];
        if sequence.job.clock.started.is_none() {
            sequence.job.clock.started = Some(Instant::now());
            sequence.job.ticket = None;
            sequence.job.cached_tokens = sequence.computed;
            sequence.job.events.send(Event::Started(Started {
                prompt_tokens: sequence.prompt_tokens,
                cached_tokens: sequence.computed,
                max_new_tokens: sequence.job.ends.max_tokens - sequence.prompt_tokens,
                seed: sequence.job.sampler.seed,
            }));
        }
    }
}

/// Computes the planned rows; returns a row of logits for every part that reaches the end of its
/// sequence.
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
                want: if part.last { Want::Last } else { Want::Nothing },
                planned: sequence.planned,
            }
        })
        .collect();
    session.forward(&spans)
}

/// Chooses the next token of every sequence that has logits.
fn sample<'l>(
    rows: impl Iterator<Item = &'l [f32]>,
    scheduler: &mut Scheduler,
    plan: &StepPlan,
    sampler: &mut Sampler,
    choices: &mut Vec<Chosen>,
) {
    choices.clear();
    for (part, row) in plan.parts.iter().filter(|part| part.last).zip(rows) {
        let sequence = &mut scheduler.running[part.index];
        let place = Place {
            tokens: &sequence.tokens,
            prompt_tokens: sequence.prompt_tokens,
            eos: &sequence.job.ends.eos,
            ends: &sequence.job.ends.ids,
        };
        let choice = sampler.sample(row, &mut sequence.job.sampler, &place);
        choices.push(Chosen { index: part.index, choice });
    }
}

/// Records what is computed and appends the chosen tokens.
fn commit(
    model: &dyn LanguageModel,
    scheduler: &mut Scheduler,
    plan: &StepPlan,
    choices: &[Chosen],
) {
    scheduler.commit(plan);
    for part in &plan.parts {
        let sequence = &scheduler.running[part.index];
        if sequence.tokens.len() == sequence.prompt_tokens {
            sequence.job.events.tell_read(sequence.computed);
        }
    }
    for chosen in choices {
        if let Ok(choice) = &chosen.choice {
            let sequence = &mut scheduler.running[chosen.index];
            sequence.tokens.push(choice.id);
            let length = sequence.tokens.len();
            if model.outgrows(sequence.planned, length) {
                sequence.planned = length;
                scheduler.restart(chosen.index, root(model.length_regime(length)));
            }
        }
    }
}

/// Reports new text, and takes out the sequences that are complete or cannot go on.
fn emit(
    scheduler: &mut Scheduler,
    choices: &mut Vec<Chosen>,
    widened: Option<KvType>,
    panics: &mut Vec<String>,
) {
    let now = Instant::now();
    // From the last to the first: taking one out moves only those after it.
    while let Some(Chosen { index, choice }) = choices.pop() {
        let sequence = &mut scheduler.running[index];
        sequence.job.clock.first_token.get_or_insert(now);
        match choice.and_then(|choice| speak_contained(sequence, choice, panics)) {
            Ok(reason) => {
                if let Some(text) = sequence.job.output.take(reason.is_some()) {
                    sequence.job.events.send(Event::Text(text));
                }
                if let Some(reason) = reason {
                    let sequence = scheduler.retire(index);
                    let (usage, timings) = (sequence.usage(), sequence.job.clock.timings(now));
                    sequence.job.events.send(Event::Finished(Finished {
                        reason,
                        usage,
                        timings,
                        widened,
                    }));
                }
            }
            Err(error) => {
                let sequence = scheduler.retire(index);
                sequence.job.events.send(Event::Failed(error));
            }
        }
    }
}

/// As [`speak`]; a decoder that panics is an error of its own sequence, whose output is thrown away
/// with it.
fn speak_contained(
    sequence: &mut Sequence,
    choice: Choice,
    panics: &mut Vec<String>,
) -> Result<Option<FinishReason>, Error> {
    contained(|| speak(sequence, choice)).unwrap_or_else(|detail| {
        let error = panicked(&detail);
        panics.push(detail);
        Err(error)
    })
}

/// The error of a model, as that of a request.
fn of_model(error: Error) -> Error {
    error.prefixed("the model failed")
}

/// Turns a chosen token into text; returns why the answer ends with it, if it does.
fn speak(sequence: &mut Sequence, choice: Choice) -> Result<Option<FinishReason>, Error> {
    let Sequence { tokens, job, .. } = sequence;
    let by_token = job.ends.by_token(choice.id);
    let at = job.clock.started.map_or(Duration::ZERO, |started| started.elapsed());
    let hit = if by_token.is_some() {
        job.output.note(choice, at);
        None
    } else {
        job.output.push(choice, at)?
    };
    let stop = |index| FinishReason::StopString { index };
    let reason = hit.map(stop).or(by_token).or_else(|| job.ends.by_length(tokens.len()));
    Ok(match reason {
        None => None,
        Some(reason @ FinishReason::StopString { .. }) => Some(reason),
        // Text that was held back comes out now, and may complete a stop string after all.
        Some(reason) => Some(job.output.finish()?.map_or(reason, stop)),
    })
}

/// Reports a failed step to every sequence in it, and takes them out: their blocks may be half
/// written.
fn fail(scheduler: &mut Scheduler, plan: &StepPlan, error: &Error) {
    for part in plan.parts.iter().rev() {
        scheduler.retire(part.index).job.events.send(Event::Failed(error.clone()));
    }
}

#[cfg(test)]
mod tests;
