//! Where a step's time goes, stage by stage.

use std::ops::{Add, AddAssign, Mul};
use std::time::{Duration, Instant};

/// What a computation has to do at least.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effort {
    /// Multiply-adds of 8-bit integers.
    pub int8: u64,
    /// Multiply-adds of `f32`.
    pub fma: u64,
    /// Bytes of weights or of cached keys and values that it reads.
    pub bytes: u64,
}

impl Add for Effort {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            int8: self.int8 + other.int8,
            fma: self.fma + other.fma,
            bytes: self.bytes + other.bytes,
        }
    }
}

impl AddAssign for Effort {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Mul<u64> for Effort {
    type Output = Self;

    fn mul(self, times: u64) -> Self {
        Self { int8: self.int8 * times, fma: self.fma * times, bytes: self.bytes * times }
    }
}

impl std::iter::Sum for Effort {
    fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
        items.fold(Self::default(), Add::add)
    }
}

/// A part of a step, in the order in which a step comes to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Rows of the embedding.
    Embed,
    /// All norms on the residual stream.
    Norm,
    /// Inputs of matrices made ready: quantized, where the weights are.
    Quantize,
    /// The matrix of queries, keys and values.
    Qkv,
    /// Queries, keys and values taken apart, their norms and their rotation.
    Rope,
    /// Keys and values put into the cache.
    Cache,
    /// Attention over the cache.
    Attention,
    /// The matrix after the attention.
    AttentionOut,
    /// Sums with the residual stream.
    Residual,
    /// The choice of experts with its matrix, and their rows gathered and summed.
    Route,
    /// The first matrix of the feed-forward part, with the gate.
    FeedForwardUp,
    /// Its activation.
    Activation,
    /// Its second matrix.
    FeedForwardDown,
    /// The matrix that makes logits.
    Head,
    /// The choice of the next token; measured by who chooses.
    Sampling,
    /// Everything between the others: tables of angles, lists of rows.
    Rest,
}

impl Stage {
    /// All stages.
    pub const ALL: [Self; 16] = [
        Self::Embed,
        Self::Norm,
        Self::Quantize,
        Self::Qkv,
        Self::Rope,
        Self::Cache,
        Self::Attention,
        Self::AttentionOut,
        Self::Residual,
        Self::Route,
        Self::FeedForwardUp,
        Self::Activation,
        Self::FeedForwardDown,
        Self::Head,
        Self::Sampling,
        Self::Rest,
    ];

    /// A name for tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Embed => "embedding",
            Self::Norm => "norms",
            Self::Quantize => "quantize inputs",
            Self::Qkv => "matmul qkv",
            Self::Rope => "split and rope",
            Self::Cache => "write kv",
            Self::Attention => "attention",
            Self::AttentionOut => "matmul attention out",
            Self::Residual => "residual",
            Self::Route => "routing",
            Self::FeedForwardUp => "matmul ffn up",
            Self::Activation => "activation",
            Self::FeedForwardDown => "matmul ffn down",
            Self::Head => "matmul head",
            Self::Sampling => "sampling",
            Self::Rest => "rest",
        }
    }
}

/// What a stage took in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StageTotal {
    /// Time.
    pub time: Duration,
    /// What was done in it.
    pub effort: Effort,
}

/// Adds up the time of each stage, over as many steps as it is given to
/// ([`Session::forward_profiled`](crate::Session::forward_profiled)). One clock: the time between
/// two marks belongs to the stage that the second one names, so that the stages' sum is the whole
/// time.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The last mark.
    last: Instant,
    /// The stage that it named.
    stage: Stage,
    totals: [StageTotal; Stage::ALL.len()],
}

impl Profile {
    /// Starts the clock.
    pub fn start() -> Self {
        Self { last: Instant::now(), stage: Stage::Rest, totals: Default::default() }
    }

    /// The time since the last mark belongs to `stage`.
    pub fn mark(&mut self, stage: Stage) {
        self.mark_effort(stage, Effort::default);
    }

    /// It belongs to the stage of the last mark.
    pub(crate) fn mark_again(&mut self) {
        self.mark(self.stage);
    }

    /// It belongs to `stage`, with what was done in it.
    pub(crate) fn mark_effort(&mut self, stage: Stage, effort: impl FnOnce() -> Effort) {
        let now = Instant::now();
        let total = &mut self.totals[stage as usize];
        total.time += now - self.last;
        total.effort += effort();
        self.stage = stage;
        // Working out the effort is nobody's time.
        self.last = Instant::now();
    }

    /// Each stage with what it took.
    pub fn stages(&self) -> impl Iterator<Item = (Stage, StageTotal)> + '_ {
        Stage::ALL.into_iter().zip(self.totals)
    }

    /// The time of all stages.
    pub fn time(&self) -> Duration {
        self.totals.iter().map(|total| total.time).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_has_its_place() {
        for (index, stage) in Stage::ALL.into_iter().enumerate() {
            assert_eq!(stage as usize, index);
        }
    }

    #[test]
    fn time_belongs_to_the_stage_that_ends_it() {
        let mut profile = Profile::start();
        std::thread::sleep(Duration::from_millis(2));
        profile.mark(Stage::Head);
        profile.mark_again();
        let (_, head) = profile.stages().find(|(s, _)| *s == Stage::Head).unwrap();
        assert!(head.time >= Duration::from_millis(2) && head.time == profile.time());
    }
}
