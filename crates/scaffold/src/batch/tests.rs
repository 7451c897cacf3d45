//! Calls beside each other, on a tiny encoder with heads that do as they are told.

use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::mpsc;
use std::time::Duration;

use scaffold_engine::{Overloaded, Priority, Standing};
use scaffold_error::Kind;
use scaffold_hub::{LocalModel, Silent};
use scaffold_model::{EncoderSession, Exec};
use scaffold_testing::golden;

use super::*;
use crate::embed::input::Input;
use crate::error::Error;
use crate::model::Model;
use crate::options::LoadOptions;

/// Gives the first number of each text's first state. What it does besides is told by a text's
/// `skip`: 1 panics, 2 waits until it is let go, 3 fails.
#[derive(Default)]
struct First {
    finished: AtomicUsize,
    /// Texts of `skip` 2 have come here.
    reached: AtomicBool,
    go_on: AtomicBool,
}

impl Head for First {
    fn width(&self) -> usize {
        1
    }

    fn finish(
        &self,
        _: &Exec,
        session: &mut EncoderSession,
        texts: &[Finished],
    ) -> Result<Vec<f32>, Error> {
        use std::sync::atomic::Ordering::SeqCst;
        self.finished.fetch_add(texts.len(), SeqCst);
        assert!(texts.iter().all(|text| text.skip != 1), "as it was told");
        if texts.iter().any(|text| text.skip == 3) {
            return Err(scaffold_error::err!(Unavailable, "as it was told"));
        }
        while texts.iter().any(|text| text.skip == 2) && !self.go_on.load(SeqCst) {
            self.reached.store(true, SeqCst);
            std::thread::sleep(Duration::from_millis(1));
        }
        let states = session.states();
        let hidden = states.len() / texts.iter().map(|text| text.tokens).sum::<usize>();
        let mut token = 0;
        let first = texts.iter().map(|text| {
            let value = states[token * hidden];
            token += text.tokens;
            value
        });
        Ok(first.collect())
    }
}

fn batcher(options: &LoadOptions) -> Batcher<First> {
    let model = Model::open(&LocalModel::on_disk(&golden::tiny("bert").dir), options).unwrap();
    let placed = crate::model::Placed::of(
        &model,
        &crate::memory::Work::of(Some(model.spec()), model.options()),
    )
    .unwrap();
    let encoder = placed.encoder(&mut Silent).unwrap();
    Batcher::new(encoder, placed.exec, First::default(), options)
}

fn input(length: usize, seed: usize) -> Input {
    let ids: Vec<u32> = (0..length).map(|i| ((seed * 31 + i * 7) % 500) as u32).collect();
    Input { types: vec![0; length], whole: length, ids }
}

fn call(
    batcher: &Batcher<First>,
    inputs: &[Input],
    skip: usize,
    how: &How<'_>,
) -> Result<Computed, Error> {
    batcher.compute(how, |_, _| Ok((inputs.to_vec(), skip, ())))
}

fn values(batcher: &Batcher<First>, inputs: &[Input]) -> Vec<f32> {
    call(batcher, inputs, 0, &How::default()).unwrap().values
}

/// Waits until something is so.
fn until(is: impl Fn() -> bool) {
    for _ in 0..20_000 {
        if is() {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("it does not come");
}

fn load(batcher: &Batcher<First>, flag: impl Fn(&First) -> &AtomicBool) -> bool {
    flag(&batcher.head).load(std::sync::atomic::Ordering::SeqCst)
}

fn let_go(batcher: &Batcher<First>) {
    batcher.head.go_on.store(true, std::sync::atomic::Ordering::SeqCst);
}

#[test]
fn sixteen_threads_get_what_each_text_gets_alone() {
    let batcher = batcher(&LoadOptions::default());
    let inputs: Vec<Vec<Input>> = (0..16)
        .map(|thread| (0..40).map(|i| input(1 + (thread * 7 + i * 5) % 60, i + thread)).collect())
        .collect();
    let alone: Vec<Vec<f32>> = inputs
        .iter()
        .map(|inputs| {
            inputs.iter().map(|input| values(&batcher, std::slice::from_ref(input))[0]).collect()
        })
        .collect();
    std::thread::scope(|scope| {
        for (inputs, alone) in inputs.iter().zip(&alone) {
            let batcher = &batcher;
            scope.spawn(move || {
                for _ in 0..3 {
                    assert_eq!(&values(batcher, inputs), alone);
                    assert_eq!(values(batcher, &inputs[..1]), alone[..1]);
                }
            });
        }
    });
    let metrics = batcher.metrics();
    assert_eq!(metrics.completed, 16 * 40 + 16 * 6);
    assert_eq!((metrics.waiting, metrics.running, metrics.waiting_texts), (0, 0, 0));
    assert_eq!(metrics.texts, 16 * 40 + 16 * 3 * 41);
    assert_eq!((metrics.whole.count, metrics.queue.count), (metrics.completed, metrics.completed));
    assert!(metrics.batch_fill().unwrap() > 0.0);
}

#[test]
fn many_batches_are_shared_by_threads_bit_for_bit() {
    let batcher = batcher(&LoadOptions::default());
    let inputs: Vec<Input> = (0..400).map(|i| input(1 + i % 50, i)).collect();
    let together = values(&batcher, &inputs);
    for (input, together) in inputs.iter().zip(together).step_by(17) {
        assert_eq!(values(&batcher, std::slice::from_ref(input)), [together]);
    }
}

#[test]
fn a_bad_text_fails_its_own_call_or_itself() {
    let batcher = batcher(&LoadOptions::default());
    let good = [input(5, 1), input(9, 2)];
    let expected = values(&batcher, &good);
    let mut bad = good.to_vec();
    bad[0].ids[3] = 1_000_000;
    let mut empty = good.to_vec();
    empty[1] = Input::default();
    std::thread::scope(|scope| {
        for (bad, kind, place) in [(&bad, Kind::Damaged, 0), (&empty, Kind::Usage, 1)] {
            let batcher = &batcher;
            scope.spawn(move || {
                for _ in 0..20 {
                    let error = call(batcher, bad, 0, &How::default()).unwrap_err();
                    assert_eq!((error.kind(), error.place().item()), (kind, Some(place)));
                }
            });
        }
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..20 {
                    assert_eq!(values(&batcher, &good), expected);
                }
            });
        }
    });
    let how = How { each: true, ..How::default() };
    let Computed { values: some, failed, .. } = call(&batcher, &bad, 0, &how).unwrap();
    assert_eq!((some[1], failed.len(), failed[0].0), (expected[1], 1, 0));
    let Computed { values: some, failed, .. } = call(&batcher, &empty, 0, &how).unwrap();
    assert_eq!((some[0], failed.len(), failed[0].1.place().item()), (expected[0], 1, Some(1)));
    assert_eq!(batcher.metrics().failed, 40);
}

#[test]
fn a_panic_and_a_failure_concern_their_batch_and_nobody_later() {
    let batcher = batcher(&LoadOptions::default());
    let good = [input(5, 1)];
    let expected = values(&batcher, &good);
    let error = call(&batcher, &good, 1, &How::default()).unwrap_err();
    assert_eq!(error.kind(), Kind::Internal);
    assert!(error.to_string().contains("as it was told"), "{error}");
    let error = call(&batcher, &good, 3, &How::default()).unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    // In batches that threads take whole, too.
    let many: Vec<Input> = (0..200).map(|i| input(30, i)).collect();
    let error = call(&batcher, &many, 1, &How::default()).unwrap_err();
    assert_eq!(error.kind(), Kind::Internal);
    let how = How { each: true, ..How::default() };
    let Computed { failed, .. } = call(&batcher, &many, 1, &how).unwrap();
    assert_eq!(failed.len(), 200);
    assert_eq!(values(&batcher, &good), expected);
    let metrics = batcher.metrics();
    assert!(metrics.panics > 2 && metrics.failed == 3, "{metrics:?}");
}

#[test]
fn a_call_that_is_stopped_leaves_at_once_and_others_go_on() {
    let batcher = batcher(&LoadOptions::default());
    let many: Vec<Input> = (0..40_000).map(|i| input(50, i)).collect();
    let one = [input(7, 3)];
    let expected = values(&batcher, &one);
    let before = batcher.metrics().texts;
    let cancel = Cancel::new();
    let how = How { cancel: Some(&cancel), ..How::default() };
    std::thread::scope(|scope| {
        let stopped = scope.spawn(|| call(&batcher, &many, 0, &how).unwrap_err());
        until(|| batcher.metrics().texts > before);
        // It leads; this one is beside it, and then leads itself.
        assert_eq!(values(&batcher, &one), expected);
        cancel.cancel();
        assert_eq!(stopped.join().unwrap().kind(), Kind::Cancelled);
    });
    let metrics = batcher.metrics();
    assert!(metrics.texts < 40_000, "{metrics:?}");
    assert_eq!((metrics.cancelled, metrics.waiting_texts, metrics.running), (1, 0, 0));
    assert_eq!(values(&batcher, &one), expected);
    // One that was stopped before it came computes nothing.
    assert_eq!(call(&batcher, &one, 0, &how).unwrap_err().kind(), Kind::Cancelled);
}

#[test]
fn who_waits_behind_another_can_be_stopped_and_runs_out_of_time() {
    let batcher = batcher(&LoadOptions::default());
    let one = [input(7, 3)];
    let expected = values(&batcher, &one);
    std::thread::scope(|scope| {
        let first = scope.spawn(|| call(&batcher, &one, 2, &How::default()));
        until(|| load(&batcher, |head| &head.reached));
        let standing = Standing {
            max_wait: Some(Duration::from_millis(20)),
            priority: Priority::Batch,
            ..Standing::default()
        };
        let how = How { standing: Some(&standing), ..How::default() };
        let late = call(&batcher, &one, 0, &how).unwrap_err();
        assert_eq!(late.kind(), Kind::Busy);
        let cancel = Cancel::new();
        let how = How { cancel: Some(&cancel), ..How::default() };
        std::thread::scope(|scope| {
            let stopped = scope.spawn(|| call(&batcher, &one, 0, &how).unwrap_err());
            until(|| batcher.metrics().waiting == 1);
            cancel.cancel();
            assert_eq!(stopped.join().unwrap().kind(), Kind::Cancelled);
        });
        // Who waits and was not stopped is served when the first one is through.
        let patient = scope.spawn(|| values(&batcher, &one));
        until(|| batcher.metrics().waiting == 1);
        let_go(&batcher);
        assert_eq!(first.join().unwrap().unwrap().values, expected);
        assert_eq!(patient.join().unwrap(), expected);
    });
    let metrics = batcher.metrics();
    assert_eq!((metrics.expired, metrics.cancelled, metrics.completed), (1, 1, 3));
}

#[test]
fn too_many_calls_are_refused_with_the_numbers() {
    let options = LoadOptions::new().max_waiting(2usize).owner_waiting(1usize);
    let batcher = batcher(&options);
    let one = [input(7, 3)];
    let owned = |owner: &str| Standing { owner: Some(owner.into()), ..Standing::default() };
    std::thread::scope(|scope| {
        let first = scope.spawn(|| call(&batcher, &one, 2, &How::default()));
        until(|| load(&batcher, |head| &head.reached));
        let (waiting, is_waiting) = mpsc::channel();
        for owner in ["ann", "bob"] {
            let (batcher, one, waiting) = (&batcher, &one, waiting.clone());
            scope.spawn(move || {
                let standing = owned(owner);
                let how = How { standing: Some(&standing), ..How::default() };
                waiting.send(()).unwrap();
                call(batcher, one, 0, &how).unwrap();
            });
            is_waiting.recv().unwrap();
            let count = if owner == "ann" { 1 } else { 2 };
            until(|| batcher.metrics().waiting == count);
            if owner == "ann" {
                let ann = owned("ann");
                let how = How { standing: Some(&ann), ..How::default() };
                let error = call(batcher, one, 0, &how).unwrap_err();
                let cause = error.cause::<Overloaded>().unwrap();
                assert_eq!((cause.limit, cause.owner.as_deref()), (1, Some("ann")));
            }
        }
        let error = call(&batcher, &one, 0, &How::default()).unwrap_err();
        assert_eq!(error.kind(), Kind::Busy);
        assert_eq!(error.cause::<Overloaded>().unwrap().waiting, 2);
        let_go(&batcher);
        first.join().unwrap().unwrap();
    });
    let metrics = batcher.metrics();
    assert_eq!((metrics.refused, metrics.completed, metrics.submitted), (2, 3, 3));
}
