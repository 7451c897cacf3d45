//! Who makes room for a model that is to be loaded. Pure: no clock, no lock, no model.

/// What holds memory, or will.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Holder {
    pub(super) id: u64,
    /// Bytes that are counted for it.
    pub(super) bytes: usize,
    /// When it was last used, on any clock.
    pub(super) last_used: u64,
    pub(super) state: Holds,
}

/// Whether it could go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    /// Nobody uses it.
    Idle,
    /// Somebody uses it, or it is being loaded: it may be idle later.
    Busy,
    /// It stays, be it used or not.
    Pinned,
    /// It is going already.
    Leaving,
}

/// What there is beside the holders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Room {
    /// Bytes that nobody holds; `None` where there is no limit.
    pub(super) bytes: Option<usize>,
    /// Models that there may be at once, these included; `None` where there is no limit.
    pub(super) models: Option<usize>,
}

/// What is to be done for a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Decision<E> {
    /// There is room for so many bytes of it.
    Load(usize),
    /// These go first, in this order.
    Evict(Vec<u64>),
    /// What is going already makes room enough.
    Leaving,
    /// Room for so many bytes comes when these are idle, the one that was used least lately first.
    Busy(Vec<u64>, usize),
    /// There is never room, or only without these that are pinned.
    Never(E, Vec<u64>),
}

/// Decides. `need` says how many bytes the model takes where it may take so many at most (`None`:
/// any), or why those are too few.
pub(super) fn decide<E>(
    holders: &[Holder],
    room: Room,
    need: impl Fn(Option<usize>) -> Result<usize, E>,
) -> Decision<E> {
    let mut holders = holders.to_vec();
    holders.sort_by_key(|holder| (holder.last_used, holder.id));
    let of = |state: Holds| holders.iter().filter(move |holder| holder.state == state);
    let bytes = |state| of(state).fold(0usize, |sum, holder| sum.saturating_add(holder.bytes));
    let more = |limit: Option<usize>, bytes: usize| limit.map(|limit| limit.saturating_add(bytes));
    // How it is with so many models fewer, and so many bytes more.
    let fits = |needed: usize, gone: usize, freed: usize| {
        let places = room.models.is_none_or(|most| holders.len() - gone < most);
        places && more(room.bytes, freed).is_none_or(|limit| needed <= limit)
    };
    // Those of a state that have to go besides, the one first that was used least lately.
    let first = |state: Holds, needed: usize, mut gone: usize, mut freed: usize| {
        let goes = of(state).take_while(|holder| {
            let goes = !fits(needed, gone, freed);
            (gone, freed) = (gone + 1, freed.saturating_add(holder.bytes));
            goes
        });
        goes.map(|holder| holder.id).collect::<Vec<_>>()
    };
    let leaving = (of(Holds::Leaving).count(), bytes(Holds::Leaving));
    let idle = (leaving.0 + of(Holds::Idle).count(), leaving.1.saturating_add(bytes(Holds::Idle)));
    let later = more(room.bytes, idle.1.saturating_add(bytes(Holds::Busy)));

    let Ok(needed) = need(more(room.bytes, idle.1)) else {
        return match need(later) {
            Ok(needed) => Decision::Busy(first(Holds::Busy, needed, idle.0, idle.1), needed),
            Err(why) => {
                let pinned = need(more(later, bytes(Holds::Pinned))).is_ok();
                let pinned = of(Holds::Pinned).filter(|_| pinned);
                Decision::Never(why, pinned.map(|holder| holder.id).collect())
            }
        };
    };
    if fits(needed, 0, 0) {
        Decision::Load(needed)
    } else if fits(needed, leaving.0, leaving.1) {
        Decision::Leaving
    } else if fits(needed, idle.0, idle.1) {
        Decision::Evict(first(Holds::Idle, needed, leaving.0, leaving.1))
    } else {
        // Memory would do: there are too many models.
        Decision::Busy(first(Holds::Busy, needed, idle.0, idle.1), needed)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn holder(id: u64, bytes: usize, last_used: u64, state: Holds) -> Holder {
        Holder { id, bytes, last_used, state }
    }

    /// A model of a fixed size.
    fn exactly(bytes: usize) -> impl Fn(Option<usize>) -> Result<usize, &'static str> {
        move |limit| match limit {
            Some(limit) if limit < bytes => Err("too large"),
            _ => Ok(bytes),
        }
    }

    fn bytes(bytes: usize) -> Room {
        Room { bytes: Some(bytes), models: None }
    }

    #[test]
    fn the_one_that_nobody_used_for_longest_goes_first() {
        let idle = |id, used| holder(id, 10, used, Holds::Idle);
        let holders = [idle(1, 7), idle(2, 3), idle(3, 5)];
        assert_eq!(decide(&holders, bytes(5), exactly(5)), Decision::Load(5));
        assert_eq!(decide(&holders, bytes(5), exactly(15)), Decision::Evict(vec![2]));
        assert_eq!(decide(&holders, bytes(5), exactly(16)), Decision::Evict(vec![2, 3]));
        assert_eq!(decide(&holders, bytes(5), exactly(36)), Decision::Never("too large", vec![]));
    }

    #[test]
    fn what_is_used_is_waited_for_and_what_is_pinned_is_not() {
        let holders = [holder(1, 10, 0, Holds::Busy), holder(2, 10, 0, Holds::Pinned)];
        assert_eq!(decide(&holders, bytes(0), exactly(10)), Decision::Busy(vec![1], 10));
        assert_eq!(decide(&holders, bytes(0), exactly(11)), Decision::Never("too large", vec![2]));
    }

    #[test]
    fn what_is_going_already_is_room() {
        let holders = [holder(1, 10, 0, Holds::Leaving), holder(2, 10, 0, Holds::Idle)];
        assert_eq!(decide(&holders, bytes(0), exactly(10)), Decision::Leaving);
        assert_eq!(decide(&holders, bytes(0), exactly(11)), Decision::Evict(vec![2]));
    }

    #[test]
    fn too_many_models_make_room_too() {
        let room = Room { bytes: None, models: Some(2) };
        let one = [holder(1, 10, 0, Holds::Idle)];
        assert_eq!(decide(&one, room, exactly(10)), Decision::Load(10));
        let two = [one[0], holder(2, 10, 1, Holds::Idle)];
        assert_eq!(decide(&two, room, exactly(10)), Decision::Evict(vec![1]));
        let busy = two.map(|holder| Holder { state: Holds::Busy, ..holder });
        assert_eq!(decide(&busy, room, exactly(10)), Decision::Busy(vec![1], 10));
    }

    #[test]
    fn a_model_that_can_be_smaller_takes_what_can_be_had_without_waiting() {
        let elastic = |limit: Option<usize>| match limit.unwrap_or(usize::MAX).min(100) {
            bytes if bytes < 20 => Err("too large"),
            bytes => Ok(bytes),
        };
        let holders = [holder(1, 30, 0, Holds::Idle), holder(2, 50, 0, Holds::Busy)];
        assert_eq!(decide(&holders, bytes(20), elastic), Decision::Evict(vec![1]));
        assert_eq!(decide(&holders[1..], bytes(20), elastic), Decision::Load(20));
        assert_eq!(decide(&holders[1..], bytes(19), elastic), Decision::Busy(vec![2], 69));
    }

    fn any_holders() -> impl Strategy<Value = Vec<Holder>> {
        let states = prop::sample::select(vec![
            Holds::Idle,
            Holds::Idle,
            Holds::Busy,
            Holds::Pinned,
            Holds::Leaving,
        ]);
        vec((0..50usize, 0..9u64, states), 0..8).prop_map(|all| {
            let numbered = all.into_iter().enumerate();
            let of = |(id, (bytes, used, state)): (usize, _)| holder(id as u64, bytes, used, state);
            numbered.map(of).collect()
        })
    }

    proptest! {
        /// Nobody goes who is used or pinned, none before one that nobody used for longer, and none
        /// that need not; what is loaded then never exceeds a limit.
        #[test]
        fn room_is_made_by_as_few_as_need_be(
            holders in any_holders(),
            free in 0..60usize,
            models in prop::option::of(1..9usize),
            needed in 0..120usize,
        ) {
            let find = |id: u64| holders[id as usize];
            let sum = |ids: &[u64]| ids.iter().map(|&id| find(id).bytes).sum::<usize>();
            let leaving: Vec<u64> = holders.iter().filter(|h| h.state == Holds::Leaving).map(|h| h.id).collect();
            let room = Room { bytes: Some(free), models };
            let fits = |gone: &[u64]| {
                needed <= free + sum(gone) && models.is_none_or(|most| holders.len() - gone.len() < most)
            };
            match decide(&holders, room, exactly(needed)) {
                Decision::Load(bytes) => {
                    prop_assert_eq!(bytes, needed);
                    prop_assert!(fits(&[]));
                }
                Decision::Leaving => prop_assert!(!fits(&[]) && fits(&leaving)),
                Decision::Evict(ids) => {
                    prop_assert!(!ids.is_empty());
                    prop_assert!(ids.iter().all(|&id| find(id).state == Holds::Idle));
                    let last = ids.iter().map(|&id| find(id).last_used).max().unwrap();
                    let stays = |h: &&Holder| h.state == Holds::Idle && !ids.contains(&h.id);
                    prop_assert!(holders.iter().filter(stays).all(|h| h.last_used >= last));
                    let all = [&leaving[..], &ids[..]].concat();
                    prop_assert!(fits(&all) && !fits(&all[..all.len() - 1]));
                }
                Decision::Busy(ids, _) => {
                    prop_assert!(ids.iter().all(|&id| find(id).state == Holds::Busy));
                    let idle = holders.iter().filter(|h| h.state == Holds::Idle).map(|h| h.id);
                    let gone: Vec<u64> = leaving.iter().copied().chain(idle).collect();
                    prop_assert!(!fits(&gone));
                }
                Decision::Never(_, pinned) => {
                    let stays = holders.iter().filter(|h| h.state != Holds::Pinned).map(|h| h.bytes).sum::<usize>();
                    prop_assert!(needed > free + stays);
                    let all = holders.iter().map(|h| h.bytes).sum::<usize>();
                    prop_assert_eq!(pinned.is_empty(), needed > free + all);
                }
            }
        }
    }
}
