//! From a row of logits to a token.
//!
//! The chain is that of `transformers`' `generate`: processors (always), then, when sampling,
//! temperature and warpers, then a draw with the [counter-based generator](rng). Greedy decoding
//! takes the highest processed logit.

mod allow;
pub(crate) mod check;
mod logprobs;
pub mod parameter;
mod processors;
pub mod rng;
pub(crate) mod sampling;
mod warpers;
mod weights;

use scaffold_error::{Error, err};

use crate::constraint::Allowed;
pub use logprobs::TokenLogprob;
pub use parameter::Parameter;
use processors::{History, TokenCounts};
pub use sampling::Sampling;
use warpers::Draw;
use weights::Weights;

/// A chosen token.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// The token.
    pub id: u32,
    /// Its log-probabilities, where the request asked for them.
    pub logprob: Option<TokenLogprob>,
}

/// What the sampler keeps for one sequence.
#[derive(Debug)]
pub(crate) struct SequenceSampler {
    pub(crate) params: Sampling,
    pub(crate) seed: u64,
    /// `Some(n)`: report log-probabilities of the chosen token and of the best `n`.
    pub(crate) logprobs: Option<usize>,
    counts: TokenCounts,
}

impl SequenceSampler {
    pub(crate) fn new(
        params: Sampling,
        seed: u64,
        logprobs: Option<usize>,
        prompt: &[u32],
    ) -> Self {
        let counts = if processors::counts_needed(&params) {
            TokenCounts::of_prompt(prompt)
        } else {
            TokenCounts::default()
        };
        Self { params, seed, logprobs, counts }
    }

    /// Counts a token that came.
    pub(crate) fn count(&mut self, id: u32) {
        if processors::counts_needed(&self.params) {
            self.counts.push(id);
        }
    }
}

/// Where the sequence stands, for the sampler.
pub(crate) struct Place<'a> {
    pub(crate) tokens: &'a [u32],
    pub(crate) prompt_tokens: usize,
    pub(crate) eos: &'a [u32],
    pub(crate) ends: &'a [u32],
    /// What may come next, where not everything may.
    pub(crate) allowed: Option<&'a Allowed>,
}

/// The sampler's buffers, used for one row after another.
#[derive(Debug, Default)]
pub(crate) struct Sampler {
    row: Vec<f32>,
    draw: Draw,
    weights: Weights,
}

impl Sampler {
    /// Chooses the token that follows `place.tokens`. `logits` has one value per token that may be
    /// chosen.
    pub(crate) fn sample(
        &mut self,
        logits: &[f32],
        sequence: &mut SequenceSampler,
        place: &Place<'_>,
    ) -> Result<Choice, Error> {
        let position = place.tokens.len();
        let highest = weights::highest(logits).ok_or_else(|| not_a_number(position))?;
        let id = self.choose(logits, highest, sequence, place);
        let id = id.ok_or_else(|| nothing_left(position, place.allowed.is_some()))?;
        sequence.count(id);
        let logprob = sequence
            .logprobs
            .map(|top| logprobs::logprobs(logits, highest, id, top, &mut self.weights));
        Ok(Choice { id, logprob })
    }

    /// How likely `id` is, the token at `position`.
    pub(crate) fn score(
        &mut self,
        logits: &[f32],
        id: u32,
        top: usize,
        position: usize,
    ) -> Result<TokenLogprob, Error> {
        let highest = weights::highest(logits).ok_or_else(|| not_a_number(position))?;
        Ok(logprobs::logprobs(logits, highest, id, top, &mut self.weights))
    }

    fn choose(
        &mut self,
        logits: &[f32],
        highest: f32,
        sequence: &SequenceSampler,
        place: &Place<'_>,
    ) -> Option<u32> {
        let params = &sequence.params;
        let history = History {
            tokens: place.tokens,
            prompt_tokens: place.prompt_tokens,
            ends: place.ends,
            eos: place.eos,
            counts: &sequence.counts,
        };
        let changed = place.allowed.is_some() || processors::any_active(params, &history);
        let (row, highest) = if changed {
            self.row.clear();
            self.row.extend_from_slice(logits);
            processors::process(&mut self.row, params, &history);
            if let Some(allowed) = place.allowed {
                allow::allow(&mut self.row, allowed, place.ends);
            }
            (self.row.as_slice(), weights::highest(&self.row)?)
        } else {
            (logits, highest)
        };
        if highest == f32::NEG_INFINITY {
            return None;
        }
        if params.is_greedy() {
            return weights::find(row, highest);
        }
        self.draw.warp(row, highest, params);
        self.draw.draw(rng::uniform(sequence.seed, params.sequence, place.tokens.len() as u64))
    }
}

/// The model computed a value that is not a number, or plus infinity.
fn not_a_number(position: usize) -> Error {
    err!(
        Damaged,
        "the model's output for the token at position {position} is not a number: values beyond the range of f32, its \
         weights or this build's arithmetic are broken; check the model files (their hashes are verified when they are \
         downloaded)"
    )
}

/// Bans, penalties, biases and the constraint leave no token.
fn nothing_left(position: usize, constrained: bool) -> Error {
    let constraint = if constrained { "the constraint of the answer, " } else { "" };
    err!(
        Usage,
        "no token is left to choose at position {position}: {constraint}logit_bias, bad_words, suppress_tokens, \
         begin_suppress_tokens, min_new_tokens, min_length and no_repeat_ngram_size together ban all of them; relax one"
    )
}

#[cfg(test)]
mod tests;
