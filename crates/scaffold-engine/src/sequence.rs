//! One request on its way through the engine.

use std::time::Instant;

use crate::blocks::{BlockId, EntryId, root};
use crate::channel::EventSender;
use crate::event::{FinishReason, Timings, Usage};
use crate::output::Output;
use crate::queue::Ticket;
use crate::sample::SequenceSampler;

/// A request with everything that it has computed and said so far.
///
/// Invariant: `computed <= tokens.len()`, and the blocks hold exactly the computed positions, or
/// more where a step is planned. The last token is never computed before the next one is wanted.
#[derive(Debug)]
pub(crate) struct Sequence {
    /// Order of arrival; also the order in which sequences give way.
    pub(crate) id: u64,
    /// Prompt, then answer.
    pub(crate) tokens: Vec<u32>,
    pub(crate) prompt_tokens: usize,
    /// The length that positions are encoded for, where their encoding depends on it: the prompt's,
    /// until the sequence outgrows it.
    pub(crate) planned: usize,
    /// Positions whose keys and values are in `blocks`.
    pub(crate) computed: usize,
    pub(crate) blocks: Vec<BlockId>,
    /// Full blocks at the start of `blocks` that are registered for reuse.
    pub(crate) registered: usize,
    /// The entry of the last registered block, or the root.
    pub(crate) entry: EntryId,
    /// The entry before the first block.
    pub(crate) root: EntryId,
    pub(crate) job: Job,
}

impl Sequence {
    pub(crate) fn new(id: u64, prompt: Vec<u32>, job: Job) -> Self {
        let (prompt_tokens, root) = (prompt.len(), root(0));
        let blocks = Vec::new();
        Self {
            id,
            tokens: prompt,
            prompt_tokens,
            planned: prompt_tokens,
            computed: 0,
            blocks,
            registered: 0,
            entry: root,
            root,
            job,
        }
    }

    /// Rows that must be computed before the next token can be chosen.
    pub(crate) fn pending(&self) -> usize {
        self.tokens.len() - self.computed
    }

    /// Whether it has left the queue before.
    pub(crate) fn is_begun(&self) -> bool {
        self.job.clock.started.is_some()
    }

    /// Forgets what is in the cache; the tokens stay.
    pub(crate) fn reset(&mut self) {
        debug_assert!(self.blocks.is_empty());
        self.computed = 0;
        self.registered = 0;
        self.entry = self.root;
    }

    pub(crate) fn usage(&self) -> Usage {
        Usage {
            prompt_tokens: self.prompt_tokens,
            cached_tokens: self.job.cached_tokens,
            completion_tokens: self.tokens.len() - self.prompt_tokens,
        }
    }
}

/// What a sequence is for: how its tokens are chosen, when it ends and to whom it reports.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) sampler: SequenceSampler,
    pub(crate) output: Output,
    pub(crate) events: EventSender,
    pub(crate) ends: Ends,
    pub(crate) clock: Clock,
    pub(crate) cached_tokens: usize,
    /// Its place in the queue, until it is begun.
    pub(crate) ticket: Option<Ticket>,
}

/// When an answer ends.
#[derive(Debug)]
pub(crate) struct Ends {
    /// End-of-sequence tokens; empty when the request ignores them.
    pub(crate) eos: Vec<u32>,
    /// Those and the request's own stop tokens.
    pub(crate) ids: Vec<u32>,
    /// Tokens that prompt and answer may have together.
    pub(crate) max_tokens: usize,
    /// Whether that limit is the context's and not the request's.
    pub(crate) by_context: bool,
}

impl Ends {
    /// Why the answer ends with this token, if the token alone says so.
    pub(crate) fn by_token(&self, id: u32) -> Option<FinishReason> {
        if self.eos.contains(&id) {
            return Some(FinishReason::Eos { id });
        }
        self.ids.contains(&id).then_some(FinishReason::StopId { id })
    }

    /// Why the answer ends at this length, if it does.
    pub(crate) fn by_length(&self, tokens: usize) -> Option<FinishReason> {
        let reason = if self.by_context { FinishReason::ContextFull } else { FinishReason::Length };
        (tokens >= self.max_tokens).then_some(reason)
    }
}

/// When things happened to a request.
#[derive(Debug)]
pub(crate) struct Clock {
    pub(crate) submitted: Instant,
    pub(crate) started: Option<Instant>,
    pub(crate) first_token: Option<Instant>,
    pub(crate) preemptions: usize,
}

impl Clock {
    pub(crate) fn new(submitted: Instant) -> Self {
        Self { submitted, started: None, first_token: None, preemptions: 0 }
    }

    pub(crate) fn timings(&self, now: Instant) -> Timings {
        let started = self.started.unwrap_or(now);
        let first = self.first_token.unwrap_or(now);
        Timings {
            queue: started - self.submitted,
            prefill: first - started,
            decode: now - first,
            preemptions: self.preemptions,
        }
    }
}
