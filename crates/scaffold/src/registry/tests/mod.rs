mod fake;
mod going;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use scaffold_error::{Error, Kind};
use scaffold_hub::{Event, Progress};

use super::lease::Use;
use super::options::{Ask, KeepAlive, RegistryOptions};
use super::shared::Shared;
use super::status::{ModelKind, Stage};
use super::table::Phase;
use crate::options::MemoryLimit;
use fake::{Fake, Fakes, LONG, Load, here, registry, until};

fn ask(shared: &Arc<Shared<Fakes>>, name: &str) -> Result<(Fake, Use), Error> {
    ask_with(shared, name, Ask::new())
}

fn ask_with(shared: &Arc<Shared<Fakes>>, name: &str, ask: Ask<'_>) -> Result<(Fake, Use), Error> {
    shared.ask(name, ModelKind::Language, ask)
}

fn bytes(bytes: usize) -> RegistryOptions {
    RegistryOptions::new().memory(MemoryLimit::Bytes(bytes)).keep_alive(KeepAlive::Forever)
}

fn names(shared: &Shared<Fakes>) -> Vec<String> {
    here(shared).into_iter().map(|(name, _)| name).collect()
}

/// How many requests wait for loads.
fn waiters(shared: &Shared<Fakes>) -> usize {
    let table = shared.lock();
    let waiters = table.entries.values().map(|entry| match &entry.phase {
        Phase::Coming(coming) => coming.waiters,
        _ => 0,
    });
    waiters.sum()
}

fn stages(shared: &Shared<Fakes>) -> Vec<&'static str> {
    shared.models().iter().map(|model| model.stage.name()).collect()
}

#[test]
fn one_load_is_for_all_who_wait() {
    let shared = registry(bytes(100));
    shared.source.set("a", 10, Load::Waits);
    std::thread::scope(|scope| {
        let ask = |_| scope.spawn(|| ask(&shared, "a").unwrap());
        let asked: Vec<_> = (0..8).map(ask).collect();
        until(|| waiters(&shared) == 8);
        shared.source.open_gate();
        let leases: Vec<_> = asked.into_iter().map(|asked| asked.join().unwrap()).collect();
        assert!(leases.iter().all(|(model, _)| model.is(&leases[0].0)));
        assert_eq!(here(&shared), [("a".to_owned(), 8)]);
    });
    assert_eq!(here(&shared), [("a".to_owned(), 0)]);
    assert_eq!(shared.source.ledger.loads.load(Ordering::SeqCst), 1);
    drop(ask(&shared, "A").unwrap());
    let metrics = shared.metrics();
    assert_eq!((metrics.loads, metrics.hits, metrics.models[0].requests), (1, 1, 9));
}

#[test]
fn a_failure_is_told_to_all_and_the_next_request_tries_again() {
    let shared = registry(bytes(15));
    shared.source.set("b", 10, Load::Waits);
    // It waits for its turn, so that all are there when it fails.
    drop(ask_with(&shared, "b", Ask::new().wait(Duration::ZERO)));
    until(|| stages(&shared) == ["loading"]);
    shared.source.set("a", 5, Load::Fails);
    std::thread::scope(|scope| {
        let asked: Vec<_> = (0..3).map(|_| scope.spawn(|| ask(&shared, "a"))).collect();
        until(|| waiters(&shared) == 3);
        shared.source.open_gate();
        for asked in asked {
            let error = asked.join().unwrap().err().unwrap();
            assert_eq!((error.kind(), error.model()), (Kind::Damaged, Some("a")));
        }
    });
    let failed = shared.models().into_iter().find(|model| model.name == "a").unwrap();
    assert!(matches!(failed.stage, Stage::Failed { why, .. } if why.kind() == Kind::Damaged));
    shared.source.set("a", 5, Load::Works);
    drop(ask(&shared, "a").unwrap());
    assert_eq!((shared.metrics().failed, names(&shared)), (1, vec!["b".into(), "a".into()]));
    assert_eq!(ask(&shared, "nothing").err().unwrap().kind(), Kind::NotFound);
}

#[test]
fn failures_are_not_remembered_without_end() {
    let shared = registry(bytes(10));
    for name in 0..100 {
        assert!(ask(&shared, &format!("nothing {name}")).is_err());
    }
    let table = shared.lock();
    assert!(table.entries.len() < 50 && table.names.len() == table.entries.len());
}

#[test]
fn a_panic_in_a_load_is_its_failure_alone() {
    let shared = registry(bytes(20));
    let other = ask(&shared, "b").unwrap();
    shared.source.set("a", 10, Load::Panics);
    let error = ask(&shared, "a").err().unwrap();
    assert_eq!(error.kind(), Kind::Internal);
    assert!(error.to_string().contains("a fault in a"), "{error}");
    shared.source.set("a", 10, Load::Works);
    drop((ask(&shared, "a").unwrap(), other));
    assert_eq!(shared.source.ledger.loads.load(Ordering::SeqCst), 3);
}

#[test]
fn room_is_made_by_the_one_that_was_used_least_lately() {
    let shared = registry(bytes(20));
    for name in ["a", "b", "a", "c"] {
        drop(ask(&shared, name).unwrap());
    }
    assert_eq!(names(&shared), ["a", "c"]);
    // A pinned one stays, though it is the older one.
    shared.pin("a".into(), true);
    drop(ask(&shared, "b").unwrap());
    assert_eq!(names(&shared), ["a", "b"]);
    shared.source.set("c", 20, Load::Works);
    let error = ask(&shared, "c").err().unwrap();
    assert!(error.to_string().contains("unpin what stays in memory besides: a"), "{error}");
    shared.pin("a".into(), false);
    drop(ask(&shared, "c").unwrap());
    assert_eq!(names(&shared), ["c"]);
    assert_eq!((shared.metrics().evictions, shared.metrics().memory_peak), (4, 20));
    shared.source.set("d", 21, Load::Works);
    let error = ask(&shared, "d").err().unwrap();
    // It would never fit: nobody has to go for that.
    assert_eq!((error.kind(), names(&shared)), (Kind::Unavailable, vec!["c".into()]));
}

#[test]
fn models_in_use_are_refused_with_their_names_or_waited_for() {
    let shared = registry(bytes(20));
    let (a, b) = (ask(&shared, "a").unwrap(), ask(&shared, "b").unwrap());
    let error = ask(&shared, "c").err().unwrap();
    assert_eq!(error.kind(), Kind::Unavailable);
    for part in
        ["c needs 10 bytes", "a (10 bytes, in use)", "b (10 bytes, in use)", "may take 20 bytes"]
    {
        assert!(error.to_string().contains(part), "{part}: {error}");
    }
    let begun = Instant::now();
    let error = ask_with(&shared, "c", Ask::new().wait(Duration::from_millis(30))).err().unwrap();
    assert!(error.to_string().contains("in use") && begun.elapsed() >= Duration::from_millis(30));
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| ask_with(&shared, "c", Ask::new().wait(LONG)).unwrap());
        until(|| stages(&shared).contains(&"waiting"));
        drop(b);
        drop(asked.join().unwrap());
    });
    assert_eq!(names(&shared), ["a", "c"]);
    drop(a);
}

#[test]
fn a_model_that_is_always_in_use_gives_way_in_the_end() {
    let shared = registry(bytes(10));
    let mut held = ask(&shared, "a").unwrap();
    std::thread::scope(|scope| {
        let other = scope.spawn(|| ask_with(&shared, "b", Ask::new().wait(LONG)).map(drop));
        until(|| stages(&shared).contains(&"waiting"));
        // Somebody always holds it, but not for ever.
        for _ in 0..8 {
            held = ask(&shared, "a").unwrap();
        }
        let late = Duration::from_millis(5);
        let error = ask_with(&shared, "a", Ask::new().wait(late)).err().unwrap();
        assert_eq!(error.kind(), Kind::Busy, "{error}");
        drop(held);
        other.join().unwrap().unwrap();
    });
    // One that waits in vain is in nobody's way afterwards.
    let held = ask(&shared, "a").unwrap();
    assert!(ask_with(&shared, "b", Ask::new().wait(Duration::from_millis(5))).is_err());
    until(|| stages(&shared).contains(&"failed"));
    let many: Vec<_> = (0..20).map(|_| ask(&shared, "a").unwrap()).collect();
    drop((held, many));
}

#[test]
fn one_model_has_one_copy_by_whatever_name() {
    let shared = registry(bytes(100));
    let first = ask(&shared, "a").unwrap();
    let second = ask(&shared, "link/A").unwrap();
    assert!(first.0.is(&second.0));
    assert_eq!(here(&shared), [("a".to_owned(), 2)]);
    assert_eq!(shared.models()[0].names, ["a", "link/a"]);
    // A pin by any of its names holds it.
    shared.pin("link/a".into(), true);
    assert!(shared.models()[0].pinned);
    // As something else it is another one.
    let other = shared.ask("a", ModelKind::Embedder, Ask::new()).unwrap();
    assert!(!other.0.is(&first.0));
    assert_eq!(shared.metrics().loads, 2);
}

#[test]
fn a_load_that_nobody_wants_any_more_is_stopped() {
    let shared = registry(bytes(100));
    shared.source.set("a", 10, Load::Waits);
    let (cancel, other) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    std::thread::scope(|scope| {
        let ask = |flag: &Arc<AtomicBool>| {
            let ask = Ask::new().cancel(Arc::clone(flag));
            let shared = &shared;
            scope.spawn(move || ask_with(shared, "a", ask).err().unwrap())
        };
        let (first, second) = (ask(&cancel), ask(&other));
        until(|| waiters(&shared) == 2 && stages(&shared) == ["loading"]);
        cancel.store(true, Ordering::SeqCst);
        assert_eq!(first.join().unwrap().kind(), Kind::Cancelled);
        assert_eq!(waiters(&shared), 1);
        other.store(true, Ordering::SeqCst);
        assert_eq!(second.join().unwrap().kind(), Kind::Cancelled);
    });
    until(|| shared.models().is_empty());
    assert_eq!((shared.metrics().cancelled, shared.metrics().memory), (1, 0));
    shared.source.open_gate();
    drop(ask(&shared, "a").unwrap());
}

#[test]
fn who_waits_for_nothing_begins_a_load_and_can_watch_it() {
    let shared = registry(bytes(100));
    shared.source.set("a", 10, Load::Waits);
    let changes = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&changes);
    shared.listen(Arc::new(move || {
        counted.fetch_add(1, Ordering::SeqCst);
    }));
    // A listener of bad manners disturbs nobody.
    shared.listen(Arc::new(|| std::panic::resume_unwind(Box::new("it listens badly"))));
    let (seen, watched) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let shared = &shared;
        scope.spawn(move || {
            let mut version = 0;
            let mut last = String::new();
            while last != "ready 10" {
                version = shared.watch(version, LONG);
                let state = |model: super::ModelState| {
                    let step = match model.stage {
                        Stage::Loading { bytes, of } => format!(" {bytes}/{of}"),
                        _ => String::new(),
                    };
                    format!("{}{step} {}", model.stage.name(), model.memory)
                };
                let now = shared.models().into_iter().map(state).collect::<String>();
                if now != last {
                    seen.send(now.clone()).unwrap();
                }
                last = now;
            }
        });
        let error = ask_with(shared, "a", Ask::new().wait(Duration::ZERO)).err().unwrap();
        assert_eq!(error.kind(), Kind::Busy);
        until(|| shared.source.ledger.loads.load(Ordering::SeqCst) == 1);
        shared.source.open_gate();
    });
    let seen: Vec<String> = watched.iter().collect();
    let order =
        ["", "fetching 0", "loading 0/10 10", "loading 1/2 10", "loading 2/2 10", "ready 10"];
    let places: Vec<_> = seen.iter().map(|seen| order.iter().position(|one| one == seen)).collect();
    assert!(places.is_sorted() && places.iter().all(Option::is_some), "{seen:?}");
    assert_eq!(seen.last().map(String::as_str), Some("ready 10"));
    assert!(changes.load(Ordering::SeqCst) >= 3);
    assert_eq!(shared.watch(u64::MAX, LONG), shared.lock().version);
}

#[test]
fn progress_is_heard_by_whoever_waits() {
    #[derive(Default)]
    struct Hears(Vec<u64>);
    impl Progress for Hears {
        fn event(&mut self, _: &Event) {}
        fn loaded(&mut self, bytes: u64, _: u64) {
            self.0.push(bytes);
        }
    }
    let shared = registry(bytes(100));
    shared.source.set("a", 10, Load::Waits);
    let mut hears = Hears::default();
    std::thread::scope(|scope| {
        let asked =
            scope.spawn(|| ask_with(&shared, "a", Ask::new().progress(&mut hears)).map(drop));
        until(|| waiters(&shared) == 1);
        shared.source.open_gate();
        asked.join().unwrap().unwrap();
    });
    assert_eq!(hears.0.last(), Some(&2));
}

#[test]
fn loads_take_turns_and_no_more_models_are_loaded_than_may_be() {
    let shared = registry(bytes(100).max_loaded(2));
    let start = Barrier::new(3);
    std::thread::scope(|scope| {
        for name in ["a", "b", "c"] {
            let (shared, start) = (&shared, &start);
            scope.spawn(move || {
                start.wait();
                drop(ask_with(shared, name, Ask::new().wait(LONG)).unwrap());
            });
        }
    });
    let ledger = &shared.source.ledger;
    assert_eq!(ledger.most_at_once.load(Ordering::SeqCst), 1);
    assert_eq!((ledger.bytes.load(Ordering::SeqCst), names(&shared).len()), (20, 2));
}

#[test]
fn loads_at_once_never_take_the_same_memory() {
    let shared = registry(RegistryOptions::new().concurrent_loads(3usize));
    *shared.source.available.lock().unwrap() = Some(15);
    shared.source.set("a", 10, Load::Waits);
    drop(ask_with(&shared, "a", Ask::new().wait(Duration::ZERO)));
    until(|| shared.metrics().memory == 10);
    // The system has not given it yet, and does not know of it.
    let error = ask(&shared, "b").err().unwrap();
    assert!(error.to_string().contains("a (10 bytes, being loaded)"), "{error}");
    shared.source.open_gate();
}

#[test]
fn many_threads_and_three_models_in_the_room_of_two() {
    let shared = registry(bytes(20).keep_alive(Duration::from_millis(3)).concurrent_loads(2usize));
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let shared = &shared;
            scope.spawn(move || {
                for turn in 0..25 {
                    let name = ["a", "b", "c"][(thread + turn * (1 + thread % 2)) % 3];
                    let (model, _use) = ask_with(shared, name, Ask::new().wait(LONG)).unwrap();
                    assert!(
                        super::source::Resident::is_alive(&model),
                        "it was taken from its user"
                    );
                }
            });
        }
    });
    let metrics = shared.metrics();
    assert!(metrics.evictions > 0 && metrics.memory_peak <= 20, "{metrics:?}");
    assert!(shared.source.ledger.peak.load(Ordering::SeqCst) <= 20);
    assert_eq!(metrics.failed, 0);
    until(|| shared.source.ledger.bytes.load(Ordering::SeqCst) == 0);
    until(|| shared.models().is_empty());
}
