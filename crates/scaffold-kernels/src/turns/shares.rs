//! The rule by which turns go round: who has had the least time goes next. No clock is looked at
//! here: times are told.
//!
//! Each contender has a clock of its own, which runs while it computes, slower the more weight it
//! has. Whoever comes back from doing nothing has its clock put forward to where the others are, so
//! that nobody saves time up; who was only away for a moment has lost nothing.

/// Nanoseconds that a turn lasts at least, if as much is to be done, so that turns do not change too
/// often.
pub(super) const SLICE: u64 = 1_000_000;

/// What contenders have had.
#[derive(Debug, Default)]
pub(super) struct Shares {
    /// By number; the places of those that have left are used again.
    contenders: Vec<Option<Clock>>,
    /// Where the clock of the last one stood that got a turn.
    now: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Clock {
    /// Nanoseconds of weight 1.
    at: u64,
    /// Turns that it has or waits for.
    open: usize,
}

impl Shares {
    /// A new contender's number.
    pub(super) fn join(&mut self) -> usize {
        let clock = Some(Clock { at: self.now, open: 0 });
        if let Some(free) = self.contenders.iter().position(Option::is_none) {
            self.contenders[free] = clock;
            return free;
        }
        self.contenders.push(clock);
        self.contenders.len() - 1
    }

    /// A contender is there no more.
    pub(super) fn leave(&mut self, contender: usize) {
        if let Some(place) = self.contenders.get_mut(contender) {
            *place = None;
        }
    }

    /// A contender wants a turn. What others have computed until now was charged before.
    pub(super) fn want(&mut self, contender: usize) {
        let open = self.contenders.iter().flatten().filter(|clock| clock.open > 0);
        if let Some(least) = open.map(|clock| clock.at).min() {
            self.now = self.now.max(least);
        }
        let now = self.now;
        if let Some(clock) = self.clock(contender) {
            if clock.open == 0 {
                clock.at = clock.at.max(now);
            }
            clock.open += 1;
        }
    }

    /// A contender gets one of the turns that it wants.
    pub(super) fn begin(&mut self, contender: usize) {
        self.now = self.now.max(self.at(contender));
    }

    /// A contender has computed for so many nanoseconds.
    pub(super) fn charge(&mut self, contender: usize, nanoseconds: u64, weight: u32) {
        if let Some(clock) = self.clock(contender) {
            clock.at = clock.at.saturating_add(nanoseconds / u64::from(weight.max(1)));
        }
    }

    /// A turn is over, or is not wanted any more.
    pub(super) fn end(&mut self, contender: usize) {
        if let Some(clock) = self.clock(contender) {
            clock.open = clock.open.saturating_sub(1);
        }
    }

    /// Which of those that wait, first come first, goes next: its place among them.
    pub(super) fn next(&self, waiting: impl Iterator<Item = usize>) -> Option<usize> {
        let clocks = waiting.map(|contender| self.at(contender)).enumerate();
        clocks.min_by_key(|&(place, at)| (at, place)).map(|(place, _)| place)
    }

    /// For how many nanoseconds from now a contender may go on while `other` waits: until it has had
    /// as much.
    pub(super) fn ahead(&self, contender: usize, other: usize, weight: u32) -> u64 {
        let behind = self.at(other).saturating_sub(self.at(contender));
        behind.saturating_mul(u64::from(weight.max(1)))
    }

    fn at(&self, contender: usize) -> u64 {
        self.contenders.get(contender).copied().flatten().map_or(0, |clock| clock.at)
    }

    fn clock(&mut self, contender: usize) -> Option<&mut Clock> {
        self.contenders.get_mut(contender)?.as_mut()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// One that computes a piece of `piece` nanoseconds at a time, pauses for `pause` after each,
    /// and begins at `from`.
    #[derive(Clone, Copy, Debug)]
    struct Player {
        piece: u64,
        pause: u64,
        from: u64,
        weight: u32,
    }

    /// What each has had from the time on when all were there, and the longest wait of each, in
    /// nanoseconds.
    fn play(players: &[Player], until: u64) -> (Vec<u64>, Vec<u64>) {
        let mut shares = Shares::default();
        let numbers: Vec<usize> = players.iter().map(|_| shares.join()).collect();
        let mut ready: Vec<u64> = players.iter().map(|player| player.from).collect();
        let all = ready.iter().copied().max().unwrap_or(0);
        let (mut had, mut waits) = (vec![0; players.len()], vec![0; players.len()]);
        let mut waiting: Vec<(u64, usize)> = Vec::new();
        let come = |ready: &[u64], waiting: &mut Vec<(u64, usize)>, shares: &mut Shares, time| {
            let waits = |p: usize| waiting.iter().any(|&(_, other)| other == p);
            let mut coming: Vec<usize> =
                (0..ready.len()).filter(|&p| ready[p] <= time && !waits(p)).collect();
            coming.sort_by_key(|&p| ready[p]);
            for p in coming {
                shares.want(numbers[p]);
                waiting.push((ready[p], p));
            }
        };
        let mut time = 0;
        while time < until {
            come(&ready, &mut waiting, &mut shares, time);
            let Some(next) = shares.next(waiting.iter().map(|&(_, p)| numbers[p])) else {
                time = ready.iter().copied().min().unwrap();
                continue;
            };
            let (since, p) = waiting.remove(next);
            waits[p] = waits[p].max(time - since);
            shares.begin(numbers[p]);
            let (begun, mut settled) = (time, time);
            // Pieces, until somebody else is to go on.
            loop {
                time += players[p].piece;
                ready[p] = u64::MAX;
                if players.iter().enumerate().any(|(other, _)| ready[other] <= time) {
                    shares.charge(numbers[p], time - settled, players[p].weight);
                    settled = time;
                }
                come(&ready, &mut waiting, &mut shares, time);
                let first = waiting.iter().map(|&(_, other)| numbers[other]);
                let best = shares.next(first).map(|place| numbers[waiting[place].1]);
                let goes_on = best.is_none_or(|other| {
                    let ahead = shares.ahead(numbers[p], other, players[p].weight);
                    time < (begun + SLICE).max(settled + ahead)
                });
                if players[p].pause > 0 || !goes_on || time >= until {
                    break;
                }
            }
            shares.charge(numbers[p], time - settled, players[p].weight);
            shares.end(numbers[p]);
            if begun >= all {
                had[p] += time - begun;
            }
            ready[p] = time + players[p].pause;
        }
        (had, waits)
    }

    fn players() -> impl Strategy<Value = Vec<Player>> {
        let piece = 10_000u64..30_000_000;
        prop_oneof![Just(0u64), Just(1_000_000_000)].prop_flat_map(move |latest| {
            let player = (piece.clone(), 0..=latest).prop_map(|(piece, from)| Player {
                piece,
                pause: 0,
                from,
                weight: 1,
            });
            prop::collection::vec(player, 2..5)
        })
    }

    proptest! {
        /// Those who always want a turn are no further from an equal share than the longest piece and
        /// a slice; where they came at different times, once for the beginning and once for the end.
        #[test]
        fn equals_get_equal_shares(players in players()) {
            let (had, waits) = play(&players, 4_000_000_000);
            let longest = players.iter().map(|player| player.piece).max().unwrap() + SLICE;
            let share = had.iter().sum::<u64>() / had.len() as u64;
            let together = players.iter().all(|player| player.from == 0);
            let most = if together { longest } else { 2 * longest };
            let within = |&had: &u64| had.abs_diff(share) <= most;
            prop_assert!(had.iter().all(within), "{had:?} {players:?}");
            // Nobody waits for longer than all others take, twice over for who has larger pieces
            // than they.
            let bound = 2 * players.len() as u64 * longest;
            prop_assert!(waits.iter().all(|&wait| wait <= bound), "{waits:?} {players:?}");
        }

        #[test]
        fn weight_counts(piece in 10_000u64..5_000_000, weight in 2u32..6) {
            let player = |weight| Player { piece, pause: 0, from: 0, weight };
            let (had, _) = play(&[player(weight), player(1)], 4_000_000_000);
            let share = had[0] as f64 / had[1] as f64;
            prop_assert!((share / f64::from(weight) - 1.0).abs() < 0.1, "{had:?}");
        }

        /// Who was away has saved up nothing, and who has been there owes nothing.
        #[test]
        fn an_idle_past_is_no_credit(piece in 10_000u64..10_000_000, from in 0u64..3_000_000_000) {
            let players = [
                Player { piece, pause: 0, from: 0, weight: 1 },
                Player { piece, pause: 0, from, weight: 1 },
            ];
            let (had, waits) = play(&players, 4_000_000_000);
            prop_assert!(had[0].abs_diff(had[1]) <= 3 * (piece + SLICE), "{had:?}");
            prop_assert!(waits.iter().all(|&wait| wait <= 2 * (piece + SLICE)), "{waits:?}");
        }

        /// One that pauses after each piece, as an engine does between steps, waits for a piece of
        /// another at most, and a slice, each time.
        #[test]
        fn short_pieces_with_pauses_wait_for_a_piece_at_most(
            piece in 100_000u64..5_000_000,
            pause in 100_000u64..5_000_000,
            other in 10_000u64..30_000_000,
        ) {
            let players = [
                Player { piece, pause, from: 0, weight: 1 },
                Player { piece: other, pause: 0, from: 0, weight: 1 },
            ];
            let (_, waits) = play(&players, 2_000_000_000);
            prop_assert!(waits[0] <= other + piece.max(SLICE) + SLICE, "{waits:?} {players:?}");
        }
    }

    #[test]
    fn of_equals_who_came_first_goes_first() {
        let mut shares = Shares::default();
        let (a, b) = (shares.join(), shares.join());
        shares.want(b);
        shares.want(a);
        assert_eq!(shares.next([b, a].into_iter()), Some(0));
        assert_eq!(shares.next(std::iter::empty()), None);
        shares.leave(b);
        assert_eq!(shares.join(), b);
    }
}
