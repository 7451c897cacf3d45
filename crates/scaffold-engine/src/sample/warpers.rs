//! Logits warpers: which tokens stay in the draw. Order and meaning follow `transformers`: temperature (applied by
//! the caller), top-k, top-p, min-p, typical-p; each works on what the one before it left.

use std::cmp::Ordering;

use super::params::Sampling;

/// A token that is still in the draw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) id: u32,
    pub(crate) logit: f32,
}

/// Best first; equal logits by id, so that the order is total and the draw reproducible.
#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that sorting asks for"
)]
fn by_rank(a: &Candidate, b: &Candidate) -> Ordering {
    b.logit.total_cmp(&a.logit).then(a.id.cmp(&b.id))
}

/// Fills `candidates` with the tokens of `logits` that survive every warper.
///
/// `logits` are already divided by the temperature. The order of the result is a function of the logits alone.
pub(crate) fn warp(logits: &[f32], p: &Sampling, candidates: &mut Vec<Candidate>) {
    let floor = if p.top_k > 0 {
        kth_largest(logits, p.top_k)
    } else {
        f32::NEG_INFINITY
    };
    collect_from(logits, floor, candidates);
    if p.top_p < 1.0 {
        top_p(candidates, p.top_p);
    }
    if p.min_p > 0.0 {
        min_p(candidates, p.min_p);
    }
    if p.typical_p < 1.0 {
        typical_p(candidates, p.typical_p);
    }
}

/// Every token that is not banned and whose logit is at least `floor`.
fn collect_from(logits: &[f32], floor: f32, candidates: &mut Vec<Candidate>) {
    candidates.clear();
    for (id, &logit) in logits.iter().enumerate() {
        if logit >= floor && logit > f32::NEG_INFINITY {
            candidates.push(Candidate {
                id: id as u32,
                logit,
            });
        }
    }
}

/// The k-th largest value of `logits`; minus infinity when there are fewer.
fn kth_largest(logits: &[f32], k: usize) -> f32 {
    /// Values that are compared against the current floor at once: the compiler keeps them in wide registers.
    const CHUNK: usize = 32;
    if k >= logits.len() {
        return f32::NEG_INFINITY;
    }
    // The k largest so far, unsorted, halved by selection whenever the buffer is full.
    let mut best: Vec<f32> = Vec::with_capacity(2 * k + CHUNK);
    let mut floor = f32::NEG_INFINITY;
    for chunk in logits.chunks(CHUNK) {
        let highest = chunk.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        if highest <= floor {
            continue;
        }
        best.extend(chunk.iter().copied().filter(|&x| x > floor));
        if best.len() >= 2 * k {
            best.select_nth_unstable_by(k - 1, |a, b| b.total_cmp(a));
            best.truncate(k);
            floor = best[k - 1];
        }
    }
    if best.len() < k {
        return f32::NEG_INFINITY;
    }
    *best.select_nth_unstable_by(k - 1, |a, b| b.total_cmp(a)).1
}

/// Sorts the best `n` candidates to the front.
pub(crate) fn sort_best(candidates: &mut [Candidate], n: usize) {
    if n < candidates.len() {
        candidates.select_nth_unstable_by(n - 1, by_rank);
        candidates[..n].sort_unstable_by(by_rank);
    } else {
        candidates.sort_unstable_by(by_rank);
    }
}

fn highest(candidates: &[Candidate]) -> f32 {
    candidates
        .iter()
        .map(|c| c.logit)
        .fold(f32::NEG_INFINITY, f32::max)
}

/// Unnormalized probability relative to the highest logit.
pub(crate) fn weight(logit: f32, highest: f32) -> f64 {
    f64::from(logit - highest).exp()
}

/// Keeps the most probable tokens until the mass before the next one reaches `p`; always the first.
fn top_p(candidates: &mut Vec<Candidate>, p: f32) {
    let top = highest(candidates);
    let total: f64 = candidates.iter().map(|c| weight(c.logit, top)).sum();
    let wanted = f64::from(p) * total;
    // Few tokens usually hold the mass: sort 64, and more only when they do not reach it.
    let mut n = 64;
    loop {
        let sorted = n.min(candidates.len());
        if sorted == 0 {
            return;
        }
        sort_best(candidates, sorted);
        let mut mass = 0.0;
        for at in 0..sorted {
            if at > 0 && mass >= wanted {
                candidates.truncate(at);
                return;
            }
            mass += weight(candidates[at].logit, top);
        }
        if sorted == candidates.len() {
            return;
        }
        n *= 8;
    }
}

fn min_p(candidates: &mut Vec<Candidate>, p: f32) {
    let top = highest(candidates);
    let floor = f64::from(p);
    candidates.retain(|c| c.logit == top || weight(c.logit, top) >= floor);
}

/// Locally typical sampling (Meister et al., 2022): nearest to the expected information content first.
fn typical_p(candidates: &mut Vec<Candidate>, mass: f32) {
    let top = highest(candidates);
    let total: f64 = candidates.iter().map(|c| weight(c.logit, top)).sum();
    let log_total = total.ln();
    let log_prob = |c: &Candidate| f64::from(c.logit - top) - log_total;
    let entropy: f64 = candidates
        .iter()
        .map(|c| -log_prob(c) * log_prob(c).exp())
        .sum();
    let distance = |c: &Candidate| (-log_prob(c) - entropy).abs();
    candidates.sort_unstable_by(|a, b| distance(a).total_cmp(&distance(b)).then(by_rank(a, b)));
    let mut sum = 0.0;
    let last = candidates.iter().position(|c| {
        sum += log_prob(c).exp();
        sum >= f64::from(mass)
    });
    if let Some(last) = last {
        let limit = distance(&candidates[last]);
        let kept = candidates
            .iter()
            .take_while(|c| distance(c) <= limit)
            .count();
        candidates.truncate(kept);
    }
}

/// The candidate at which the running mass passes `u` (in [0, 1)) of the whole.
pub(crate) fn draw(candidates: &[Candidate], u: f64) -> Option<u32> {
    let top = highest(candidates);
    let total: f64 = candidates.iter().map(|c| weight(c.logit, top)).sum();
    let mut left = u * total;
    for candidate in candidates {
        left -= weight(candidate.logit, top);
        if left < 0.0 {
            return Some(candidate.id);
        }
    }
    // Rounding can leave a hair's breadth after the last one.
    candidates
        .iter()
        .rev()
        .find(|c| weight(c.logit, top) > 0.0)
        .map(|c| c.id)
}
