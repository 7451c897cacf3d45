//! Requests that wait until another has read the prompt that they begin with: what is being
//! computed is not computed twice.

use super::Scheduler;
use super::rank::class;
use crate::sequence::{Behind, Sequence};

impl Scheduler {
    /// Behind whom a sequence has to wait, for which `found` blocks of its prompt were found: a
    /// running one that is computing blocks after those.
    ///
    /// It costs no time. Both would share the rows of a step, and the other is no less important.
    pub(super) fn reads_for(&self, sequence: &Sequence, found: usize) -> Option<Behind> {
        let size = self.blocks.block_tokens();
        let wanted = sequence.reusable();
        let behind = |other: &Sequence| {
            let is_reading = other.root == sequence.root && !other.is_answering();
            if !is_reading || class(other) > class(sequence) || other.registered < found {
                return None;
            }
            let equal = other.tokens.iter().zip(wanted).take_while(|(a, b)| a == b).count();
            let blocks = equal / size;
            (blocks > other.registered).then_some(Behind { id: other.id, blocks })
        };
        self.running.iter().filter_map(behind).max_by_key(|behind| behind.blocks)
    }

    /// Lets those go on who waited for what is read by now, or is read by nobody any more.
    pub(super) fn release_readers(&mut self) {
        for sequence in &mut self.waiting {
            let Some(behind) = sequence.behind else {
                continue;
            };
            let reads = self.running.iter().any(|other| {
                let is_it = other.id == behind.id && other.root == sequence.root;
                is_it && other.registered < behind.blocks && !other.is_answering()
            });
            if !reads {
                sequence.behind = None;
            }
        }
    }
}
