//! Which rows are computed in the next step.
//!
//! Sequences are served in the order of their arrival. A step has a budget of rows: first one row
//! for every sequence that is writing its answer, then chunks of prompts, then new requests while
//! there is room for them. When a sequence needs a block and none is free, the *youngest* running
//! sequence is put back to the head of the queue: its blocks are freed (and stay in the prefix
//! cache while nobody else needs them), its tokens are kept and computed again later. The oldest
//! sequence never gives way, and the pool holds at least one full context, so every sequence is
//! served in the end.
//!
//! The scheduler is pure: no clock, no channel, no tensor.

use std::collections::VecDeque;

use crate::blocks::{BlockManager, EntryId, Integrity};
use crate::sequence::Sequence;

/// The rows of one sequence in a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    /// Index into [`Scheduler::running`].
    pub(crate) index: usize,
    /// Rows from the first position that is not computed yet.
    pub(crate) rows: usize,
    /// Whether these rows reach the end of the sequence, so that its next token can be chosen.
    pub(crate) last: bool,
}

/// The rows of one step, in the order in which the model sees them.
#[derive(Debug, Default)]
pub(crate) struct StepPlan {
    pub(crate) parts: Vec<Part>,
    /// Sequences that were put back while planning.
    put_back: usize,
}

impl StepPlan {
    pub(crate) fn rows(&self) -> usize {
        self.parts.iter().map(|part| part.rows).sum()
    }
}

/// All sequences and the blocks they share.
#[derive(Debug)]
pub(crate) struct Scheduler {
    pub(crate) blocks: BlockManager,
    /// Oldest first. All of them are younger than the running ones.
    pub(crate) waiting: VecDeque<Sequence>,
    /// Oldest first.
    pub(crate) running: Vec<Sequence>,
    max_sequences: usize,
    step_tokens: usize,
}

impl Scheduler {
    pub(crate) fn new(blocks: BlockManager, max_sequences: usize, step_tokens: usize) -> Self {
        Self { blocks, waiting: VecDeque::new(), running: Vec::new(), max_sequences, step_tokens }
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.running.is_empty()
    }

    /// Fills `plan` with the next step. It is empty only when there is nothing to do.
    pub(crate) fn plan(&mut self, plan: &mut StepPlan) {
        plan.parts.clear();
        plan.put_back = 0;
        let mut budget = self.step_tokens;
        // Answers first (one pending row), then prompts, each from the oldest to the youngest.
        for answering in [true, false] {
            let mut index = 0;
            while index < self.running.len() {
                if (self.running[index].pending() == 1) == answering {
                    budget = self.plan_running(index, budget, plan);
                }
                index += 1;
            }
        }
        // Whoever was put back in this step would only take the blocks away again.
        if plan.put_back == 0 {
            self.admit(budget, plan);
        }
        plan.parts.sort_unstable_by_key(|part| part.index);
    }

    /// Plans rows of a running sequence and returns the budget that is left.
    fn plan_running(&mut self, index: usize, budget: usize, plan: &mut StepPlan) -> usize {
        let sequence = &self.running[index];
        let rows = sequence.pending().min(budget);
        if rows == 0 {
            return budget;
        }
        let before = plan.rows();
        let rows = self.reserve(index, rows, plan);
        // Younger sequences that were put back may have had rows in this step.
        let budget = budget + before - plan.rows();
        if rows == 0 {
            return budget;
        }
        let last = rows == self.running[index].pending();
        plan.parts.push(Part { index, rows, last });
        budget - rows
    }

    /// Sees to it that the sequence has blocks for its next `rows` rows. Younger sequences give
    /// way; a sequence that is itself the youngest makes do with fewer rows, or is put back.
    /// Returns the rows that it has blocks for.
    fn reserve(&mut self, index: usize, rows: usize, plan: &mut StepPlan) -> usize {
        loop {
            let sequence = &self.running[index];
            let needed = self
                .blocks
                .blocks_for(sequence.computed + rows)
                .saturating_sub(sequence.blocks.len());
            if needed <= self.blocks.available() {
                self.extend(index, needed);
                return rows;
            }
            let youngest = self.running.len() - 1;
            if youngest > index {
                self.put_back(plan);
                continue;
            }
            let held = sequence.blocks.len() + self.blocks.available();
            let possible =
                (held * self.blocks.block_tokens()).saturating_sub(sequence.computed).min(rows);
            if possible == 0 {
                self.put_back(plan);
                return 0;
            }
            let needed = self
                .blocks
                .blocks_for(sequence.computed + possible)
                .saturating_sub(sequence.blocks.len());
            self.extend(index, needed);
            return possible;
        }
    }

    fn extend(&mut self, index: usize, blocks: usize) {
        for _ in 0..blocks {
            if let Some(block) = self.blocks.allocate() {
                self.running[index].blocks.push(block);
            }
        }
    }

    /// Puts the youngest running sequence back to the head of the queue, and takes its rows out of
    /// the plan.
    fn put_back(&mut self, plan: &mut StepPlan) {
        let Some(mut sequence) = self.running.pop() else {
            return;
        };
        plan.parts.retain(|part| part.index < self.running.len());
        self.blocks.release(&mut sequence.blocks);
        sequence.reset();
        sequence.job.clock.preemptions += 1;
        plan.put_back += 1;
        self.waiting.push_front(sequence);
    }

    /// Lets waiting sequences start while there are rows, places and blocks for all their tokens.
    fn admit(&mut self, mut budget: usize, plan: &mut StepPlan) {
        while budget > 0 && self.running.len() < self.max_sequences {
            let Some(sequence) = self.waiting.front() else {
                return;
            };
            // At least one token is computed: its row gives the logits.
            let reusable = &sequence.tokens[..sequence.tokens.len() - 1];
            let prefix = self.blocks.find_prefix(sequence.root, reusable);
            let new_blocks = self.blocks.blocks_for(sequence.tokens.len()) - prefix.blocks.len();
            if new_blocks + self.blocks.idle_among(&prefix.blocks) > self.blocks.available() {
                return;
            }
            let Some(mut sequence) = self.waiting.pop_front() else {
                return;
            };
            self.blocks.adopt(&prefix);
            sequence.registered = prefix.blocks.len();
            sequence.computed = prefix.blocks.len() * self.blocks.block_tokens();
            sequence.entry = prefix.entry;
            sequence.blocks = prefix.blocks;
            self.running.push(sequence);
            budget = self.plan_running(self.running.len() - 1, budget, plan);
        }
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

    /// Lets every running sequence compute all its tokens anew, and forgets every block that could
    /// have been used again.
    pub(crate) fn start_anew(&mut self) {
        for sequence in &mut self.running {
            self.blocks.release(&mut sequence.blocks);
            sequence.reset();
        }
        self.blocks = BlockManager::new(self.blocks.total(), self.blocks.block_tokens());
    }

    /// Forgets all blocks, whose content and owners are not known any more, and takes out the
    /// sequences that were at work; all of them where none was, so that something is gone in any
    /// case.
    pub(crate) fn abandon(&mut self) -> Vec<Sequence> {
        let mut out: Vec<Sequence> = self.running.drain(..).collect();
        if out.is_empty() {
            out.extend(self.waiting.drain(..));
        }
        for sequence in &mut self.waiting {
            sequence.blocks.clear();
            sequence.reset();
        }
        self.blocks = BlockManager::new(self.blocks.total(), self.blocks.block_tokens());
        out
    }

    /// Takes a running sequence out and frees its blocks.
    pub(crate) fn retire(&mut self, index: usize) -> Sequence {
        let mut sequence = self.running.remove(index);
        self.blocks.release(&mut sequence.blocks);
        sequence
    }

    /// Removes every sequence whose reader is gone, wherever it is.
    pub(crate) fn drop_cancelled(&mut self) {
        self.waiting.retain(|sequence| !sequence.job.events.is_cancelled());
        for index in (0..self.running.len()).rev() {
            if self.running[index].job.events.is_cancelled() {
                self.retire(index);
            }
        }
    }

    /// Checks every invariant of blocks and queues, between steps.
    pub(crate) fn check_integrity(&self) -> Result<(), Integrity> {
        self.blocks.check_integrity(self.running.iter().map(|s| s.blocks.as_slice()))?;
        for sequence in &self.running {
            let (id, computed, blocks) = (sequence.id, sequence.computed, sequence.blocks.len());
            if self.blocks.blocks_for(computed) != blocks || computed > sequence.tokens.len() {
                return Err(Integrity::Table { sequence: id, computed, blocks });
            }
        }
        let mut last = None;
        for (at, sequence) in self.running.iter().chain(&self.waiting).enumerate() {
            let waits = at >= self.running.len();
            if last.is_some_and(|last| last >= sequence.id)
                || (waits && !sequence.blocks.is_empty())
            {
                return Err(Integrity::Queue { sequence: sequence.id });
            }
            last = Some(sequence.id);
        }
        Ok(())
    }
}
