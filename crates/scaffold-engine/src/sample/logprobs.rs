//! Log-probabilities of chosen tokens.

use super::warpers::Candidate;

/// How probable the model found a token: natural logarithms of the model's own distribution, before penalties,
/// temperature and the rest of the sampler, over the tokens that the tokenizer knows.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenLogprob {
    /// The chosen token.
    pub id: u32,
    /// Its log-probability.
    pub logprob: f32,
    /// The most probable tokens at this position, best first, as many as were asked for.
    pub top: Vec<(u32, f32)>,
}

/// Log-probability of `id` and of the `top` best tokens of one row of logits.
pub(crate) fn logprobs(
    logits: &[f32],
    id: u32,
    top: usize,
    scratch: &mut Vec<Candidate>,
) -> TokenLogprob {
    let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let total: f64 = logits.iter().map(|&x| f64::from(x - highest).exp()).sum();
    let norm = f64::from(highest) + total.ln();
    let log_prob = |logit: f32| (f64::from(logit) - norm) as f32;
    scratch.clear();
    let n = top.min(logits.len());
    if n > 0 {
        scratch.extend(logits.iter().enumerate().map(|(id, &logit)| Candidate {
            id: id as u32,
            logit,
        }));
        super::warpers::sort_best(scratch, n);
    }
    TokenLogprob {
        id,
        logprob: log_prob(logits[id as usize]),
        top: scratch
            .iter()
            .take(n)
            .map(|c| (c.id, log_prob(c.logit)))
            .collect(),
    }
}
