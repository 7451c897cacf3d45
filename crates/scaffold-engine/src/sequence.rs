//! One request on its way through the engine.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::blocks::{BlockId, EntryId, Prefix, root};
use crate::constraint::Progress;
use crate::event::{FinishReason, Timings, Usage};
use crate::guided::Guided;
use crate::output::Output;
use crate::queue::Ticket;
use crate::request::Standing;
use crate::sample::SequenceSampler;
use crate::sender::EventSender;

/// A request with everything that it has computed and said so far.
///
/// Invariant: `computed <= tokens.len()`, and the blocks hold exactly the computed positions, or
/// more where a step is planned. The last token is never computed before the next one is wanted.
#[derive(Debug)]
pub(crate) struct Sequence {
    /// Order of arrival.
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
    /// Tokens at its end that followed from the last choice, and were not chosen themselves.
    pub(crate) forced: usize,
    /// How often others that came later were started first.
    pub(crate) overtaken: usize,
    /// Another one reads what its prompt begins with.
    pub(crate) behind: Option<Behind>,
    /// It was put back because its reader is far behind.
    pub(crate) paused: bool,
    pub(crate) job: Job,
}

impl Sequence {
    pub(crate) fn new(id: u64, prompt: Vec<u32>, job: Job) -> Self {
        let (prompt_tokens, root) = (prompt.len(), root(0));
        Self {
            id,
            tokens: prompt,
            prompt_tokens,
            planned: prompt_tokens,
            computed: 0,
            blocks: Vec::new(),
            registered: 0,
            entry: root,
            root,
            forced: 0,
            overtaken: 0,
            behind: None,
            paused: false,
            job,
        }
    }

    /// Rows that must be computed before the next token can be chosen; where none will be chosen,
    /// before all of the prompt is scored.
    pub(crate) fn pending(&self) -> usize {
        self.tokens.len() - self.computed - usize::from(!self.writes())
    }

    /// Whether it writes an answer at all, and not only scores its prompt.
    pub(crate) fn writes(&self) -> bool {
        self.job.ends.max_tokens > self.prompt_tokens
    }

    /// Whether it is writing its answer, and only the last token has to be computed for the next, with
    /// those that followed from it.
    pub(crate) fn is_answering(&self) -> bool {
        self.tokens.len() > self.prompt_tokens && self.pending() <= 1 + self.forced
    }

    /// Whether an answer that ends for this reason lacks something that its constraint asks for.
    pub(crate) fn is_incomplete(&self, reason: FinishReason) -> bool {
        let short = match reason {
            FinishReason::Eos { .. } | FinishReason::StopId { .. } | FinishReason::Complete => {
                false
            }
            // What was cut off is not known any more.
            FinishReason::StopString { .. } => true,
            _ => self.job.guided.as_ref().is_some_and(|g| g.progress() == Progress::Incomplete),
        };
        short && self.job.guided.is_some()
    }

    /// Whether its prompt is scored and it writes nothing.
    pub(crate) fn is_scored(&self) -> bool {
        !self.writes() && self.job.scoring.as_ref().is_none_or(|s| s.next >= self.prompt_tokens)
    }

    /// How many of its next `rows` rows can be computed in one step in which `scores` rows may
    /// still be scored, and whether they are.
    pub(crate) fn at_once(&self, rows: usize, scores: usize) -> (usize, bool) {
        let rows = rows.min(self.pending());
        match &self.job.scoring {
            Some(scoring) if scoring.next < self.prompt_tokens => {
                // The row before a token is what says how likely it is.
                let first = scoring.next - 1;
                if self.computed < first {
                    (rows.min(first - self.computed), false)
                } else {
                    (rows.min(scores), true)
                }
            }
            _ => (rows, false),
        }
    }

    /// The tokens at its start whose keys and values may come from the prefix cache: at least one
    /// row is computed, since it gives the logits, and so are those that are scored.
    pub(crate) fn reusable(&self) -> &[u32] {
        let all = self.tokens.len() - 1;
        let scored = self.job.scoring.as_ref().filter(|s| s.next < self.prompt_tokens);
        &self.tokens[..scored.map_or(all, |scoring| all.min(scoring.next - 1))]
    }

    /// Starts after a prefix that was found.
    pub(crate) fn begin_at(&mut self, prefix: Prefix, block_tokens: usize) {
        self.registered = prefix.blocks.len();
        self.computed = prefix.blocks.len() * block_tokens;
        self.entry = prefix.entry;
        self.blocks = prefix.blocks;
        self.paused = false;
    }

    /// Whether it may leave the queue: its reader is not far behind, and the request that reads the
    /// same prompt for it has done so.
    pub(crate) fn may_start(&self) -> bool {
        let read = self.job.leader.as_ref().is_none_or(Leader::has_read);
        read && self.behind.is_none() && (!self.paused || self.job.events.has_caught_up())
    }

    /// Whether it was not begun in time. One whose prompt is being read by another is begun as good as
    /// any.
    pub(crate) fn is_expired(&self, now: Instant) -> bool {
        let waits = !self.is_begun() && self.behind.is_none();
        let limit = self.job.standing.max_wait.filter(|_| waits);
        limit.is_some_and(|limit| now.saturating_duration_since(self.job.clock.submitted) > limit)
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

/// Behind whom a sequence waits: until the running one of this id has read so many blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Behind {
    pub(crate) id: u64,
    pub(crate) blocks: usize,
}

/// What a sequence is for: how its tokens are chosen, when it ends and to whom it reports.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) sampler: SequenceSampler,
    /// What its answer has to keep to.
    pub(crate) guided: Option<Guided>,
    pub(crate) output: Output,
    pub(crate) events: EventSender,
    pub(crate) ends: Ends,
    pub(crate) clock: Clock,
    pub(crate) cached_tokens: usize,
    /// Its place in the queue, and among what is open.
    pub(crate) ticket: Option<Ticket>,
    pub(crate) standing: Standing,
    /// What of its prompt is scored.
    pub(crate) scoring: Option<Scoring>,
    /// The request that reads the same prompt first.
    pub(crate) leader: Option<Leader>,
    /// Where others wait for this one to read the prompt of all.
    pub(crate) leads: Option<Leads>,
}

/// The scores of a prompt's tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scoring {
    /// The next token that is scored, by its place in the prompt; never the first, which nothing
    /// stands before.
    pub(crate) next: usize,
    /// How many of the most probable tokens are told beside each.
    pub(crate) top: usize,
}

/// Who reads a prompt for several requests, as those see it.
#[derive(Debug, Clone)]
pub(crate) struct Leader(Arc<AtomicBool>);

/// The same, as the one sees it that reads: the others go on when it has, or when it is gone.
#[derive(Debug)]
pub(crate) struct Leads(Arc<AtomicBool>);

impl Leads {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    /// What those get that wait.
    pub(crate) fn leader(&self) -> Leader {
        Leader(Arc::clone(&self.0))
    }
}

impl Drop for Leads {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Leader {
    fn has_read(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
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
    pub(crate) last_token: Option<Instant>,
    pub(crate) preemptions: usize,
}

impl Clock {
    pub(crate) fn new(submitted: Instant) -> Self {
        Self { submitted, started: None, first_token: None, last_token: None, preemptions: 0 }
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
