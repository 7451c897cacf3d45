//! What keeps the scheduler whole: starting anew, giving up, and the check of all invariants.

use super::Scheduler;
use crate::blocks::{BlockManager, Integrity};
use crate::sequence::Sequence;

impl Scheduler {
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
        for sequence in &self.waiting {
            let runs = self.running.iter().any(|running| running.id == sequence.id);
            if runs || last.is_some_and(|last| last >= sequence.id) || !sequence.blocks.is_empty() {
                return Err(Integrity::Queue { sequence: sequence.id });
            }
            last = Some(sequence.id);
        }
        Ok(())
    }
}
