//! The handle that doors hold, and the thread that owns the model.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use crate::channel::{EventStream, event_channel};
use crate::config::EngineConfig;
use crate::forward::{LanguageModel, Vocabulary};
use crate::health::{Health, Record};
use crate::memory::{Footprint, MemoryPlan, plan_memory};
use crate::output::Output;
use crate::queue::{Queue, Ticket};
use crate::request::Request;
use crate::sample::check::known;
use crate::sample::{SequenceSampler, parameter};
use crate::sequence::{Clock, Ends, Job, Sequence};
use crate::step::Core;
use crate::thread::{Command, Counters, run};
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
    load: Arc<Counters>,
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
        let (load, record) = (Arc::<Counters>::default(), Arc::<Record>::default());
        let (commands, received) = mpsc::channel();
        let wider = wider_cache(&*model, &memory);
        let core = Core::new(
            model,
            vocabulary.size().min(model_vocab),
            &memory,
            config.max_sequences,
            config.step_tokens,
            wider,
        )?;
        let (counters, health) = (Arc::clone(&load), Arc::clone(&record));
        let thread = std::thread::Builder::new()
            .name("scaffold-engine".into())
            .spawn(move || run(core, &received, &counters, &health))
            .map_err(|cause| {
                err!(
                    Unavailable,
                    "the engine's thread could not be started: {cause}; check the limit of processes and threads"
                )
                .because(cause)
            })?;
        let shared = Shared {
            commands,
            thread: Mutex::new(Some(thread)),
            vocabulary,
            model_vocab,
            queue: Queue::new(config.max_waiting),
            config,
            memory,
            next_id: AtomicU64::new(0),
            load,
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
        let ends = self.check(&request)?;
        let limit = self.shared.config.max_waiting;
        let ticket = self.shared.queue.take().map_err(|waiting| overloaded(waiting, limit))?;
        self.enqueue(request, ends, ticket)
    }

    /// As [`submit`](Self::submit), but where the queue is full, waits for a place in it: for
    /// callers with more requests than the queue has places, who would otherwise have to wait
    /// themselves.
    ///
    /// # Errors
    /// As [`submit`](Self::submit), but never because the queue is full.
    pub fn submit_when_free(&self, request: Request) -> Result<EventStream, Error> {
        let ends = self.check(&request)?;
        self.enqueue(request, ends, self.shared.queue.wait())
    }

    fn enqueue(&self, request: Request, ends: Ends, ticket: Ticket) -> Result<EventStream, Error> {
        let shared = &*self.shared;
        // A thread that ends still holds its end of the channel for a moment.
        if !shared.record.read().is_running() {
            return Err(shared.record.reason());
        }
        let record = Arc::clone(&shared.record);
        let (sender, stream) = event_channel(shared.config.event_capacity, record);
        let Request { mut prompt, sampling, stop, logprobs, special_text } = request;
        let seed = sampling.seed.unwrap_or_else(draw_seed);
        let job = Job {
            sampler: SequenceSampler::new(sampling, seed, logprobs, &prompt),
            output: Output::new(shared.vocabulary.decoder(special_text), stop.strings),
            events: sender,
            clock: Clock::new(Instant::now()),
            cached_tokens: 0,
            ticket: Some(ticket),
            ends,
        };
        // Decoding then never moves the tokens, unless the answer becomes very long.
        prompt.reserve((job.ends.max_tokens - prompt.len()).min(4096));
        let id = shared.next_id.fetch_add(1, Ordering::Relaxed);
        let sequence = Box::new(Sequence::new(id, prompt, job));
        shared.commands.send(Command::Submit(sequence)).map_err(|_| shared.record.reason())?;
        Ok(stream)
    }

    /// Checks everything about a request that can be checked without computing, and settles when it
    /// ends.
    fn check(&self, request: &Request) -> Result<Ends, Error> {
        let shared = &*self.shared;
        let (prompt_tokens, context) = (request.prompt.len(), shared.memory.context);
        if prompt_tokens == 0 {
            return Err(err!(
                Usage,
                "the prompt has no tokens: give it at least one (models with a beginning-of-sequence token start with that)"
            ));
        }
        if prompt_tokens >= context {
            return Err(too_long(prompt_tokens, &shared.memory));
        }
        let vocab = shared.model_vocab;
        request.prompt.iter().try_for_each(|&id| known("prompt", id, vocab))?;
        request.stop.ids.iter().try_for_each(|&id| known("stop token ids", id, vocab))?;
        request.sampling.check(vocab)?;
        let limit = &parameter::MAX_NEW_TOKENS;
        limit.check(limit.get(&request.sampling, &request.stop))?;
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
        let load = &self.shared.load;
        Load {
            waiting: self.shared.queue.taken() + load.put_back.load(Ordering::Relaxed),
            running: load.running.load(Ordering::Relaxed),
        }
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

/// More requests wait than the engine was set up to hold.
fn overloaded(waiting: usize, limit: usize) -> Error {
    err!(
        Busy,
        "{waiting} requests wait already, and {limit} may: this one was not taken. Submit it again when an answer is \
         complete, or let the engine take requests as places come free (batch_generate and submit_when_free do)"
    )
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
        scratch: model.scratch_bytes(config.step_tokens),
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
