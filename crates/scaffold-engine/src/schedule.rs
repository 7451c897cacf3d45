//! Which rows are computed in the next step.
//!
//! A step has a budget of rows. First comes one row for every sequence that is writing its answer.
//! What is left is [shared](share) among prompts, those of requests that start in this step among
//! them; beside answers that people read they get only as many rows as the [pace](crate::pace)
//! allows. Requests start by [rank], while there is a place and there are blocks for all their
//! tokens. One whose prompt begins with what another is just reading waits until that is read.
//!
//! When a sequence needs a block and none is free, the least senior running sequence is put back
//! into the queue: its blocks are freed (and stay in the prefix cache while nobody else needs
//! them), its tokens are kept and computed again later. The most senior never gives way, and the
//! pool holds at least one full context, so every sequence is served in the end.
//!
//! A sequence whose reader is far behind is put back, too, until the reader has caught up: it would
//! else keep blocks and memory for as long as somebody sleeps.
//!
//! The scheduler is pure: no clock, no channel, no tensor.

mod behind;
pub(crate) mod rank;
mod share;
mod whole;

use std::collections::VecDeque;
use std::time::Instant;

use crate::blocks::{BlockManager, EntryId};
use crate::request::Priority;
use crate::sequence::Sequence;
use rank::{Rank, rank, seniority};
use share::{Reader, share};

/// Rows of one step that may get logits for the scores of prompts: each takes a row of the
/// vocabulary's width.
pub(crate) const SCORE_ROWS: usize = 16;

/// The rows of one sequence in a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    /// Index into [`Scheduler::running`].
    pub(crate) index: usize,
    /// Rows from the first position that is not computed yet.
    pub(crate) rows: usize,
    /// Whether these rows reach the end of the sequence, so that its next token can be chosen.
    pub(crate) last: bool,
    /// Whether all of these rows get logits, because tokens of the prompt are scored.
    pub(crate) scored: bool,
}

impl Part {
    /// Rows of logits.
    pub(crate) fn logits(&self) -> usize {
        if self.scored { self.rows } else { usize::from(self.last) }
    }
}

/// The rows of one step, in the order in which the model sees them.
#[derive(Debug, Default)]
pub(crate) struct StepPlan {
    pub(crate) parts: Vec<Part>,
    /// Answers among them that somebody waits for.
    pub(crate) answers: usize,
    /// Rows of prompts among them.
    pub(crate) prompt_rows: usize,
    /// Rows of answers among them that follow from others, and are beside the one that each gets.
    pub(crate) forced_rows: usize,
    /// Sequences that were put back while planning.
    pub(crate) put_back: usize,
    /// Rows that may still be scored in this step.
    score_room: usize,
    /// The sequences at hand, in the order in which they are planned.
    order: Vec<u64>,
    readers: Vec<Reader>,
}

impl StepPlan {
    pub(crate) fn rows(&self) -> usize {
        self.parts.iter().map(|part| part.rows).sum()
    }

    fn has(&self, scheduler: &Scheduler, id: u64) -> bool {
        self.parts.iter().any(|part| scheduler.running[part.index].id == id)
    }

    fn clear(&mut self) {
        self.parts.clear();
        (self.answers, self.prompt_rows, self.put_back) = (0, 0, 0);
        self.forced_rows = 0;
        self.score_room = SCORE_ROWS;
    }

    /// Takes a running sequence out that was put back.
    fn forget(&mut self, index: usize) {
        self.parts.retain(|part| part.index != index);
        for part in self.parts.iter_mut().filter(|part| part.index > index) {
            part.index -= 1;
        }
    }
}

/// What bounds a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) max_sequences: usize,
    pub(crate) step_tokens: usize,
    /// Running sequences of one owner.
    pub(crate) owner_running: Option<usize>,
}

/// All sequences and the blocks they share.
#[derive(Debug)]
pub(crate) struct Scheduler {
    pub(crate) blocks: BlockManager,
    /// In the order of their arrival.
    pub(crate) waiting: VecDeque<Sequence>,
    /// In the order in which they were started.
    pub(crate) running: Vec<Sequence>,
    bounds: Bounds,
}

impl Scheduler {
    pub(crate) fn new(blocks: BlockManager, bounds: Bounds) -> Self {
        Self { blocks, waiting: VecDeque::new(), running: Vec::new(), bounds }
    }

    #[cfg(test)]
    pub(crate) fn limit_owners(&mut self, running: Option<usize>) {
        self.bounds.owner_running = running;
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.running.is_empty()
    }

    /// Fills `plan` with the next step. `pace` says how many rows prompts may have beside so many
    /// answers. The plan is empty only when there is nothing to do, or nothing but answers whose
    /// readers are far behind.
    pub(crate) fn plan(&mut self, plan: &mut StepPlan, pace: impl FnOnce(usize) -> usize) {
        plan.clear();
        self.put_back_unread();
        self.plan_answers(plan);
        let budget = self.bounds.step_tokens - plan.rows();
        let room = if plan.answers == 0 { budget } else { pace(plan.answers).min(budget) };
        // Whoever was put back in this step would only take the blocks away again.
        if plan.put_back == 0 {
            self.admit(room);
        }
        self.plan_prompts(room, plan);
        plan.parts.sort_unstable_by_key(|part| part.index);
        let (answers, rows) = self.answering(plan);
        plan.forced_rows = rows - answers;
        plan.prompt_rows = plan.rows() - rows;
    }

    /// One row for every sequence that writes its answer, from the most senior to the least, and those
    /// that follow from the last choice while there is room.
    fn plan_answers(&mut self, plan: &mut StepPlan) {
        let mut order = self.in_order(std::mem::take(&mut plan.order), Sequence::is_answering);
        let mut room = self.bounds.step_tokens.saturating_sub(order.len());
        for id in order.drain(..) {
            let forced =
                self.index(id).map_or(0, |index| self.running[index].pending().saturating_sub(1));
            let forced = forced.min(room);
            room -= forced;
            self.plan_rows(id, 1 + forced, plan);
        }
        plan.order = order;
        let people = |part: &&Part| rank::class(&self.running[part.index]) == Priority::Interactive;
        plan.answers = plan.parts.iter().filter(people).count();
    }

    /// Shares `room` rows among the prompts.
    fn plan_prompts(&mut self, room: usize, plan: &mut StepPlan) {
        let mut order = std::mem::take(&mut plan.order);
        // Also one that goes on after it was put back, and has all but its last token.
        order = self.in_order(order, |sequence| !plan.has(self, sequence.id));
        let mut readers = std::mem::take(&mut plan.readers);
        readers.clear();
        readers.extend(order.drain(..).filter_map(|id| {
            let sequence = &self.running[self.index(id)?];
            let batch = rank::class(sequence) == Priority::Batch;
            Some(Reader { id, pending: sequence.pending(), batch, rows: 0 })
        }));
        share(room, &mut readers);
        for reader in &readers {
            self.plan_rows(reader.id, reader.rows, plan);
        }
        (plan.order, plan.readers) = (order, readers);
    }

    /// The ids of the running sequences that `which` takes, from the most senior to the least.
    fn in_order(&self, mut order: Vec<u64>, which: impl Fn(&Sequence) -> bool) -> Vec<u64> {
        order.clear();
        order.extend(self.running.iter().filter(|s| which(s)).map(|s| s.id));
        order.sort_by_key(|&id| self.index(id).map(|index| seniority(&self.running[index])));
        order
    }

    fn index(&self, id: u64) -> Option<usize> {
        self.running.iter().position(|sequence| sequence.id == id)
    }

    /// How many parts are answers, and their rows.
    fn answering(&self, plan: &StepPlan) -> (usize, usize) {
        let answers = plan.parts.iter().filter(|part| self.running[part.index].is_answering());
        answers.fold((0, 0), |(count, rows), part| (count + 1, rows + part.rows))
    }

    /// Plans up to `rows` rows of a running sequence, if it still runs.
    fn plan_rows(&mut self, id: u64, rows: usize, plan: &mut StepPlan) {
        let Some(index) = self.index(id) else {
            return;
        };
        let (rows, scored) = self.running[index].at_once(rows, plan.score_room);
        if rows == 0 {
            return;
        }
        let rows = self.reserve(id, rows, plan);
        // Others that were put back may have stood before it.
        let Some(index) = self.index(id).filter(|_| rows > 0) else {
            return;
        };
        let sequence = &self.running[index];
        let last = rows == sequence.pending() && sequence.writes();
        if scored {
            plan.score_room -= rows;
        }
        plan.parts.push(Part { index, rows, last, scored });
    }

    /// Sees to it that a running sequence has blocks for its next `rows` rows. Less senior
    /// sequences give way; one that is itself the least senior makes do with fewer rows, or is put
    /// back. Returns the rows that it has blocks for.
    fn reserve(&mut self, id: u64, rows: usize, plan: &mut StepPlan) -> usize {
        while let Some(index) = self.index(id) {
            let needed = self.missing(index, rows);
            if needed <= self.blocks.available() {
                self.extend(index, needed);
                return rows;
            }
            let least = self.least_senior().filter(|&least| least != index);
            if let Some(least) = least {
                self.put_back(least, plan);
                continue;
            }
            let sequence = &self.running[index];
            let held = sequence.blocks.len() + self.blocks.available();
            let possible =
                (held * self.blocks.block_tokens()).saturating_sub(sequence.computed).min(rows);
            if possible == 0 {
                self.put_back(index, plan);
                return 0;
            }
            self.extend(index, self.missing(index, possible));
            return possible;
        }
        0
    }

    /// Blocks that a running sequence lacks for its next `rows` rows.
    fn missing(&self, index: usize, rows: usize) -> usize {
        let sequence = &self.running[index];
        self.blocks.blocks_for(sequence.computed + rows).saturating_sub(sequence.blocks.len())
    }

    fn least_senior(&self) -> Option<usize> {
        (0..self.running.len()).max_by_key(|&index| seniority(&self.running[index]))
    }

    fn extend(&mut self, index: usize, blocks: usize) {
        for _ in 0..blocks {
            if let Some(block) = self.blocks.allocate() {
                self.running[index].blocks.push(block);
            }
        }
    }

    /// Puts a running sequence back into the queue for want of blocks, and takes its rows out of
    /// the plan.
    fn put_back(&mut self, index: usize, plan: &mut StepPlan) {
        plan.forget(index);
        plan.put_back += 1;
        let mut sequence = self.retire(index);
        sequence.job.clock.preemptions += 1;
        self.queue(sequence);
    }

    /// Puts those back whose readers are far behind.
    fn put_back_unread(&mut self) {
        for index in (0..self.running.len()).rev() {
            if self.running[index].job.events.is_behind() {
                let mut sequence = self.retire(index);
                sequence.paused = true;
                self.queue(sequence);
            }
        }
    }

    /// Takes a sequence into the queue, at the place of its arrival.
    pub(crate) fn queue(&mut self, mut sequence: Sequence) {
        sequence.reset();
        let at = self.waiting.partition_point(|other| other.id < sequence.id);
        self.waiting.insert(at, sequence);
    }

    /// Lets waiting sequences start, up to `rows` of them, while there are places and blocks for
    /// all their tokens.
    fn admit(&mut self, rows: usize) {
        self.release_readers();
        let mut reading = self.running.iter().filter(|s| !s.is_answering()).count();
        // Blocks that those who run will need for the tokens that they have.
        let still = |s: &Sequence| self.blocks.blocks_for(s.tokens.len()) - s.blocks.len();
        let mut promised: usize = self.running.iter().map(still).sum();
        while reading < rows && self.running.len() < self.bounds.max_sequences {
            let Some(at) = self.next() else {
                return;
            };
            let sequence = &self.waiting[at];
            let prefix = self.blocks.find_prefix(sequence.root, sequence.reusable());
            let behind = self.reads_for(sequence, prefix.blocks.len());
            if behind.is_some() {
                self.waiting[at].behind = behind;
                continue;
            }
            let new_blocks = self.blocks.blocks_for(sequence.tokens.len()) - prefix.blocks.len();
            let taken = new_blocks + self.blocks.idle_among(&prefix.blocks);
            if taken + promised > self.blocks.available() {
                return;
            }
            let Some(mut sequence) = self.waiting.remove(at) else {
                return;
            };
            self.overtake(sequence.id);
            self.blocks.adopt(&prefix);
            promised += new_blocks;
            sequence.begin_at(prefix, self.blocks.block_tokens());
            self.running.push(sequence);
            reading += 1;
        }
    }

    /// The place in the queue of the one that starts next.
    fn next(&self) -> Option<usize> {
        let ranked = |(at, sequence): (usize, &Sequence)| Some((self.rank(sequence)?, at));
        self.waiting.iter().enumerate().filter_map(ranked).min().map(|(_, at)| at)
    }

    /// The rank of a waiting sequence; `None` while it may not start.
    fn rank(&self, sequence: &Sequence) -> Option<Rank> {
        if !sequence.may_start() {
            return None;
        }
        let owner = &sequence.job.standing.owner;
        let beside = match owner {
            Some(_) => self.running.iter().filter(|s| s.job.standing.owner == *owner).count(),
            None => 0,
        };
        let limit = self.bounds.owner_running.filter(|_| owner.is_some());
        (beside < limit.unwrap_or(usize::MAX)).then(|| rank(sequence, beside))
    }

    /// Counts that the sequence `id` starts before others that came earlier.
    fn overtake(&mut self, id: u64) {
        for at in 0..self.waiting.partition_point(|sequence| sequence.id < id) {
            if self.rank(&self.waiting[at]).is_some() {
                self.waiting[at].overtaken += 1;
            }
        }
    }

    /// Takes out what has waited longer than it may.
    pub(crate) fn expired(&mut self, now: Instant) -> Vec<Sequence> {
        self.leave(|sequence| sequence.is_expired(now))
    }

    /// Records that the planned rows are computed, and registers the blocks that they filled.
    pub(crate) fn commit(&mut self, plan: &StepPlan) {
        let size = self.blocks.block_tokens();
        for part in &plan.parts {
            let sequence = &mut self.running[part.index];
            sequence.computed += part.rows;
            while (sequence.registered + 1) * size <= sequence.computed {
                let at = sequence.registered;
                let tokens = &sequence.tokens[at * size..(at + 1) * size];
                (sequence.entry, sequence.blocks[at]) =
                    self.blocks.register(sequence.entry, tokens, sequence.blocks[at]);
                sequence.registered += 1;
            }
        }
    }

    /// Lets a running sequence compute all its tokens anew, after another root of the prefix
    /// cache.
    pub(crate) fn restart(&mut self, index: usize, root: EntryId) {
        let sequence = &mut self.running[index];
        self.blocks.release(&mut sequence.blocks);
        sequence.root = root;
        sequence.reset();
    }

    /// Takes a running sequence out and frees its blocks.
    pub(crate) fn retire(&mut self, index: usize) -> Sequence {
        let mut sequence = self.running.remove(index);
        self.blocks.release(&mut sequence.blocks);
        sequence
    }

    /// Takes out every sequence whose reader is gone, wherever it is.
    pub(crate) fn cancelled(&mut self) -> Vec<Sequence> {
        let mut out = self.leave(|sequence| sequence.job.events.is_cancelled());
        for index in (0..self.running.len()).rev() {
            if self.running[index].job.events.is_cancelled() {
                out.push(self.retire(index));
            }
        }
        out
    }

    /// Takes waiting sequences out.
    fn leave(&mut self, which: impl Fn(&Sequence) -> bool) -> Vec<Sequence> {
        let mut out = Vec::new();
        let mut at = 0;
        while at < self.waiting.len() {
            if which(&self.waiting[at]) {
                out.extend(self.waiting.remove(at));
            } else {
                at += 1;
            }
        }
        out
    }
}
