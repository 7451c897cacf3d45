//! From logits to scores and tokens, and from tokens to text.

use std::time::Duration;

use scaffold_error::Error;

use crate::contain::contained;
use crate::event::FinishReason;
use crate::guided::Guided;
use crate::health::panicked;
use crate::sample::{Choice, Place, Sampler, TokenLogprob};
use crate::schedule::{Scheduler, StepPlan};
use crate::sequence::Sequence;

/// What a step has found for a running sequence.
pub(super) struct Outcome {
    pub(super) index: usize,
    /// The scores of the next tokens of its prompt.
    pub(super) scores: Vec<TokenLogprob>,
    /// Its next token, or why it can have none; `None` where it has none yet.
    pub(super) choice: Option<Result<Choice, Error>>,
}

/// Looks at the logits: scores tokens of prompts, and chooses the next token of every sequence that
/// is at its end.
pub(super) fn look<'l>(
    mut rows: impl Iterator<Item = &'l [f32]>,
    scheduler: &mut Scheduler,
    plan: &StepPlan,
    sampler: &mut Sampler,
    outcomes: &mut Vec<Outcome>,
) {
    outcomes.clear();
    for part in plan.parts.iter().filter(|part| part.logits() > 0) {
        let sequence = &mut scheduler.running[part.index];
        let rows = rows.by_ref().take(part.logits());
        let (scores, last) = if part.scored {
            match scores(rows, sequence, sampler) {
                Ok(found) => found,
                Err(error) => {
                    let choice = Some(Err(error));
                    outcomes.push(Outcome { index: part.index, scores: Vec::new(), choice });
                    continue;
                }
            }
        } else {
            (Vec::new(), rows.last())
        };
        let place = Place {
            tokens: &sequence.tokens,
            prompt_tokens: sequence.prompt_tokens,
            eos: &sequence.job.ends.eos,
            ends: &sequence.job.ends.ids,
            allowed: None,
        };
        let guided = sequence.job.guided.as_ref();
        let choice = last.filter(|_| part.last).map(|row| {
            let allowed = guided.map(Guided::allowed).transpose()?;
            sampler.sample(row, &mut sequence.job.sampler, &Place { allowed, ..place })
        });
        outcomes.push(Outcome { index: part.index, scores, choice });
    }
}

/// The scores of the tokens that come after these rows, as far as they belong to the prompt, and
/// the last row.
fn scores<'l>(
    rows: impl Iterator<Item = &'l [f32]>,
    sequence: &Sequence,
    sampler: &mut Sampler,
) -> Result<(Vec<TokenLogprob>, Option<&'l [f32]>), Error> {
    let top = sequence.job.scoring.map_or(0, |scoring| scoring.top);
    let (mut scores, mut last) = (Vec::new(), None);
    for (row, position) in rows.zip(sequence.computed + 1..) {
        if position < sequence.prompt_tokens {
            scores.push(sampler.score(row, sequence.tokens[position], top, position)?);
        }
        last = Some(row);
    }
    Ok((scores, last))
}

/// As [`speak`]; a decoder that panics is an error of its own sequence, whose output is thrown away
/// with it.
pub(super) fn speak_contained(
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
