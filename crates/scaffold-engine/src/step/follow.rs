//! What follows from a chosen token: its text, the tokens that must come next, and the end.

use scaffold_error::Error;

use super::Core;
use super::look::speak_contained;
use crate::constraint::Progress;
use crate::contain::contained;
use crate::event::FinishReason;
use crate::health::panicked;
use crate::sample::Choice;

impl Core {
    /// Says the token that was chosen for a running sequence, and all that must follow it; returns why
    /// the answer ends with that, if it does.
    pub(super) fn say(
        &mut self,
        index: usize,
        choice: Choice,
    ) -> Result<Option<FinishReason>, Error> {
        let id = choice.id;
        let sequence = &mut self.scheduler.running[index];
        let reason = speak_contained(sequence, choice, &mut self.panics)?;
        let at_limit = matches!(reason, Some(FinishReason::Length | FinishReason::ContextFull));
        let room = sequence.job.ends.max_tokens.saturating_sub(sequence.tokens.len());
        match &mut sequence.job.guided {
            Some(guided) if reason.is_none() || at_limit => {
                let forced = guided.take(id, room)?;
                self.follow(index, &forced, reason)
            }
            _ => Ok(reason),
        }
    }

    /// Says the tokens that must come next.
    fn follow(
        &mut self,
        index: usize,
        forced: &[u32],
        mut reason: Option<FinishReason>,
    ) -> Result<Option<FinishReason>, Error> {
        for &id in forced {
            self.append(index, id);
            self.metrics.completion_tokens += 1;
            self.metrics.forced_tokens += 1;
            let sequence = &mut self.scheduler.running[index];
            sequence.job.sampler.count(id);
            let choice = Choice { id, logprob: None };
            reason = speak_contained(sequence, choice, &mut self.panics)?;
            if reason.is_some() {
                break;
            }
        }
        let sequence = &mut self.scheduler.running[index];
        sequence.forced = forced.len();
        let guided = sequence.job.guided.as_ref();
        let whole = guided.is_some_and(|guided| guided.progress() == Progress::Complete);
        match reason {
            Some(FinishReason::StopString { .. }) => Ok(reason),
            Some(_) if whole => Ok(Some(FinishReason::Complete)),
            None if whole => {
                // What was held back comes out now, and may complete a stop string after all.
                let output = &mut sequence.job.output;
                let hit = contained(|| output.finish()).unwrap_or_else(|detail| {
                    let error = panicked(&detail);
                    self.panics.push(detail);
                    Err(error)
                })?;
                let stop = |index| FinishReason::StopString { index };
                Ok(Some(hit.map_or(FinishReason::Complete, stop)))
            }
            reason => Ok(reason),
        }
    }
}
