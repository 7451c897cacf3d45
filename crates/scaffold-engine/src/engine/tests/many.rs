//! Many requests: who goes first, who waits how long, and what prompts share.

use super::*;
use crate::request::{Priority, Scores, Standing};

/// The order in which requests with these standings are begun that all wait when a place comes
/// free, one at a time.
fn order(standings: &[Standing], config: EngineConfig) -> Vec<usize> {
    let (engine, probe) = start(64, EngineConfig { max_sequences: 1, ..config });
    probe.hold.store(true, SeqCst);
    let first = engine.submit(request(&[1], 1)).unwrap();
    eventually(|| engine.load().waiting == 0);
    let submit = |(index, standing): (usize, &Standing)| {
        let standing = standing.clone();
        engine.submit(Request { standing, ..request(&[2 + index as u32], 1) }).unwrap()
    };
    let streams: Vec<EventStream> = standings.iter().enumerate().map(submit).collect();
    probe.hold.store(false, SeqCst);
    answer(first);
    for stream in streams {
        answer(stream);
    }
    let begun = probe.begun.lock().unwrap();
    begun.iter().filter(|&&token| token > 1).map(|&token| token as usize - 2).collect()
}

fn of(owner: &str, priority: Priority) -> Standing {
    Standing { priority, owner: Some(owner.into()), ..Standing::default() }
}

#[test]
fn people_go_before_batch_work() {
    let batch = Standing { priority: Priority::Batch, ..Standing::default() };
    let found = order(&[batch.clone(), Standing::default(), batch], config());
    assert_eq!(found, [1, 0, 2]);
}

/// What the engine tells those with whom its model shares the machine.
#[test]
fn a_step_is_awaited_where_somebody_waits_for_a_part_of_it() {
    let batch = Standing { priority: Priority::Batch, ..Standing::default() };
    let unawaited = |standing: Standing| {
        let (engine, probe) = start(64, config());
        let request = Request { standing, ..request(&[1, 2, 3], 4) };
        answer(engine.submit(request).unwrap());
        let (steps, unawaited) = (probe.steps.load(SeqCst), probe.unawaited.load(SeqCst));
        assert!(steps > 0);
        unawaited == steps
    };
    assert!(unawaited(batch.clone()) && !unawaited(Standing::default()));
    let (engine, probe) = start(64, config());
    probe.hold.store(true, SeqCst);
    let mut long = request(&[1], 40);
    long.stop.ignore_eos = true;
    let first = engine.submit(long).unwrap();
    let beside = engine.submit(Request { standing: batch, ..request(&[2], 2) }).unwrap();
    probe.hold.store(false, SeqCst);
    answer(beside);
    assert_eq!(probe.unawaited.load(SeqCst), 0);
    drop(first);
}

#[test]
fn an_owner_that_is_over_its_limit_is_refused_and_others_are_not() {
    let limited = EngineConfig { owner_waiting: Some(2), max_sequences: 1, ..config() };
    let (engine, probe) = start(64, limited);
    probe.hold.store(true, SeqCst);
    let standing = of("ann", Priority::Interactive);
    let ask = |standing: &Standing| {
        engine.submit(Request { standing: standing.clone(), ..request(&[1], 2) })
    };
    let first = ask(&standing).unwrap();
    eventually(|| engine.load().waiting == 0);
    let held = [ask(&standing).unwrap(), ask(&standing).unwrap()];
    let refused = ask(&standing).unwrap_err();
    assert_eq!(refused.kind(), Kind::Busy);
    let cause = refused.cause::<crate::Overloaded>().unwrap();
    assert_eq!((cause.waiting, cause.limit, cause.owner.as_deref()), (2, 2, Some("ann")));
    let other = ask(&of("bob", Priority::Interactive)).unwrap();
    probe.hold.store(false, SeqCst);
    held.into_iter().chain([first, other]).for_each(|stream| drop(answer(stream)));
    let metrics = engine.metrics();
    assert_eq!((metrics.submitted, metrics.refused), (4, 1));
    assert_eq!((metrics.stopped + metrics.cut, metrics.queue.count), (4, 4));
}

#[test]
fn what_is_not_begun_in_time_fails_and_says_so() {
    let (engine, probe) = start(64, EngineConfig { max_sequences: 1, ..config() });
    probe.hold.store(true, SeqCst);
    let running = engine.submit(request(&[1], 8)).unwrap();
    eventually(|| engine.load().waiting == 0);
    let standing = Standing { max_wait: Some(Duration::from_millis(1)), ..Standing::default() };
    let late = engine.submit(Request { standing, ..request(&[1], 1) }).unwrap();
    std::thread::sleep(Duration::from_millis(5));
    probe.hold.store(false, SeqCst);
    let error = last(late);
    assert_eq!(error.kind(), Kind::Busy);
    assert!(error.to_string().contains("was not begun"), "{error}");
    answer(running);
    assert_eq!(engine.metrics().expired, 1);
}

#[test]
fn answers_to_one_prompt_read_it_once_and_are_those_given_alone() {
    let (engine, probe) = start(128, config());
    let prompt: Vec<u32> = (1..30).chain(1..12).collect();
    let ask = |sequence| {
        let sampling = Sampling { do_sample: true, seed: Some(7), sequence, ..Sampling::default() };
        Request { sampling, ..request(&prompt, 6) }
    };
    let alone: Vec<_> =
        (0..5).map(|n| answer(start(128, config()).0.submit(ask(n)).unwrap()).ids).collect();
    let streams = engine.submit_together((0..5).map(ask).collect()).unwrap();
    let together: Vec<_> = streams.into_iter().map(answer).collect();
    assert_eq!(together.iter().map(|answer| answer.ids.clone()).collect::<Vec<_>>(), alone);
    assert!(alone.iter().any(|ids| *ids != alone[0]), "they are drawn differently");
    let cached: Vec<_> = together.iter().map(|a| a.finished.usage.cached_tokens).collect();
    // All full blocks of the prompt but for its last token.
    assert_eq!(cached, [0, 40, 40, 40, 40].map(|n: usize| n.min(prompt.len() - 1) / 4 * 4));
    let new: usize = alone.iter().map(Vec::len).sum();
    assert!(probe.rows.load(SeqCst) <= prompt.len() + 4 * 4 + new);
    let too_many = engine.submit_together(vec![request(&[1], 1); 129]).unwrap_err();
    assert_eq!((too_many.kind(), too_many.place().key()), (Kind::Usage, Some("n")));
}

#[test]
fn others_go_on_when_the_one_that_reads_for_them_leaves() {
    let (engine, probe) = start(4096, EngineConfig { step_tokens: 8, ..config() });
    probe.hold.store(true, SeqCst);
    let mut streams = engine.submit_together(vec![request(&[1; 500], 2); 3]).unwrap().into_iter();
    eventually(|| engine.load().running == 1);
    drop(streams.next());
    probe.hold.store(false, SeqCst);
    for stream in streams {
        assert!(!answer(stream).ids.is_empty());
    }
}

#[test]
fn prompts_with_different_salts_share_nothing() {
    let (engine, _) = start(64, config());
    let prompt: Vec<u32> = (1..18).collect();
    let cached = |salt: Option<&str>| {
        let standing = Standing { salt: salt.map(Into::into), ..Standing::default() };
        let stream = engine.submit(Request { standing, ..request(&prompt, 2) }).unwrap();
        answer(stream).finished.usage.cached_tokens
    };
    let asked = [None, Some("a"), Some("b"), Some("a"), None, Some("b")];
    assert_eq!(asked.map(cached), [0, 0, 0, 16, 16, 16]);
}

#[test]
fn scores_are_those_of_the_tokens_that_come_next() {
    let (engine, probe) = start(128, config());
    let prompt: Vec<u32> = (0..60).map(|n| n * 7 % 31 + 1).collect();
    let score = |from, new, prompt: &[u32]| {
        let scores = Some(Scores { from, top: 3 });
        let stop = Stop { max_new_tokens: Some(new), ..Stop::default() };
        let request = Request { stop, scores, ..Request::new(prompt.to_vec()) };
        let (mut found, mut text) = (Vec::new(), 0);
        for event in engine.submit(request).unwrap() {
            match event {
                Event::Scored(scores) => found.extend(scores),
                Event::Text(piece) => text += piece.ids.len(),
                Event::Started(_) => {}
                Event::Finished(finished) => assert_eq!(finished.reason, FinishReason::Length),
                Event::Failed(error) => panic!("{error}"),
            }
        }
        assert_eq!(text, new);
        found
    };
    let all = score(1, 0, &prompt);
    assert!(all.iter().map(|score| score.id).eq(prompt[1..].iter().copied()));
    assert!(all.iter().all(|score| score.top.len() == 3 && score.logprob <= score.top[0].1));
    // What an answer of one token would have said, with everything before it.
    for at in [1, 13, 59] {
        let request = Request { logprobs: Some(3), ..request(&prompt[..at], 1) };
        let logprobs = engine.submit(request).unwrap().find_map(|event| match event {
            Event::Text(piece) => Some(piece.logprobs),
            _ => None,
        });
        assert_eq!(logprobs.unwrap()[0].top, all[at - 1].top);
    }
    let rows = probe.rows.load(SeqCst);
    assert_eq!(score(50, 2, &prompt), all[49..]);
    // The prefix is taken from the cache, as far as nothing in it is scored.
    assert_eq!(probe.rows.load(SeqCst) - rows, 60 - 48 + 1);
    for from in [0, 60] {
        let scores = Some(Scores { from, top: 0 });
        let refused = engine.submit(Request { scores, ..request(&prompt, 1) }).unwrap_err();
        assert!(refused.to_string().contains("1 to the last place"), "{refused}");
    }
}

#[test]
fn a_reader_that_is_far_behind_is_waited_for_without_blocks_and_loses_nothing() {
    let small = EngineConfig { unread_bytes: 2000, eos: Vec::new(), ..config() };
    let (engine, _) = start(600, small);
    let ask = || Request { logprobs: Some(5), ..request(&[1, 2, 3], 400) };
    let slow = engine.submit(ask()).unwrap();
    eventually(|| engine.metrics().paused == 1);
    let metrics = engine.metrics();
    assert_eq!((metrics.blocks.held, metrics.running), (0, 0));
    // Others go on meanwhile, and one that leaves is cleared away.
    assert_eq!(answer(engine.submit(request(&[2], 20)).unwrap()).ids.len(), 20);
    let left = engine.submit(ask()).unwrap();
    eventually(|| engine.metrics().paused == 2);
    drop(left);
    eventually(|| engine.metrics().paused == 1);
    let alone =
        answer(start(600, EngineConfig { eos: Vec::new(), ..config() }).0.submit(ask()).unwrap());
    assert_eq!(answer(slow).ids, alone.ids);
}

#[test]
fn an_engine_that_drains_answers_what_it_has_and_takes_no_more() {
    let (engine, probe) = start(4096, EngineConfig { eos: Vec::new(), ..config() });
    probe.hold.store(true, SeqCst);
    let stream = engine.submit(request(&[1], 30)).unwrap();
    assert!(!engine.drain(Some(Duration::from_millis(5))));
    let refused = engine.submit(request(&[1], 1)).unwrap_err();
    assert!(refused.to_string().contains("being unloaded"), "{refused}");
    probe.hold.store(false, SeqCst);
    assert!(engine.drain(None));
    assert_eq!(answer(stream).ids.len(), 30);
}

#[test]
fn more_than_the_limits_allow_is_refused_by_name() {
    let (engine, _) = start(64, config());
    let plain = || request(&[1], 1);
    let stops = |strings: Vec<String>, ids| Stop { strings, ids, ..plain().stop };
    let bias = Sampling { logit_bias: vec![(1, 0.5); 4097], ..Sampling::default() };
    for (key, request) in [
        ("stop", Request { stop: stops(vec!["a".into(); 65], vec![]), ..plain() }),
        ("stop", Request { stop: stops(vec!["a".repeat(4097)], vec![]), ..plain() }),
        ("stop_ids", Request { stop: stops(vec![], vec![1; 1025]), ..plain() }),
        ("logprobs", Request { logprobs: Some(101), ..plain() }),
        ("prompt_logprobs", Request { scores: Some(Scores { from: 1, top: 101 }), ..plain() }),
        ("logit_bias", Request { sampling: bias, ..plain() }),
    ] {
        let error = engine.submit(request).unwrap_err();
        assert_eq!((error.kind(), error.place().key()), (Kind::Usage, Some(key)), "{error}");
        assert!(error.to_string().contains("at most"), "{error}");
    }
}
