//! How far a quantized model is from what it was made from.

use scaffold_error::err;
use scaffold_model::Want;
use serde::Serialize;

use crate::error::Error;
use crate::logits::Reading;
use crate::model::Model;

/// Tokens that are read in one piece; longer texts are cut.
const PIECE: usize = 512;
/// Tokens that are computed at once: so many rows of logits are in memory.
const STEP: usize = 64;

/// How far the distributions of one model are from those of another, over the tokens of a text.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Divergence {
    /// Places at which both were asked for the next token.
    pub tokens: usize,
    /// Mean of the Kullback-Leibler divergence from the first model's distribution to the second's, in
    /// nats: 0 where both are the same.
    pub mean: f64,
    /// Its median.
    pub median: f64,
    /// What 99 % of the places stay below.
    pub p99: f64,
    /// Its largest value.
    pub max: f64,
    /// The share of places where both find the same token likeliest.
    pub same_top: f64,
    /// Perplexity of the text by the first model.
    pub perplexity: f64,
    /// And by the second.
    pub perplexity_of_other: f64,
}

/// Compares the distributions of two models over the tokens of a text, piece by piece of 512 tokens.
///
/// # Errors
/// The models have other vocabularies, the text has no two tokens, or a model cannot be loaded.
pub fn compare(one: &Model, other: &Model, ids: &[u32]) -> Result<Divergence, Error> {
    let (rows, others) = (one.spec().vocab, other.spec().vocab);
    if rows != others {
        return Err(err!(
            Usage,
            "{} has {rows} tokens and {} has {others}: only models of one vocabulary can be compared",
            one.name(),
            other.name()
        ));
    }
    if ids.len() < 2 {
        return Err(err!(Usage, "the text has {} tokens; two at least are needed", ids.len()));
    }
    let piece = PIECE.min(one.spec().context).min(other.spec().context).min(ids.len());
    let mut readings =
        [Reading::new(one, piece, STEP, STEP)?, Reading::new(other, piece, STEP, STEP)?];
    let mut places = Places::default();
    for ids in ids.chunks(piece) {
        for (index, tokens) in ids.chunks(STEP).enumerate() {
            let start = index * STEP;
            let [one, other] = &mut readings;
            let rows = one.step(tokens, start, Want::All)?;
            let others = other.step(tokens, start, Want::All)?;
            for (place, (row, other)) in rows.zip(others).enumerate() {
                // What comes after the last one is not known.
                if let Some(next) = ids.get(start + place + 1) {
                    places.add(row, other, *next as usize);
                }
            }
        }
    }
    Ok(places.summed())
}

/// What was found at each place.
#[derive(Default)]
struct Places {
    divergences: Vec<f64>,
    same: usize,
    logprobs: [f64; 2],
}

impl Places {
    fn add(&mut self, one: &[f32], other: &[f32], next: usize) {
        let (a, b) = (Distribution::of(one), Distribution::of(other));
        let sum: f64 = one
            .iter()
            .zip(other)
            .map(|(&x, &y)| {
                let (p, q) = (a.logprob(x), b.logprob(y));
                p.exp() * (p - q)
            })
            .sum();
        // Rounding may leave a little less than nothing.
        self.divergences.push(sum.max(0.0));
        self.same += usize::from(a.top == b.top);
        for (total, (distribution, row)) in self.logprobs.iter_mut().zip([(&a, one), (&b, other)]) {
            *total += row.get(next).map_or(0.0, |&x| distribution.logprob(x));
        }
    }

    fn summed(mut self) -> Divergence {
        let tokens = self.divergences.len();
        let count = tokens.max(1) as f64;
        let mean = self.divergences.iter().sum::<f64>() / count;
        self.divergences.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let place = (share * tokens as f64) as usize;
            self.divergences.get(place.min(tokens.saturating_sub(1))).copied().unwrap_or_default()
        };
        let [perplexity, perplexity_of_other] = self.logprobs.map(|sum| (-sum / count).exp());
        Divergence {
            tokens,
            mean,
            median: at(0.5),
            p99: at(0.99),
            max: at(1.0),
            same_top: self.same as f64 / count,
            perplexity,
            perplexity_of_other,
        }
    }
}

/// The softmax of a row of logits.
struct Distribution {
    /// The logarithm of the sum that logits are divided by.
    log_sum: f64,
    top: usize,
}

impl Distribution {
    fn of(row: &[f32]) -> Self {
        let (mut top, mut most) = (0, f32::NEG_INFINITY);
        for (index, &x) in row.iter().enumerate() {
            if x > most {
                (top, most) = (index, x);
            }
        }
        let sum: f64 = row.iter().map(|&x| f64::from(x - most).exp()).sum();
        Self { log_sum: f64::from(most) + sum.ln(), top }
    }

    fn logprob(&self, logit: f32) -> f64 {
        f64::from(logit) - self.log_sum
    }
}

#[cfg(test)]
mod tests {
    use scaffold_hub::LocalModel;
    use scaffold_testing::golden;

    use super::*;
    use crate::LoadOptions;
    use crate::config::Quantize;

    fn open(name: &str, quantize: Quantize) -> Model {
        let options = LoadOptions::new().quantize(quantize);
        Model::open(&LocalModel::on_disk(&golden::tiny(name).dir), &options).unwrap()
    }

    #[test]
    fn fewer_bits_are_further_away() {
        let ids: Vec<u32> = (0..200).map(|i| i * 37 % 500).collect();
        let whole = open("llama", Quantize::None);
        let of = |quantize| compare(&whole, &open("llama", quantize), &ids).unwrap();
        let same = of(Quantize::None);
        assert_eq!((same.tokens, same.mean, same.same_top), (199, 0.0, 1.0));
        assert_eq!(same.perplexity, same.perplexity_of_other);
        let (eight, four) = (of(Quantize::Q8_0), of(Quantize::Q4_0));
        assert!(0.0 < eight.mean && eight.mean < four.mean, "{eight:?} {four:?}");
        assert!(eight.median <= eight.p99 && eight.p99 <= eight.max, "{eight:?}");
    }

    #[test]
    fn what_cannot_be_compared_is_said() {
        let whole = open("llama", Quantize::None);
        let error = compare(&whole, &whole, &[1]).unwrap_err().to_string();
        assert!(error.contains("two at least"), "{error}");
    }
}
