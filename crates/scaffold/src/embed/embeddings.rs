//! Embeddings of some texts, and rankings.

use serde::Serialize;

use super::input::Input;
use super::similarity::Similarity;

/// The embeddings of some texts, in the order of the texts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Embeddings {
    values: Vec<f32>,
    width: usize,
    /// Tokens that were computed, with prompts and special tokens.
    pub tokens: usize,
    /// The texts of which something was cut off.
    pub cut: Vec<Cut>,
}

/// A text of which something was cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Its place among the texts, from 0.
    pub index: usize,
    /// Tokens that it has.
    pub tokens: usize,
    /// Tokens that were computed.
    pub kept: usize,
}

/// A text's place in a ranking.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Ranked {
    /// Its place among the texts that were given, from 0.
    pub index: usize,
    /// Its score; larger is better.
    pub score: f32,
}

/// The `most` best (all, if `None`), best first; equals stay in their order.
pub(crate) fn ranked(scores: impl Iterator<Item = f32>, most: Option<usize>) -> Vec<Ranked> {
    let mut ranked: Vec<Ranked> =
        scores.enumerate().map(|(index, score)| Ranked { index, score }).collect();
    ranked.sort_by(|a, b| b.score.total_cmp(&a.score));
    ranked.truncate(most.unwrap_or(usize::MAX));
    ranked
}

impl Embeddings {
    pub(crate) fn new(values: Vec<f32>, width: usize, tokens: usize, cut: Vec<Cut>) -> Self {
        Self { values, width, tokens, cut }
    }

    /// All numbers, `[texts, width]`, to be kept.
    pub fn into_values(self) -> Vec<f32> {
        self.values
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.values.len().checked_div(self.width).unwrap_or(0)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Numbers in each.
    pub fn dimensions(&self) -> usize {
        self.width
    }

    /// One after the other.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.values.chunks_exact(self.width.max(1))
    }

    /// All numbers, `[texts, width]`.
    pub fn as_slice(&self) -> &[f32] {
        &self.values
    }

    /// How alike each text is to each, `[texts][texts]`.
    pub fn similarities(&self, similarity: Similarity) -> Vec<Vec<f32>> {
        self.iter().map(|a| self.iter().map(|b| similarity.of(a, b)).collect()).collect()
    }
}

pub(crate) fn cuts(inputs: &[Input]) -> Vec<Cut> {
    let cut = inputs.iter().enumerate().filter(|(_, input)| input.is_cut());
    cut.map(|(index, input)| Cut { index, tokens: input.whole, kept: input.ids.len() }).collect()
}
