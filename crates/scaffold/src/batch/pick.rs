//! Which texts are computed together: the rule by which calls share batches. Pure.
//!
//! A batch takes one text after the other from the call that has had the fewest tokens, in
//! proportion to its weight; calls of one owner share one weight. A call that comes later begins
//! where the others are. So a call with one text is in the next batch, whoever else has thousands,
//! and nobody waits for ever.

use std::sync::Arc;

use scaffold_engine::Priority;
use scaffold_model::Turn;

/// What a call counts for.
pub(super) fn weight(priority: Priority) -> u32 {
    match priority {
        Priority::Interactive => Turn::AWAITED,
        Priority::Batch => 1,
    }
}

/// Texts that wait to be computed.
#[derive(Debug, Default)]
pub(super) struct Pick {
    calls: Vec<Waiting>,
    /// Where the clock of the last call stood of which a text was taken.
    now: u64,
    tokens: usize,
}

#[derive(Debug)]
struct Waiting {
    call: u64,
    owner: Option<Arc<str>>,
    weight: u32,
    /// Places and tokens; taken from the end. Never empty.
    texts: Vec<(usize, usize)>,
    /// Tokens that it has had, by its weight.
    clock: u64,
}

impl Pick {
    /// Adds a call with texts of these places and so many tokens.
    ///
    /// Longer texts are taken first: the first batch is then the one that needs most memory, and the
    /// last ones, which decide when the work is done, are small.
    pub(super) fn add(
        &mut self,
        call: u64,
        owner: Option<Arc<str>>,
        weight: u32,
        texts: impl Iterator<Item = (usize, usize)>,
    ) {
        let mut texts: Vec<(usize, usize)> = texts.collect();
        // Texts of the same length stay in their order.
        texts.sort_by_key(|&(place, tokens)| (tokens, std::cmp::Reverse(place)));
        self.tokens += texts.iter().map(|(_, tokens)| tokens).sum::<usize>();
        if !texts.is_empty() {
            self.calls.push(Waiting { call, owner, weight, texts, clock: self.now });
        }
    }

    /// Forgets what is left of a call.
    pub(super) fn remove(&mut self, call: u64) {
        if let Some(place) = self.calls.iter().position(|waiting| waiting.call == call) {
            let gone = self.calls.remove(place);
            self.tokens -= gone.texts.iter().map(|(_, tokens)| tokens).sum::<usize>();
        }
    }

    /// Tokens that wait.
    pub(super) fn tokens(&self) -> usize {
        self.tokens
    }

    /// Texts that wait.
    pub(super) fn texts(&self) -> usize {
        self.calls.iter().map(|waiting| waiting.texts.len()).sum()
    }

    /// The texts of the next batch, each by its call and its place there, of at most `budget` tokens
    /// together; a text that has more makes a batch of its own. None where nothing waits.
    pub(super) fn batch(&mut self, budget: usize) -> Vec<(u64, usize)> {
        let (mut batch, mut left) = (Vec::new(), budget);
        while let Some(next) = self.next(if batch.is_empty() { usize::MAX } else { left }) {
            let of_owner = self.of_owner(next);
            let waiting = &mut self.calls[next];
            let Some((place, tokens)) = waiting.texts.pop() else {
                break;
            };
            batch.push((waiting.call, place));
            self.now = self.now.max(waiting.clock);
            // Finer than a token, so that weights count for short texts, too.
            let cost = (tokens as u64 * 64).saturating_mul(of_owner) / u64::from(waiting.weight);
            waiting.clock = waiting.clock.saturating_add(cost);
            if waiting.texts.is_empty() {
                self.calls.remove(next);
            }
            self.tokens -= tokens;
            left = left.saturating_sub(tokens);
        }
        batch
    }

    /// The call that has had least, of those whose next text has at most so many tokens.
    fn next(&self, room: usize) -> Option<usize> {
        let fits = |waiting: &Waiting| waiting.texts.last().is_some_and(|text| text.1 <= room);
        let calls = self.calls.iter().enumerate().filter(|(_, waiting)| fits(waiting));
        // Of equals the one that came first.
        calls.min_by_key(|(place, waiting)| (waiting.clock, *place)).map(|(place, _)| place)
    }

    /// Calls of the owner of this one.
    fn of_owner(&self, place: usize) -> u64 {
        match &self.calls[place].owner {
            None => 1,
            owner => self.calls.iter().filter(|waiting| waiting.owner == *owner).count() as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    /// All batches of some calls that are there from the beginning.
    fn all(calls: &[&[usize]], budget: usize) -> Vec<Vec<(u64, usize)>> {
        let mut pick = Pick::default();
        for (call, lengths) in calls.iter().enumerate() {
            pick.add(call as u64, None, 1, lengths.iter().copied().enumerate());
        }
        std::iter::from_fn(|| Some(pick.batch(budget)).filter(|batch| !batch.is_empty())).collect()
    }

    #[test]
    fn texts_of_similar_length_share_a_batch() {
        let places: Vec<Vec<usize>> = all(&[&[3, 9, 3, 4, 20]], 10)
            .into_iter()
            .map(|batch| batch.into_iter().map(|(_, place)| place).collect())
            .collect();
        assert_eq!(places, [vec![4], vec![1], vec![3, 0, 2]]);
        assert!(all(&[&[]], 10).is_empty());
    }

    #[test]
    fn one_text_is_in_the_next_batch_whoever_has_thousands() {
        let mut pick = Pick::default();
        pick.add(1, None, 4, std::iter::repeat_n(12, 10_000).enumerate());
        for _ in 0..50 {
            pick.batch(256);
        }
        pick.add(2, None, 4, [(0, 12)].into_iter());
        assert!(pick.batch(256).contains(&(2, 0)));
        // Also where it counts for less.
        pick.add(3, None, 1, [(0, 12)].into_iter());
        assert!(pick.batch(256).contains(&(3, 0)));
        pick.remove(1);
        assert_eq!((pick.tokens(), pick.texts(), pick.batch(256).len()), (0, 0, 0));
    }

    /// Tokens of each call in the first batches.
    fn shares(pick: &mut Pick, batches: usize) -> HashMap<u64, usize> {
        let mut had = HashMap::new();
        for _ in 0..batches {
            for (call, _) in pick.batch(256) {
                *had.entry(call).or_default() += 10;
            }
        }
        had
    }

    #[test]
    fn owners_share_and_weights_count() {
        let (ann, bob): (Arc<str>, Arc<str>) = ("ann".into(), "bob".into());
        let mut pick = Pick::default();
        for call in 0..3 {
            pick.add(call, Some(Arc::clone(&ann)), 4, std::iter::repeat_n(10, 1000).enumerate());
        }
        pick.add(3, Some(bob), 4, std::iter::repeat_n(10, 1000).enumerate());
        let had = shares(&mut pick, 48);
        let ann = had[&0] + had[&1] + had[&2];
        assert!(ann.abs_diff(had[&3]) <= 40, "{had:?}");
        let mut pick = Pick::default();
        pick.add(0, None, 4, std::iter::repeat_n(10, 1000).enumerate());
        pick.add(1, None, 1, std::iter::repeat_n(10, 1000).enumerate());
        let had = shares(&mut pick, 20);
        assert!(had[&0].abs_diff(4 * had[&1]) <= 50, "{had:?}");
    }

    proptest! {
        #[test]
        fn every_text_is_in_exactly_one_batch_within_the_budget(
            calls in prop::collection::vec(prop::collection::vec(1usize..40, 0..30), 0..6),
            budget in 1usize..64,
        ) {
            let calls: Vec<&[usize]> = calls.iter().map(Vec::as_slice).collect();
            let batches = all(&calls, budget);
            let mut seen: Vec<(u64, usize)> = batches.iter().flatten().copied().collect();
            seen.sort_unstable();
            let expected: Vec<(u64, usize)> = calls
                .iter()
                .enumerate()
                .flat_map(|(call, texts)| (0..texts.len()).map(move |place| (call as u64, place)))
                .collect();
            prop_assert_eq!(seen, expected);
            for batch in &batches {
                let tokens: usize =
                    batch.iter().map(|&(call, place)| calls[call as usize][place]).sum();
                prop_assert!(batch.len() == 1 || tokens <= budget);
            }
        }

        /// While two calls of equal weight both wait, neither is ahead by more than their longest
        /// texts, whenever the second came.
        #[test]
        fn calls_get_equal_shares_while_both_wait(
            first in prop::collection::vec(1usize..100, 60..120),
            second in prop::collection::vec(1usize..100, 60..120),
            before in 0usize..20,
        ) {
            let mut pick = Pick::default();
            pick.add(0, None, 4, first.iter().copied().enumerate());
            for _ in 0..before {
                pick.batch(256);
            }
            pick.add(1, None, 4, second.iter().copied().enumerate());
            let mut had = [0usize; 2];
            while pick.calls.len() == 2 {
                for (call, place) in pick.batch(256) {
                    had[call as usize] += [&first, &second][call as usize][place];
                }
                if pick.calls.len() == 2 {
                    // A text that does not fit waits for the next batch, and others do not.
                    prop_assert!(had[0].abs_diff(had[1]) <= 256 + 100, "{had:?}");
                }
            }
        }
    }
}
