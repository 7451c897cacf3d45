//! The handle that doors hold, and the thread that owns the model.

mod prefix;

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::channel::{EventStream, Room};
use crate::config::{EngineConfig, at_most};
use crate::forward::{LanguageModel, Vocabulary};
use crate::guided::Guided;
use crate::health::{Health, Record};
use crate::join::{Joins, may_join};
use crate::memory::{Footprint, MemoryPlan, plan_memory};
use crate::metrics::{Board, Metrics};
use crate::output::Output;
use crate::queue::{Queue, Ticket};
use crate::request::{Request, Scores};
use crate::sample::check::known;
use crate::sample::{SequenceSampler, parameter};
use crate::sender::{event_channel, joined_channel};
use crate::sequence::{Clock, Ends, Job, Leader, Leads, Scoring, Sequence};
use crate::step::Core;
use crate::thread::{Command, run};
use scaffold_error::{Error, err};
use scaffold_model::{Decoder, KvType};
use scaffold_text::Tokenizer;

/// A running model: hands requests to the thread that computes them. Cheap to clone.
///
/// The engine stops when the last handle is dropped or [`shutdown`](Self::shutdown) is called;
/// answers that are not complete by then end with an error that says so.
#[derive(Debug, Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

struct Shared {
    commands: Sender<Command>,
    thread: Mutex<Option<JoinHandle<()>>>,
    vocabulary: Arc<dyn Vocabulary>,
    /// Rows of the model's embedding: prompt tokens must be below.
    model_vocab: usize,
    config: EngineConfig,
    memory: MemoryPlan,
    next_id: AtomicU64,
    queue: Arc<Queue>,
    /// The requests at work that others may join.
    joins: Mutex<Joins>,
    /// What every stream holds.
    room: Room,
    /// It takes no more requests.
    draining: AtomicBool,
    board: Arc<Board>,
    record: Arc<Record>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("config", &self.config)
            .field("memory", &self.memory)
            .finish_non_exhaustive()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        stop(&self.commands, &self.thread);
    }
}

/// A request that was checked: another answers it, or it has a place in the queue.
enum Taken {
    Joined(EventStream),
    New(Box<(Request, Ends)>, Ticket),
}

/// How busy an engine is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Requests in the queue.
    pub waiting: usize,
    /// Sequences that are being computed.
    pub running: usize,
}

impl Engine {
    /// Starts an engine for a decoder and its tokenizer. See [`start_with`](Self::start_with).
    ///
    /// # Errors
    /// As [`start_with`](Self::start_with).
    pub fn start(
        decoder: Arc<Decoder>,
        tokenizer: Arc<Tokenizer>,
        config: EngineConfig,
    ) -> Result<Self, Error> {
        Self::start_with(decoder, Arc::new(tokenizer), config)
    }

    /// Plans the memory, prepares the model and starts the engine's thread.
    ///
    /// # Errors
    /// A setting out of range, a plan that does not fit, or a model that cannot get its memory.
    pub fn start_with(
        model: Arc<dyn LanguageModel>,
        vocabulary: Arc<dyn Vocabulary>,
        config: EngineConfig,
    ) -> Result<Self, Error> {
        config.check(model.positions())?;
        let memory = plan_memory(&footprint(&*model, &config), &config)?;
        Self::start_planned(model, vocabulary, config, memory)
    }

    /// As [`start_with`](Self::start_with), with the plan that was made of the model's files before
    /// it was loaded: what was said then is what is done.
    ///
    /// # Errors
    /// A setting out of range, or a model that cannot get its memory.
    pub fn start_planned(
        model: Arc<dyn LanguageModel>,
        vocabulary: Arc<dyn Vocabulary>,
        config: EngineConfig,
        memory: MemoryPlan,
    ) -> Result<Self, Error> {
        config.check(model.positions())?;
        let model_vocab = model.vocab();
        let (board, record) = (Arc::<Board>::default(), Arc::<Record>::default());
        let (commands, received) = mpsc::channel();
        let wider = wider_cache(&*model, &memory);
        let known = vocabulary.size().min(model_vocab);
        let core = Core::new(model, known, &memory, &config, wider, Arc::clone(&board))?;
        let health = Arc::clone(&record);
        let thread = std::thread::Builder::new()
            .name("scaffold-engine".into())
            .spawn(move || run(core, &received, &health))
            .map_err(|cause| {
                err!(
                    Unavailable,
                    "the engine's thread could not be started: {cause}; check the limit of processes and threads"
                )
                .because(cause)
            })?;
        let wakes = commands.clone();
        let room = Room {
            events: config.event_capacity,
            bytes: config.unread_bytes,
            // An engine that has ended waits for nobody.
            wake: Arc::new(move || drop(wakes.send(Command::Look))),
        };
        let shared = Shared {
            commands,
            thread: Mutex::new(Some(thread)),
            vocabulary,
            model_vocab,
            queue: Queue::new(config.max_waiting, config.owner_waiting),
            joins: Mutex::default(),
            room,
            draining: AtomicBool::new(false),
            config,
            memory,
            next_id: AtomicU64::new(0),
            board,
            record,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Checks a request and puts it into the queue. Dropping the returned stream cancels it.
    ///
    /// # Errors
    /// Everything that is wrong with the request itself is found here, before anything is computed:
    /// a prompt that does not fit the context, unknown token ids, parameters out of range; and a
    /// queue that is full.
    pub fn submit(&self, request: Request) -> Result<EventStream, Error> {
        let mut streams = self.submit_together(vec![request])?;
        streams.pop().ok_or_else(|| self.shared.record.reason())
    }

    /// As [`submit`](Self::submit), but where the queue is full, waits for a place in it: for
    /// callers with more requests than the queue has places, who would otherwise have to wait
    /// themselves.
    ///
    /// # Errors
    /// As [`submit`](Self::submit), but never because the queue is full.
    pub fn submit_when_free(&self, request: Request) -> Result<EventStream, Error> {
        let ends = self.check(&request)?;
        let ticket = self.shared.queue.wait(request.standing.owner.as_ref());
        self.enqueue(request, ends, ticket, None, None, None)
    }

    /// Submits requests whose prompts begin alike, such as several answers to one prompt: the first
    /// reads the prompt, and the others begin when it has, with what was computed of it. Of a
    /// prompt's last tokens, up to a block of the cache, each computes its own.
    ///
    /// With a seed, requests that are to be drawn differently need numbers of their own
    /// ([`Sampling::sequence`](crate::Sampling::sequence)).
    ///
    /// # Errors
    /// As [`submit`](Self::submit); then none of them is taken.
    pub fn submit_together(&self, requests: Vec<Request>) -> Result<Vec<EventStream>, Error> {
        at_most("n", "answers", requests.len(), self.shared.config.limits.answers)?;
        // Held until all are queued, so that of two equal ones that come together one joins.
        let mut joins = requests.iter().any(may_join).then(|| self.joins());
        let checked = requests.into_iter().map(|request| {
            let ends = self.check(&request)?;
            let mut others = joins.as_mut().filter(|_| may_join(&request));
            if let Some(stream) =
                others.as_mut().and_then(|joins| joins.join(&request, &self.shared.room))
            {
                return Ok(Taken::Joined(stream));
            }
            let ticket = self.ticket(&request)?;
            Ok(Taken::New(Box::new((request, ends)), ticket))
        });
        let checked = checked.collect::<Result<Vec<_>, Error>>()?;
        let leads = Leads::new();
        let leader = leads.leader();
        let mut leads = Some(leads);
        let queued = checked.into_iter().map(|taken| match taken {
            Taken::Joined(stream) => {
                self.shared.board.count_joined();
                Ok(stream)
            }
            Taken::New(new, ticket) => {
                let leads = leads.take();
                let leader = leads.is_none().then(|| leader.clone());
                let (request, ends) = *new;
                self.enqueue(request, ends, ticket, leader, leads, joins.as_deref_mut())
            }
        });
        queued.collect()
    }

    fn joins(&self) -> MutexGuard<'_, Joins> {
        self.shared.joins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ticket(&self, request: &Request) -> Result<Ticket, Error> {
        let ticket = self.shared.queue.take(request.standing.owner.as_ref());
        Ok(ticket.inspect_err(|_| self.shared.board.count(false))?)
    }

    fn enqueue(
        &self,
        request: Request,
        ends: Ends,
        ticket: Ticket,
        leader: Option<Leader>,
        leads: Option<Leads>,
        joins: Option<&mut Joins>,
    ) -> Result<EventStream, Error> {
        let shared = &*self.shared;
        // A thread that ends still holds its end of the channel for a moment.
        if !shared.record.read().is_running() {
            return Err(shared.record.reason());
        }
        let joins = joins.filter(|_| may_join(&request));
        let channel = if joins.is_some() { joined_channel } else { event_channel };
        let (sender, stream) = channel(shared.room.clone(), Arc::clone(&shared.record));
        if let Some(joins) = joins {
            joins.add(request.clone(), sender.readers());
        }
        let Request {
            mut prompt,
            sampling,
            stop,
            logprobs,
            scores,
            constraint,
            controls,
            standing,
        } = request;
        // Tokens that must follow have no logits, and end no answer.
        let leaps = logprobs.is_none() && stop.ids.is_empty();
        let guide = constraint.map(|constraint| constraint.begin()).transpose()?;
        let seed = sampling.seed.unwrap_or_else(draw_seed);
        let job = Job {
            sampler: SequenceSampler::new(sampling, seed, logprobs, &prompt),
            guided: guide.map(|guide| Guided::new(guide, leaps)),
            output: Output::new(shared.vocabulary.decoder(&controls), stop.strings),
            events: sender,
            clock: Clock::new(Instant::now()),
            cached_tokens: 0,
            ticket: Some(ticket),
            standing,
            scoring: scores.map(|Scores { from, top }| Scoring { next: from, top }),
            leader,
            leads,
            ends,
        };
        // Decoding then never moves the tokens, unless the answer becomes very long.
        prompt.reserve((job.ends.max_tokens - prompt.len()).min(4096));
        let id = shared.next_id.fetch_add(1, Ordering::Relaxed);
        let sequence = Box::new(Sequence::new(id, prompt, job));
        shared.commands.send(Command::Submit(sequence)).map_err(|_| shared.record.reason())?;
        shared.board.count(true);
        Ok(stream)
    }

    /// Checks everything about a request that can be checked without computing, and settles when it
    /// ends.
    fn check(&self, request: &Request) -> Result<Ends, Error> {
        let shared = &*self.shared;
        if shared.draining.load(Ordering::Relaxed) {
            return Err(err!(
                Unavailable,
                "the model is being unloaded and takes no more requests: load it again"
            ));
        }
        shared.config.limits.check(request)?;
        let (prompt_tokens, context) = (request.prompt.len(), shared.memory.context);
        if prompt_tokens == 0 {
            return Err(err!(
                Usage,
                "the prompt has no tokens: give it at least one (models with a beginning-of-sequence token start with that)"
            ));
        }
        let scores_alone = request.scores.is_some() && request.stop.max_new_tokens == Some(0);
        if prompt_tokens + usize::from(!scores_alone) > context {
            return Err(too_long(prompt_tokens, &shared.memory));
        }
        check_scores(request)?;
        let vocab = shared.model_vocab;
        request.prompt.iter().try_for_each(|&id| known("prompt", id, vocab))?;
        request.stop.ids.iter().try_for_each(|&id| known("stop token ids", id, vocab))?;
        request.sampling.check(vocab)?;
        let limit = &parameter::MAX_NEW_TOKENS;
        if !scores_alone {
            limit.check(limit.get(&request.sampling, &request.stop))?;
        }
        let eos = if request.stop.ignore_eos { Vec::new() } else { shared.config.eos.clone() };
        let mut ids = eos.clone();
        ids.extend(&request.stop.ids);
        let asked =
            request.stop.max_new_tokens.map_or(usize::MAX, |n| prompt_tokens.saturating_add(n));
        Ok(Ends { eos, ids, max_tokens: asked.min(context), by_context: asked > context })
    }

    /// What the engine allocated, and the context that requests can use.
    pub fn memory(&self) -> &MemoryPlan {
        &self.shared.memory
    }

    /// The settings that the engine was started with.
    pub fn config(&self) -> &EngineConfig {
        &self.shared.config
    }

    /// How many requests wait and run, about now.
    pub fn load(&self) -> Load {
        let Metrics { waiting, running, .. } = self.metrics();
        Load { waiting, running }
    }

    /// What the engine has done until now, and what it is at.
    pub fn metrics(&self) -> Metrics {
        let board = self.shared.board.read();
        let (waiting, begun) = self.shared.queue.counts();
        let again = board.waiting_begun.min(begun);
        Metrics { waiting: waiting + again, running: begun - again, ..board }
    }

    /// About how long a request would wait that were submitted now, from how it went until now;
    /// `None` where nothing waits, or nothing is known yet.
    pub fn expected_wait(&self) -> Option<Duration> {
        self.shared.queue.expected_wait(Instant::now())
    }

    /// Takes no more requests, and waits until those at hand are answered, or until the time is
    /// over; whether all are.
    pub fn drain(&self, timeout: Option<Duration>) -> bool {
        self.shared.draining.store(true, Ordering::Relaxed);
        // A timeout past the end of time is none.
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        self.shared.queue.wait_idle(deadline)
    }

    /// Whether the engine takes requests, and what faults of its own it has met.
    pub fn health(&self) -> Health {
        self.shared.record.read()
    }

    /// Stops the engine after its current step and frees the model. Returns when the memory is
    /// free.
    pub fn shutdown(&self) {
        stop(&self.shared.commands, &self.shared.thread);
    }
}

/// Refuses scores of tokens that are not there.
fn check_scores(request: &Request) -> Result<(), Error> {
    let (tokens, Some(Scores { from, .. })) = (request.prompt.len(), request.scores) else {
        return Ok(());
    };
    if (1..tokens).contains(&from) {
        return Ok(());
    }
    Err(err!(
        Usage,
        "tokens of the prompt are to be scored from place {from} on, but the prompt has {tokens}, and nothing stands before \
         the first, at place 0: accepted is 1 to the last place"
    )
    .of_key("scores"))
}

/// The prompt leaves no room for an answer.
fn too_long(prompt: usize, &MemoryPlan { context, model_context, .. }: &MemoryPlan) -> Error {
    let advice = if context < model_context {
        format!(
            "shorten the prompt, or start the model with a longer context (up to {model_context})"
        )
    } else {
        "shorten the prompt; this is as far as the model reaches".to_owned()
    };
    err!(
        TooLarge,
        "the prompt has {prompt} tokens but the context holds {context}, and an answer needs at least one: {advice}"
    )
}

fn stop(commands: &Sender<Command>, thread: &Mutex<Option<JoinHandle<()>>>) {
    // Neither failure matters: the thread has ended already, and its readers and the record know
    // how.
    let _ = commands.send(Command::Stop);
    let thread = thread.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(thread) = thread {
        let _ = thread.join();
    }
}

/// A seed for requests that do not bring one: from the operating system's randomness, through the
/// standard hasher.
fn draw_seed() -> u64 {
    // 53 bits, so that the seed survives a trip through JSON.
    RandomState::new().build_hasher().finish() >> 11
}

fn footprint(model: &dyn LanguageModel, config: &EngineConfig) -> Footprint {
    let block = |kv| {
        let bytes = model.block_bytes(config.block_tokens, kv);
        // A way that the model does not know fits nowhere.
        (kv, bytes.unwrap_or(usize::MAX))
    };
    Footprint {
        weights: model.weight_bytes(),
        scratch: model.scratch_bytes(config.step_tokens, config.logit_rows()),
        context: model.context(),
        block: KvType::ALL.map(block).to_vec(),
        ..Footprint::default()
    }
}

/// What keys and values are kept in if some are too large for `f16`: `f32` where memory holds that,
/// else 8-bit blocks, whose scales reach further.
fn wider_cache(model: &dyn LanguageModel, memory: &MemoryPlan) -> Option<KvType> {
    let bytes =
        |kv| Some(model.block_bytes(memory.block_tokens, kv)?.saturating_mul(memory.blocks));
    let room = memory.limit.map_or(usize::MAX, |limit| {
        limit.saturating_sub(memory.weight_bytes + memory.scratch_bytes + memory.rest_bytes)
    });
    let fits = |kv: &KvType| bytes(*kv).is_some_and(|bytes| bytes <= room);
    let kv_type = [KvType::F32, KvType::Q8].into_iter().find(fits)?;
    (memory.kv_type == KvType::F16).then_some(kv_type)
}

#[cfg(test)]
mod tests;
