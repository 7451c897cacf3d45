//! Log-probabilities of chosen tokens.

use super::weights::{Weights, each_from, kth_largest};

/// How probable the model found a token: natural logarithms of the model's own distribution, before
/// penalties, temperature and the rest of the sampler, over the tokens that the tokenizer knows.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenLogprob {
    /// The chosen token.
    pub id: u32,
    /// Its log-probability.
    pub logprob: f32,
    /// The most probable tokens at this position, best first, as many as were asked for.
    pub top: Vec<(u32, f32)>,
}

impl TokenLogprob {
    /// What it takes in memory.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.top)
    }
}

/// Log-probability of `id` and of the `top` best tokens of one row of logits, whose highest is
/// `highest`.
pub(crate) fn logprobs(
    logits: &[f32],
    highest: f32,
    id: u32,
    top: usize,
    weights: &mut Weights,
) -> TokenLogprob {
    weights.of(logits, highest, 1.0);
    let norm = f64::from(highest) + weights.total.ln();
    let log_prob = |logit: f32| (f64::from(logit) - norm) as f32;
    let mut best: Vec<(u32, f32)> = Vec::new();
    if top > 0 {
        each_from(logits, kth_largest(logits, top), |id, logit| {
            best.push((id, logit));
        });
        best.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        best.truncate(top);
    }
    let top = best.into_iter().map(|(id, logit)| (id, log_prob(logit))).collect();
    TokenLogprob { id, logprob: log_prob(logits[id as usize]), top }
}
