use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;

fn turns(places: usize) -> &'static Turns {
    Box::leak(Box::new(Turns::new(places)))
}

/// Waits until so many wait for a turn.
fn until_waiting(turns: &Turns, count: usize) {
    while turns.waiting.load(Ordering::Relaxed) != count {
        thread::yield_now();
    }
}

#[test]
fn one_computes_at_a_time_and_who_is_alone_never_waits() {
    let turns = turns(2);
    let inside = AtomicUsize::new(0);
    thread::scope(|scope| {
        for members in 0..4 {
            let inside = &inside;
            scope.spawn(move || {
                let seat = turns.join(members, 2);
                for _ in 0..200 {
                    let mut turn = Turn::take(Some(&seat), 1);
                    for _ in 0..3 {
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        thread::yield_now();
                        inside.fetch_sub(1, Ordering::SeqCst);
                        turn.pass();
                    }
                }
            });
        }
    });
    let state = turns.lock();
    assert_eq!((state.free, state.waiting.len(), state.at_work.len()), (2, 0, 0));
    drop(state);
    let seat = turns.join(9, 2);
    for _ in 0..100 {
        let mut turn = Turn::take(Some(&seat), 1);
        turn.pass();
        assert_eq!((turn.waited(), turn.is_wanted()), (Duration::ZERO, false));
    }
}

#[test]
fn small_teams_compute_beside_each_other_and_a_large_one_is_not_overtaken() {
    let turns = turns(2);
    let (a, b, wide) = (turns.join(1, 1), turns.join(2, 1), turns.join(3, 2));
    let first = Turn::take(Some(&a), 1);
    thread::scope(|scope| {
        // Another place is free.
        scope.spawn(|| drop(Turn::take(Some(&b), 1))).join().unwrap();
        let waits = scope.spawn(|| drop(Turn::take(Some(&wide), 1)));
        until_waiting(turns, 1);
        // There is room for one more, but another comes first.
        let late = scope.spawn(|| drop(Turn::take(Some(&b), 1)));
        until_waiting(turns, 2);
        drop(first);
        waits.join().unwrap();
        late.join().unwrap();
    });
}

#[test]
fn who_shares_threads_does_not_compute_at_once() {
    let turns = turns(4);
    let (a, b) = (turns.join(1, 2), turns.join(1, 2));
    let first = Turn::take(Some(&a), 1);
    thread::scope(|scope| {
        let waits = scope.spawn(|| drop(Turn::take(Some(&b), 1)));
        until_waiting(turns, 1);
        drop(first);
        waits.join().unwrap();
    });
}

#[test]
fn a_turn_is_wanted_when_another_waits_that_had_less() {
    let turns = turns(1);
    let (a, b) = (turns.join(1, 1), turns.join(2, 1));
    thread::scope(|scope| {
        let mut turn = Turn::take(Some(&a), 1);
        assert!(!turn.is_wanted());
        let other = scope.spawn(|| drop(Turn::take(Some(&b), 1)));
        until_waiting(turns, 1);
        while !turn.is_wanted() {
            thread::sleep(Duration::from_millis(1));
        }
        turn.pass();
        other.join().unwrap();
        assert!(turn.waited() > Duration::ZERO);
    });
}

#[test]
fn a_turn_within_a_turn_is_part_of_it() {
    let turns = turns(1);
    let (a, b) = (turns.join(1, 1), turns.join(2, 1));
    let outer = Turn::take(Some(&a), 1);
    // These would wait for the thread's own turn.
    drop(Turn::take(Some(&a), 1));
    drop(Turn::take(Some(&b), 1));
    assert_eq!(turns.lock().free, 0);
    drop(outer);
    assert_eq!(turns.lock().free, 1);
    drop(Turn::take(None, 1));
}

#[test]
fn a_panic_ends_a_turn() {
    let turns = turns(1);
    let seat = turns.join(1, 1);
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let _turn = Turn::take(Some(&seat), 1);
        panic!("in the middle");
    }));
    assert!(caught.is_err());
    assert_eq!(Turn::take(Some(&seat), 1).waited(), Duration::ZERO);
}
