//! Requests that are sent again: those that join, and prompts that are not computed twice.

use super::*;
use crate::request::{Priority, Standing};

/// A client's request that may join others.
fn asked(owner: &str, prompt: &[u32], new_tokens: usize) -> Request {
    let standing = Standing { owner: Some(owner.into()), join: true, ..Standing::default() };
    Request { standing, ..request(prompt, new_tokens) }
}

fn drawn(seed: Option<u64>) -> Sampling {
    Sampling { do_sample: true, seed, ..Sampling::default() }
}

/// What an answer says, whoever gets it.
fn said(stream: EventStream) -> (String, Vec<u32>, FinishReason) {
    let Answer { text, ids, finished } = answer(stream);
    (text, ids, finished.reason)
}

#[test]
fn what_is_sent_again_joins_and_has_the_whole_answer() {
    let (engine, probe) = start(64, config());
    let long = Request {
        stop: Stop { ignore_eos: true, ..asked("me", &[], 30).stop },
        ..asked("me", &[1, 2, 3, 4, 5], 30)
    };
    let alone = said(engine.submit(long.clone()).unwrap());
    let rows = probe.rows.load(SeqCst);
    assert_eq!(engine.metrics().joined, 0, "what is over is computed anew");
    probe.hold.store(true, SeqCst);
    let first = engine.submit(long.clone()).unwrap();
    let second = engine.submit(long.clone()).unwrap();
    eventually(|| engine.load().waiting == 0);
    let third = engine.submit(long).unwrap();
    drop(first);
    probe.hold.store(false, SeqCst);
    assert_eq!((said(second), said(third)), (alone.clone(), alone));
    let metrics = engine.metrics();
    assert_eq!((metrics.joined, metrics.submitted, metrics.cancelled), (2, 2, 0));
    assert!(probe.rows.load(SeqCst) <= 2 * rows, "it was computed again");
}

#[test]
fn only_equal_requests_of_one_client_with_a_determined_answer_join() {
    let (engine, probe) = start(64, config());
    let joined = |one: Request, other: Request| {
        let before = engine.metrics().joined;
        probe.hold.store(true, SeqCst);
        let streams = [engine.submit(one).unwrap(), engine.submit(other).unwrap()];
        probe.hold.store(false, SeqCst);
        let said = streams.map(said);
        let joined = engine.metrics().joined > before;
        assert!(!joined || said[0] == said[1]);
        joined
    };
    let me = |sampling: Sampling| Request { sampling, ..asked("me", &[1, 2, 3], 8) };
    assert!(joined(me(Sampling::greedy()), me(Sampling::greedy())));
    assert!(joined(me(drawn(Some(7))), me(drawn(Some(7)))));
    assert!(!joined(me(drawn(None)), me(drawn(None))), "each is drawn in its own way");
    assert!(!joined(me(drawn(Some(7))), me(drawn(Some(8)))));
    assert!(!joined(me(Sampling::greedy()), asked("you", &[1, 2, 3], 8)));
    assert!(!joined(me(Sampling::greedy()), asked("me", &[1, 2, 4], 8)));
    assert!(!joined(me(Sampling::greedy()), asked("me", &[1, 2, 3], 9)));
    assert!(!joined(request(&[1, 2, 3], 8), request(&[1, 2, 3], 8)), "nobody wanted that");
}

#[test]
fn the_last_who_leaves_ends_it() {
    let (engine, _) = start(64, config());
    let long = Request {
        stop: Stop { ignore_eos: true, max_new_tokens: Some(60), ..Stop::default() },
        ..asked("me", &[1], 60)
    };
    let streams: Vec<_> = (0..3).map(|_| engine.submit(long.clone()).unwrap()).collect();
    drop(streams);
    eventually(|| engine.load().running + engine.load().waiting == 0);
    assert_eq!(said(engine.submit(long).unwrap()).1.len(), 60);
}

#[test]
fn a_prompt_that_is_being_read_is_not_read_twice() {
    let (engine, probe) = start(64, EngineConfig { step_tokens: 8, max_sequences: 8, ..config() });
    let prompt: Vec<u32> = (0..41).map(|at| at % 29 + 1).collect();
    let other: Vec<u32> = prompt[..21].iter().copied().chain([30, 30, 30]).collect();
    let sampled =
        |prompt: &[u32], seed| Request { sampling: drawn(Some(seed)), ..request(prompt, 3) };
    let alone: Vec<_> = [(&prompt, 1), (&prompt, 2), (&other, 3)]
        .map(|(prompt, seed)| {
            let (engine, _) = start(64, config());
            said(engine.submit(sampled(prompt, seed)).unwrap())
        })
        .into();
    probe.hold.store(true, SeqCst);
    let first = engine.submit(sampled(&prompt, 1)).unwrap();
    eventually(|| engine.load().waiting == 0);
    let second = engine.submit(sampled(&prompt, 2)).unwrap();
    let third = engine.submit(sampled(&other, 3)).unwrap();
    probe.hold.store(false, SeqCst);
    let found = [first, second, third].map(answer);
    for (found, alone) in found.iter().zip(&alone) {
        assert_eq!((&found.text, &found.ids), (&alone.0, &alone.1));
    }
    let cached = found.map(|answer| answer.finished.usage.cached_tokens);
    assert_eq!(cached, [0, 40, 20]);
    // 41 rows, then 1 and 4, and those of answers.
    assert!(probe.rows.load(SeqCst) <= 41 + 1 + 4 + 3 * 3);
}

#[test]
fn people_do_not_wait_for_batch_work_that_reads_the_same() {
    let (engine, probe) = start(64, EngineConfig { step_tokens: 8, ..config() });
    let prompt: Vec<u32> = (0..41).map(|at| at % 29 + 1).collect();
    let batch = Standing { priority: Priority::Batch, ..Standing::default() };
    probe.hold.store(true, SeqCst);
    let work = engine.submit(Request { standing: batch, ..request(&prompt, 2) }).unwrap();
    eventually(|| engine.load().waiting == 0);
    let asked = engine.submit(request(&prompt, 2)).unwrap();
    probe.hold.store(false, SeqCst);
    assert!(answer(asked).finished.usage.cached_tokens <= 8);
    answer(work);
}

#[test]
fn what_was_read_of_a_prompt_is_found_after_its_reader_has_left() {
    let (engine, probe) = start(64, EngineConfig { step_tokens: 8, ..config() });
    let prompt: Vec<u32> = (0..41).map(|at| at % 29 + 1).collect();
    probe.hold.store(true, SeqCst);
    let first = engine.submit(request(&prompt, 2)).unwrap();
    let second = engine.submit(request(&prompt, 2)).unwrap();
    eventually(|| engine.load().waiting <= 1);
    drop(first);
    probe.hold.store(false, SeqCst);
    // The step that was computed when it left.
    let usage = answer(second).finished.usage;
    assert_eq!(usage.cached_tokens, 8);
}
