use std::sync::atomic::AtomicUsize;

use super::*;

#[test]
fn every_chunk_runs_once() {
    for threads in [0, 1, 2, 4] {
        let team = Team::new(threads);
        for chunks in [0, 1, 2, 3, 64, 1000] {
            let counts: Vec<AtomicUsize> = (0..chunks).map(|_| AtomicUsize::new(0)).collect();
            team.run(chunks, &|i| {
                counts[i].fetch_add(1, Ordering::Relaxed);
            });
            assert!(counts.iter().all(|c| c.load(Ordering::Relaxed) == 1), "{threads} {chunks}");
        }
    }
}

#[test]
fn a_hundred_thousand_small_jobs_end() {
    let team = Team::new(3);
    let total = AtomicUsize::new(0);
    for _ in 0..100_000 {
        team.run(4, &|_| {
            total.fetch_add(1, Ordering::Relaxed);
        });
    }
    assert_eq!(total.into_inner(), 400_000);
}

#[test]
fn nested_and_concurrent_jobs_run_serially() {
    let team = Team::new(2);
    let total = AtomicUsize::new(0);
    let job = || {
        team.run(8, &|_| {
            team.run(8, &|_| {
                total.fetch_add(1, Ordering::Relaxed);
            });
        });
    };
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(job);
        }
    });
    assert_eq!(total.into_inner(), 3 * 64);
}

#[test]
fn a_panic_reaches_the_caller_and_the_team_lives_on() {
    let team = Team::new(2);
    for bad in [0, 5, 31] {
        let caught = catch_unwind(AssertUnwindSafe(|| {
            team.run(32, &|i| assert_ne!(i, bad, "chunk {i} fails"));
        }));
        let message = caught.unwrap_err();
        let message = message.downcast_ref::<String>().unwrap();
        assert!(message.contains("fails"), "{message}");
        let total = AtomicUsize::new(0);
        team.run(32, &|_| {
            total.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!(total.into_inner(), 32);
    }
}

#[test]
fn workers_wake_after_sleeping() {
    let team = Team::new(2);
    for _ in 0..3 {
        thread::sleep(Duration::from_millis(2));
        let ids = Mutex::new(std::collections::HashSet::new());
        team.run(200, &|_| {
            thread::sleep(Duration::from_micros(50));
            lock(&ids).insert(thread::current().id());
        });
        assert_eq!(lock(&ids).len(), 2);
    }
}

#[test]
fn teams_of_the_process_share_their_threads() {
    let all = Team::cores();
    let (a, b) = (Team::shared(all), Team::shared(all));
    assert_eq!((a.threads(), b.threads()), (all, all));
    assert!(all == 1 || Arc::ptr_eq(&a.members, &b.members));
    let own = Team::new(all);
    assert!(!Arc::ptr_eq(&a.members, &own.members));
    let total = AtomicUsize::new(0);
    thread::scope(|scope| {
        for team in [&a, &b, &own] {
            scope.spawn(|| {
                for _ in 0..50 {
                    let turn = team.turn(1);
                    team.run(8, &|_| {
                        total.fetch_add(1, Ordering::Relaxed);
                    });
                    drop(turn);
                    team.run_in_turns(1, 100, &|_| {
                        total.fetch_add(1, Ordering::Relaxed);
                    });
                }
            });
        }
    });
    assert_eq!(total.into_inner(), 3 * 50 * 108);
}

#[test]
fn chunks_in_turns_run_once_each() {
    for team in [Team::new(1), Team::new(3), Team::shared(2)] {
        for chunks in [0, 1, 2, 500] {
            let counts: Vec<AtomicUsize> = (0..chunks).map(|_| AtomicUsize::new(0)).collect();
            team.run_in_turns(1, chunks, &|i| {
                counts[i].fetch_add(1, Ordering::Relaxed);
            });
            assert!(counts.iter().all(|c| c.load(Ordering::Relaxed) == 1), "{chunks}");
        }
    }
}
