//! Logits warpers: which tokens stay in the draw. Order and meaning follow `transformers`:
//! temperature, top-k, top-p, min-p, typical-p; each works on what the one before it left.

use std::cmp::Ordering;

use super::sampling::Sampling;
use super::weights::{Weights, each_from, kth_largest, weight_of};

/// A token that is still in the draw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) id: u32,
    /// Divided by the temperature, and relative to the highest: never above 0.
    pub(crate) logit: f32,
}

impl Candidate {
    fn weight(self) -> f64 {
        f64::from(weight_of(self.logit))
    }
}

/// Best first; equal logits by id, so that the order is total and the draw reproducible.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that sorting asks for")]
fn by_rank(a: &Candidate, b: &Candidate) -> Ordering {
    b.logit.total_cmp(&a.logit).then(a.id.cmp(&b.id))
}

/// The buffers of a draw, and what is in it.
#[derive(Debug, Default)]
pub(crate) struct Draw {
    pub(crate) candidates: Vec<Candidate>,
    weights: Weights,
    /// Nothing was taken out: the weights of the whole row count.
    all: bool,
}

impl Draw {
    /// Puts the tokens of a row into the draw that survive every warper. `highest` is the row's
    /// highest logit.
    pub(crate) fn warp(&mut self, logits: &[f32], highest: f32, p: &Sampling) {
        let temperature = p.temperature;
        let relative = |logit: f32| (logit - highest) / temperature;
        let candidates = &mut self.candidates;
        let mut collect = |floor: f32| {
            candidates.clear();
            each_from(logits, floor, |id, logit| {
                candidates.push(Candidate { id, logit: relative(logit) });
            });
            candidates.iter().map(|c| c.weight()).sum::<f64>()
        };
        self.all = false;
        if p.top_k > 0 {
            let total = collect(kth_largest(logits, p.top_k));
            top_p(candidates, p.top_p, total);
        } else if p.top_p < 1.0 {
            self.weights.of(logits, highest, temperature);
            let total = self.weights.total;
            // Few tokens usually hold the mass: look at the best ones first.
            let depths = [4.0, 12.0, f32::INFINITY];
            // A hair more than needed, since the two sums are rounded differently.
            let enough = |mass: f64| mass >= f64::from(p.top_p) * total * 1.000_01;
            let _ = depths.into_iter().find(|depth| enough(collect(highest - depth * temperature)));
            top_p(candidates, p.top_p, total);
        } else if p.min_p > 0.0 {
            // A hair below the exact floor, which `min_p` then finds.
            collect(highest + temperature * (p.min_p.ln() - 1e-3));
        } else if p.typical_p < 1.0 {
            collect(f32::NEG_INFINITY);
        } else {
            self.weights.of(logits, highest, temperature);
            self.all = true;
            return;
        }
        if p.min_p > 0.0 {
            min_p(candidates, p.min_p);
        }
        if p.typical_p < 1.0 {
            typical_p(candidates, p.typical_p);
        }
    }

    /// The token at which the running mass passes `u` (in [0, 1)) of the whole.
    pub(crate) fn draw(&self, u: f64) -> Option<u32> {
        if self.all {
            return self.weights.draw(u);
        }
        let total: f64 = self.candidates.iter().map(|c| c.weight()).sum();
        let mut left = u * total;
        for candidate in &self.candidates {
            left -= candidate.weight();
            if left < 0.0 {
                return Some(candidate.id);
            }
        }
        // Rounding can leave a hair's breadth after the last one.
        self.candidates.iter().rev().find(|c| c.weight() > 0.0).map(|c| c.id)
    }

    /// Whether a token is in the draw.
    #[cfg(test)]
    pub(crate) fn has(&self, id: u32) -> bool {
        self.all || self.candidates.iter().any(|candidate| candidate.id == id)
    }
}

/// Keeps the most probable tokens until the mass before the next one reaches `p` of `total`; always
/// the first.
fn top_p(candidates: &mut Vec<Candidate>, p: f32, total: f64) {
    if p >= 1.0 {
        return;
    }
    candidates.sort_unstable_by(by_rank);
    let wanted = f64::from(p) * total;
    let mut mass = 0.0;
    let kept = candidates.iter().take_while(|candidate| {
        let before = mass;
        mass += candidate.weight();
        before < wanted
    });
    let kept = kept.count().max(1);
    candidates.truncate(kept);
}

/// Keeps tokens that are at least `p` times as probable as the most probable one.
fn min_p(candidates: &mut Vec<Candidate>, p: f32) {
    // The weight of the highest logit is 1, and no warper takes that token out before.
    candidates.retain(|c| c.logit == 0.0 || c.weight() >= f64::from(p));
}

/// Locally typical sampling (Meister et al., 2022): nearest to the expected information content
/// first.
fn typical_p(candidates: &mut Vec<Candidate>, mass: f32) {
    let total: f64 = candidates.iter().map(|c| c.weight()).sum();
    let log_total = total.ln();
    let log_prob = |c: &Candidate| f64::from(c.logit) - log_total;
    let entropy: f64 = candidates.iter().map(|c| -log_prob(c) * c.weight() / total).sum();
    let distance = |c: &Candidate| (-log_prob(c) - entropy).abs();
    candidates.sort_unstable_by(|a, b| distance(a).total_cmp(&distance(b)).then(by_rank(a, b)));
    let mut sum = 0.0;
    let last = candidates.iter().position(|c| {
        sum += c.weight() / total;
        sum >= f64::from(mass)
    });
    if let Some(last) = last {
        let limit = distance(&candidates[last]);
        let kept = candidates.iter().take_while(|c| distance(c) <= limit).count();
        candidates.truncate(kept);
    }
}
