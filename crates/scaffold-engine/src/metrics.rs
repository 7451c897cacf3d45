//! What an engine has done until now, as plain values.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;

use crate::event::FinishReason;

/// What an engine has done since it was started, and what it is at.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Metrics {
    /// Requests that wait: not begun, put back for want of blocks, or paused.
    pub waiting: usize,
    /// Those of them that were begun before.
    #[serde(skip)]
    pub(crate) waiting_begun: usize,
    /// Sequences that are being computed.
    pub running: usize,
    /// Requests whose readers are far behind: they go on when those have read.
    pub paused: usize,
    /// Requests that were taken into the queue.
    pub submitted: u64,
    /// Requests that joined an equal one, and were not computed.
    pub joined: u64,
    /// Requests that were not taken, because too many waited.
    pub refused: u64,
    /// Requests that were not begun in time.
    pub expired: u64,
    /// Requests whose readers left.
    pub cancelled: u64,
    /// Requests that failed.
    pub failed: u64,
    /// Answers that came to an end of their own.
    pub stopped: u64,
    /// Answers that reached a limit of tokens.
    pub cut: u64,
    /// Tokens of prompts that were computed, those of answers that were computed anew among them.
    pub prompt_tokens: u64,
    /// Tokens of prompts that were found in the cache.
    pub cached_tokens: u64,
    /// New tokens.
    pub completion_tokens: u64,
    /// Those of them that constraints forced, without a choice of their own.
    pub forced_tokens: u64,
    /// Steps.
    pub steps: u64,
    /// How often a sequence was put back into the queue because others needed its blocks.
    pub put_back: u64,
    /// Blocks of the cache of keys and values.
    pub blocks: BlockMetrics,
    /// Seconds from submission until a request was begun.
    pub queue: Histogram,
    /// Seconds from submission until the first new token.
    pub first_token: Histogram,
    /// Seconds from one new token of an answer to the next.
    pub between_tokens: Histogram,
    /// Seconds that a step took.
    pub step: Histogram,
}

/// Blocks of the cache of keys and values, and how it is used again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BlockMetrics {
    /// In the pool.
    pub total: usize,
    /// Held by running sequences.
    pub held: usize,
    /// Held by nobody, with a content that can be used again.
    pub idle: usize,
    /// Tokens in a block.
    pub tokens: usize,
    /// Bytes of all of them.
    pub bytes: usize,
    /// Contents that were given up for new ones, the one first that nobody used for longest.
    pub given_up: u64,
}

/// How often a time was how long. Upper bounds in seconds are [`BOUNDS`](Self::BOUNDS).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Histogram {
    /// How many were above the bound before and not above each bound; the last are above all.
    pub counts: [u64; Histogram::BOUNDS.len() + 1],
    /// All together.
    pub count: u64,
    /// The sum of all, in seconds.
    pub sum: f64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: [0; Self::BOUNDS.len() + 1], count: 0, sum: 0.0 }
    }
}

impl Histogram {
    /// The upper bounds, in seconds.
    pub const BOUNDS: [f64; 18] = [
        0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0,
        30.0, 60.0, 300.0,
    ];

    /// Counts a time.
    pub fn add(&mut self, time: Duration) {
        let seconds = time.as_secs_f64();
        let at = Self::BOUNDS.partition_point(|&bound| bound < seconds);
        self.counts[at] += 1;
        self.count += 1;
        self.sum += seconds;
    }

    /// The mean in seconds; `None` where nothing was counted.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }

    /// The bound that a part of all times did not exceed, such as 0.99 for all but a hundredth;
    /// `None` where nothing was counted or a longer one has no bound.
    pub fn quantile(&self, part: f64) -> Option<f64> {
        let wanted = (part * self.count as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        let mut within = self.counts.iter().map(|count| {
            seen += count;
            seen >= wanted
        });
        Self::BOUNDS.get(within.position(|enough| enough)?).copied()
    }
}

impl Metrics {
    /// Counts an answer that has ended.
    pub(crate) fn finish(&mut self, reason: FinishReason) {
        match reason {
            FinishReason::Length | FinishReason::ContextFull => self.cut += 1,
            FinishReason::Cancelled => self.cancelled += 1,
            _ => self.stopped += 1,
        }
    }
}

/// Where the engine's thread puts its metrics for others to read.
#[derive(Debug, Default)]
pub(crate) struct Board(Mutex<Metrics>);

impl Board {
    fn lock(&self) -> MutexGuard<'_, Metrics> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn read(&self) -> Metrics {
        self.lock().clone()
    }

    /// Puts up what the engine knows; what was submitted, joined and refused is counted where it is.
    pub(crate) fn put(&self, metrics: &Metrics) {
        let mut board = self.lock();
        let counts = (board.submitted, board.joined, board.refused);
        board.clone_from(metrics);
        (board.submitted, board.joined, board.refused) = counts;
    }

    pub(crate) fn count_joined(&self) {
        self.lock().joined += 1;
    }

    pub(crate) fn count(&self, taken: bool) {
        let mut board = self.lock();
        *if taken { &mut board.submitted } else { &mut board.refused } += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_counted_by_their_bounds() {
        let mut histogram = Histogram::default();
        assert_eq!((histogram.mean(), histogram.quantile(0.5)), (None, None));
        for milliseconds in [1, 4, 4, 4, 250, 400_000] {
            histogram.add(Duration::from_millis(milliseconds));
        }
        assert_eq!((histogram.counts[0], histogram.counts[2], histogram.count), (1, 3, 6));
        assert_eq!(*histogram.counts.last().unwrap(), 1);
        assert_eq!(histogram.quantile(0.5), Some(0.005));
        assert_eq!(histogram.quantile(0.8), Some(0.5));
        assert_eq!(histogram.quantile(1.0), None);
        assert!(histogram.mean().unwrap() > 60.0);
    }
}
