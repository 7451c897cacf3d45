//! How models go: in their time, drained, at once, with the registry.

use std::sync::atomic::Ordering;
use std::time::Duration;

use scaffold_error::Kind;

use super::fake::{LONG, Load, here, registry, until};
use super::{ask, ask_with, bytes, names, stages, waiters};
use crate::registry::options::{Ask, KeepAlive};
use crate::registry::status::Stage;
use crate::registry::unloading::How;

const SHORT: Duration = Duration::from_millis(20);

#[test]
fn a_model_goes_when_its_time_is_over() {
    let shared = registry(bytes(100).keep_alive(SHORT));
    let held = ask(&shared, "a").unwrap();
    drop(ask(&shared, "b").unwrap());
    drop(ask_with(&shared, "c", Ask::new().keep_alive(KeepAlive::Forever)).unwrap());
    until(|| names(&shared) == ["a", "c"]);
    let expires = |name: &str| {
        let models = shared.models();
        match &models.iter().find(|model| model.name == name).unwrap().stage {
            Stage::Ready { expires, .. } => *expires,
            other => panic!("{other:?}"),
        }
    };
    // One is in use, the other stays: there is nothing to wait for, and nobody does.
    until(|| !shared.lock().keeper.runs);
    assert_eq!((expires("a"), expires("c")), (None, None));
    // What the last request says counts.
    drop(ask_with(&shared, "c", Ask::new().keep_alive(LONG)).unwrap());
    assert!(expires("c").is_some() && shared.lock().keeper.runs);
    // Earlier than what is waited for.
    drop(held);
    until(|| names(&shared) == ["c"]);
    drop(ask_with(&shared, "c", Ask::new().keep_alive(Duration::ZERO)).unwrap());
    until(|| names(&shared).is_empty());
    assert_eq!((shared.metrics().expiries, shared.metrics().memory), (3, 0));
}

#[test]
fn a_pinned_model_does_not_go_in_time_and_one_that_answers_neither() {
    let shared = registry(bytes(100).keep_alive(SHORT));
    shared.pin("a".into(), true);
    drop(ask(&shared, "a").unwrap());
    let (model, lease) = ask(&shared, "b").unwrap();
    model.answer(true);
    drop(lease);
    std::thread::sleep(5 * SHORT);
    assert_eq!(names(&shared), ["a", "b"]);
    model.answer(false);
    until(|| names(&shared) == ["a"]);
    shared.pin("a".into(), false);
    until(|| names(&shared).is_empty());
}

#[test]
fn a_model_that_answers_without_a_lease_is_in_use() {
    let shared = registry(bytes(10));
    let (model, lease) = ask(&shared, "a").unwrap();
    model.answer(true);
    drop(lease);
    assert_eq!(ask(&shared, "b").err().unwrap().kind(), Kind::Unavailable);
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| ask_with(&shared, "b", Ask::new().wait(LONG)).map(drop));
        until(|| waiters(&shared) == 1);
        model.answer(false);
        drop(model);
        asked.join().unwrap().unwrap();
    });
}

#[test]
fn draining_waits_for_those_who_use_it_and_others_wait_for_that() {
    let shared = registry(bytes(10));
    let (model, lease) = ask(&shared, "a").unwrap();
    std::thread::scope(|scope| {
        let drained = scope.spawn(|| shared.unload(&shared.lock_ids(), How::Drain(LONG)));
        until(|| stages(&shared) == ["draining"]);
        let error = ask_with(&shared, "a", Ask::new().wait(SHORT)).err().unwrap();
        assert_eq!(error.kind(), Kind::Busy, "{error}");
        let again = scope.spawn(|| ask(&shared, "a").unwrap());
        model.answer(true);
        drop(lease);
        // Its answers are waited for as well.
        std::thread::sleep(SHORT);
        assert!(!drained.is_finished());
        model.answer(false);
        let old = model.clone();
        drop(model);
        assert!(drained.join().unwrap());
        let (new, _lease) = again.join().unwrap();
        assert!(!new.is(&old));
    });
    assert_eq!((shared.metrics().unloads, shared.metrics().loads), (1, 2));
}

#[test]
fn what_is_not_done_in_time_is_ended() {
    let shared = registry(bytes(10));
    for how in [How::Drain(SHORT), How::Now] {
        let (model, lease) = ask(&shared, "a").unwrap();
        assert!(!shared.unload(&shared.lock_ids(), how));
        assert!(!crate::registry::source::Resident::is_alive(&model));
        // Its memory is not free as long as somebody holds it, and counts.
        assert_eq!((shared.metrics().memory, stages(&shared)), (10, vec!["draining"]));
        drop(model);
        drop(lease);
        assert_eq!((shared.metrics().memory, shared.models().len()), (0, 0));
    }
}

#[test]
fn who_is_in_a_hurry_ends_the_draining_of_others() {
    let shared = registry(bytes(10));
    let lease = ask(&shared, "a").unwrap();
    std::thread::scope(|scope| {
        let drained = scope.spawn(|| shared.unload(&shared.lock_ids(), How::Drain(LONG)));
        until(|| stages(&shared) == ["draining"]);
        shared.unload(&shared.lock_ids(), How::Now);
        assert!(!drained.join().unwrap());
    });
    drop(lease);
    assert!(shared.models().is_empty());
}

#[test]
fn a_load_is_unloaded_by_stopping_it() {
    let shared = registry(bytes(10));
    shared.source.set("a", 10, Load::Waits);
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| ask(&shared, "a").err().unwrap());
        until(|| waiters(&shared) == 1);
        assert!(shared.unload(&shared.lock_ids(), How::Now));
        assert_eq!(asked.join().unwrap().kind(), Kind::Cancelled);
    });
    assert!(shared.models().is_empty());
}

#[test]
fn a_model_whose_engine_has_ended_is_loaded_anew() {
    let shared = registry(bytes(10));
    let (model, lease) = ask(&shared, "a").unwrap();
    model.die();
    drop((model, lease));
    let (model, lease) = ask(&shared, "a").unwrap();
    assert!(crate::registry::source::Resident::is_alive(&model));
    drop((model, lease));
    assert_eq!(shared.metrics().loads, 2);
}

#[test]
fn at_the_end_nothing_is_loaded_and_what_is_in_use_goes_with_its_lease() {
    let shared = registry(bytes(30).keep_alive(LONG));
    let held = ask(&shared, "a").unwrap();
    drop(ask(&shared, "b").unwrap());
    shared.source.set("c", 10, Load::Waits);
    drop(ask_with(&shared, "c", Ask::new().wait(Duration::ZERO)));
    shared.close();
    assert_eq!(here(&shared), [("a".to_owned(), 1)]);
    assert!(!shared.lock().keeper.runs);
    assert_eq!(ask(&shared, "a").err().unwrap().kind(), Kind::Unavailable);
    drop(held);
    until(|| shared.models().is_empty());
    assert_eq!(shared.source.ledger.bytes.load(Ordering::SeqCst), 0);
}
