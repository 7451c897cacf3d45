//! How many rows of prompts a step may have beside answers that people read.
//!
//! A step with only the next tokens of running answers takes a certain time; each row of a prompt
//! beside them makes it longer. Both are measured as steps go by, and the rows are limited so that
//! a step takes no longer than so much more. The limit changes when an answer comes, never what it
//! is. No clock is looked at here: times are told.

/// How much of a measurement counts for the estimate.
const WEIGHT: f64 = 0.25;
/// Steps with prompts after which one without is computed, to measure it anew.
const STALE: u32 = 64;
/// Rows to begin with, until it is known what one takes.
const FIRST: usize = 32;
/// Rows that prompts always get: with fewer, weights are read for next to nothing.
const LEAST: usize = 8;

/// What is known of the times of steps.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pace {
    /// How much longer a step may take for prompts, as a part of one without.
    slowdown: f64,
    /// Seconds of a step with answers alone.
    alone: Option<f64>,
    /// Answers in it.
    answers: usize,
    /// Seconds that a row of a prompt adds.
    row: Option<f64>,
    /// Steps with prompts since the last one without.
    since: u32,
}

impl Pace {
    pub(crate) fn new(slowdown: f32) -> Self {
        let slowdown = f64::from(slowdown.max(0.0));
        Self { slowdown, alone: None, answers: 0, row: None, since: 0 }
    }

    /// Rows of prompts beside `answers` answers; 0 where a step without them is to be measured.
    pub(crate) fn rows(&self, answers: usize) -> usize {
        if self.slowdown.is_infinite() || answers == 0 {
            return usize::MAX;
        }
        let changed = answers > 2 * self.answers || 2 * answers < self.answers;
        let Some(alone) = self.alone.filter(|_| !changed && self.since < STALE) else {
            return 0;
        };
        let rows = self.row.map_or(FIRST, |row| (self.slowdown * alone / row) as usize);
        rows.max(LEAST)
    }

    /// Learns what a step took that had so many answers, and so many rows of prompts.
    pub(crate) fn learn(&mut self, answers: usize, prompt_rows: usize, seconds: f64) {
        match (answers, prompt_rows) {
            (0, _) => {}
            (_, 0) => {
                let known = self.alone.filter(|_| self.answers == answers);
                self.alone = Some(mix(known, seconds));
                (self.answers, self.since) = (answers, 0);
            }
            (_, rows) => {
                if let Some(alone) = self.alone {
                    // A step that was faster than expected has cost something all the same.
                    let added = (seconds - alone).max(alone * 0.01);
                    self.row = Some(mix(self.row, added / rows as f64));
                }
                self.since += 1;
            }
        }
    }
}

fn mix(known: Option<f64>, seen: f64) -> f64 {
    known.map_or(seen, |known| known + WEIGHT * (seen - known))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn without_answers_or_without_a_limit_prompts_have_all_rows() {
        assert_eq!(Pace::new(1.0).rows(0), usize::MAX);
        assert_eq!(Pace::new(f32::INFINITY).rows(3), usize::MAX);
    }

    #[test]
    fn a_step_without_prompts_is_measured_first_and_again_in_time() {
        let mut pace = Pace::new(1.0);
        assert_eq!(pace.rows(3), 0);
        pace.learn(3, 0, 0.01);
        assert_eq!(pace.rows(3), FIRST);
        // Seven answers are another matter than three.
        assert_eq!((pace.rows(7), pace.rows(1)), (0, 0));
        for _ in 0..STALE {
            assert!(pace.rows(3) > 0);
            pace.learn(3, 32, 0.02);
        }
        assert_eq!(pace.rows(3), 0);
    }

    proptest! {
        /// With a machine whose steps take a fixed time and some for each row, steps come to take
        /// as much longer as they may.
        #[test]
        fn steps_become_as_long_as_they_may(
            alone in 0.001f64..0.5,
            row in 0.00001f64..0.01,
            slowdown in 0.2f32..4.0,
        ) {
            let mut pace = Pace::new(slowdown);
            pace.learn(4, 0, alone);
            for _ in 0..40 {
                let rows = pace.rows(4);
                pace.learn(4, rows, alone + row * rows as f64);
            }
            let added = row * pace.rows(4) as f64;
            let allowed = f64::from(slowdown) * alone;
            prop_assert!(added <= allowed.max(row * LEAST as f64) * 1.01);
            prop_assert!(added + row >= allowed * 0.99);
        }
    }
}
