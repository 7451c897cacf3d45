//! The choice of experts.

use super::RouteRule;

/// Which rows go to which expert, expert by expert.
#[derive(Debug, Default)]
pub struct Routing {
    /// Expert `e` takes the entries `starts[e] .. starts[e + 1]`.
    starts: Vec<usize>,
    /// The row of each entry, ascending within an expert.
    rows: Vec<u32>,
    /// Its weight.
    weights: Vec<f32>,
    /// The choices row by row, as (expert, weight).
    chosen: Vec<(u32, f32)>,
    /// One row's probabilities.
    probabilities: Vec<f32>,
}

/// Below every probability.
const CHOSEN: f32 = -1.0;

impl Routing {
    /// Room for `rows` rows.
    pub fn new(rule: &RouteRule, rows: usize) -> Self {
        let entries = rows * rule.top_k;
        Self {
            starts: Vec::with_capacity(rule.experts + 1),
            rows: Vec::with_capacity(entries),
            weights: Vec::with_capacity(entries),
            chosen: Vec::with_capacity(entries),
            probabilities: Vec::with_capacity(rule.experts),
        }
    }

    /// The rows and weights of one expert.
    pub fn of(&self, expert: usize) -> (&[u32], &[f32]) {
        let range = self.starts[expert]..self.starts[expert + 1];
        (&self.rows[range.clone()], &self.weights[range])
    }

    /// Chooses each row's experts by its scores `[rows, experts]`: the largest after a softmax over
    /// all, of equal ones the first.
    pub fn choose(&mut self, scores: &[f32], rows: usize, rule: &RouteRule) {
        self.chosen.clear();
        for row in scores.chunks_exact(rule.experts).take(rows) {
            self.choose_row(row, rule);
        }
        self.sort_by_expert(rule);
    }

    fn choose_row(&mut self, scores: &[f32], rule: &RouteRule) {
        let max = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let p = &mut self.probabilities;
        p.clear();
        p.extend(scores.iter().map(|s| (s - max).exp()));
        let total: f32 = p.iter().sum();
        let first = self.chosen.len();
        for _ in 0..rule.top_k {
            // Not a number is larger than nothing, but no expert may be chosen twice.
            let mut best = p.iter().position(|value| *value != CHOSEN).unwrap_or(0);
            for (e, value) in p.iter().enumerate() {
                if *value > p[best] {
                    best = e;
                }
            }
            self.chosen.push((best as u32, p[best] / total));
            p[best] = CHOSEN;
        }
        if rule.normalise {
            let chosen = &mut self.chosen[first..];
            let sum: f32 = chosen.iter().map(|(_, weight)| weight).sum();
            for (_, weight) in chosen {
                *weight /= sum;
            }
        }
    }

    /// A counting sort, stable in the rows.
    fn sort_by_expert(&mut self, rule: &RouteRule) {
        self.starts.clear();
        self.starts.resize(rule.experts + 1, 0);
        for (expert, _) in &self.chosen {
            self.starts[*expert as usize + 1] += 1;
        }
        for e in 0..rule.experts {
            self.starts[e + 1] += self.starts[e];
        }
        self.rows.clear();
        self.rows.resize(self.chosen.len(), 0);
        self.weights.clear();
        self.weights.resize(self.chosen.len(), 0.0);
        for (i, (expert, weight)) in self.chosen.iter().enumerate() {
            let at = &mut self.starts[*expert as usize];
            self.rows[*at] = (i / rule.top_k) as u32;
            self.weights[*at] = *weight;
            *at += 1;
        }
        // Each start has moved to its end, which is the next one's start.
        self.starts.rotate_right(1);
        self.starts[0] = 0;
    }
}

#[cfg(test)]
mod tests;
