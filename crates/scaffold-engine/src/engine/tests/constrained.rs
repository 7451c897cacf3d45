//! Answers that have to keep to rules.

use scaffold_error::Kind;

use super::*;
use crate::constraint::Constraint;
use crate::fake::rules::Turns;

fn constrained(prompt: &[u32], most: usize, rules: Turns) -> Request {
    let constraint = Some(Constraint::new(Arc::new(rules)));
    Request { constraint, ..request(prompt, most) }
}

fn turns(length: usize) -> Turns {
    Turns { length, ..Turns::default() }
}

fn drawn(seed: u64) -> Sampling {
    let seed = Some(seed);
    Sampling {
        do_sample: true,
        temperature: 1.5,
        repetition_penalty: 1.1,
        seed,
        ..Sampling::default()
    }
}

/// The rules, told of whole answers.
fn keeps(ids: &[u32]) -> bool {
    let guide = Constraint::new(Arc::new(turns(ids.len()))).begin();
    let mut guide = guide.unwrap();
    ids.iter().all(|&id| {
        let has = guide.allowed().unwrap().has(id);
        has && guide.take(id).is_ok()
    })
}

#[test]
fn answers_keep_to_their_rules_and_end_when_they_are_whole() {
    let (engine, _) = start(64, config());
    for seed in 0..20 {
        let request = Request { sampling: drawn(seed), ..constrained(&[3, 4], 40, turns(12)) };
        let Answer { ids, finished, text } = answer(engine.submit(request).unwrap());
        assert!(keeps(&ids), "{ids:?}");
        assert!(ids.len() >= 12 && text.len() == ids.len());
        assert_eq!(finished.reason, FinishReason::Complete);
        assert_eq!((finished.incomplete, finished.usage.completion_tokens), (false, ids.len()));
    }
}

/// Tokens that must follow are not computed on their own, and change nothing.
#[test]
fn what_is_forced_saves_steps_and_is_what_would_be_chosen() {
    let (engine, probe) = start(64, config());
    let mut saved = 0;
    for seed in 0..20 {
        let request =
            Request { sampling: drawn(seed), ..constrained(&[seed as u32, 4], 40, turns(20)) };
        let before = probe.steps.load(SeqCst);
        let forced = answer(engine.submit(request.clone()).unwrap());
        let with = probe.steps.load(SeqCst) - before;
        let chosen = Request { logprobs: Some(0), ..request };
        let chosen = answer(engine.submit(chosen).unwrap());
        assert_eq!((&forced.ids, &forced.text), (&chosen.ids, &chosen.text));
        saved += probe.steps.load(SeqCst) - before - 2 * with;
    }
    assert!(saved > 20, "{saved}");
    assert_eq!(engine.metrics().forced_tokens as usize, saved);
}

#[test]
fn constrained_and_free_answers_share_steps_and_are_as_alone() {
    let requests: Vec<Request> = (0..24u32)
        .map(|i| {
            let prompt = [i % 7 + 1, 2, i + 3];
            let asked = match i % 3 {
                0 => request(&prompt, 20),
                1 => constrained(&prompt, 20, turns(15)),
                _ => constrained(&prompt, 20, Turns { length: 6, open: true, ..Turns::default() }),
            };
            Request { sampling: drawn(u64::from(i)), ..asked }
        })
        .collect();
    let alone: Vec<_> = requests
        .iter()
        .map(|request| answer(start(64, config()).0.submit(request.clone()).unwrap()).ids)
        .collect();
    // Few rows a step and few blocks: forced tokens do not fit, sequences are put back.
    for (step_tokens, kv_tokens) in [(256, None), (9, Some(96))] {
        let config = EngineConfig { step_tokens, kv_tokens, max_sequences: 8, ..config() };
        let (engine, probe) = start(64, config);
        let streams: Vec<_> =
            requests.iter().map(|request| engine.submit(request.clone()).unwrap()).collect();
        let together: Vec<_> = streams.into_iter().map(|stream| answer(stream).ids).collect();
        assert_eq!(together, alone);
        assert!(probe.largest_batch.load(SeqCst) > 1);
    }
}

#[test]
fn an_answer_that_is_cut_is_incomplete() {
    let (engine, _) = start(64, config());
    for most in 1..10 {
        let request = Request { sampling: drawn(5), ..constrained(&[3, 4], most, turns(30)) };
        let Answer { ids, finished, .. } = answer(engine.submit(request).unwrap());
        assert_eq!((ids.len(), finished.reason), (most, FinishReason::Length));
        assert!(finished.incomplete && keeps(&ids));
    }
    // With the last token that it may have it is whole.
    let most = 64 - 2;
    let whole = Request { sampling: drawn(5), ..constrained(&[3, 4], most, turns(12)) };
    let length = answer(engine.submit(whole.clone()).unwrap()).ids.len();
    let stop = Stop { max_new_tokens: Some(length), ..Stop::default() };
    let finished = answer(engine.submit(Request { stop, ..whole.clone() }).unwrap()).finished;
    assert_eq!((finished.reason, finished.incomplete), (FinishReason::Complete, false));
    // A stop string cuts, too.
    let text = answer(engine.submit(whole.clone()).unwrap()).text;
    let stop = Stop { strings: vec![text[4..6].to_owned()], ..Stop::default() };
    let finished = answer(engine.submit(Request { stop, ..whole }).unwrap()).finished;
    assert!(matches!(finished.reason, FinishReason::StopString { .. }) && finished.incomplete);
}

#[test]
fn the_end_comes_only_where_it_may() {
    let (engine, _) = start(200, config());
    let rules = Turns { length: 25, open: true, ..Turns::default() };
    for seed in 0..10 {
        let request = Request { sampling: drawn(seed), ..constrained(&[7, 1], 190, rules) };
        let Answer { ids, finished, .. } = answer(engine.submit(request).unwrap());
        if matches!(finished.reason, FinishReason::Eos { .. }) {
            assert!(ids.len() > 25 && keeps(&ids[..ids.len() - 1]));
        }
        assert!(!finished.incomplete);
    }
}

#[test]
fn a_guide_that_fails_or_panics_fails_its_own_answer_alone() {
    let (engine, _) = start(64, config());
    let fails = Turns { length: 40, fails_at: Some(6), ..Turns::default() };
    let panics = Turns { length: 40, panics_at: Some(6), ..Turns::default() };
    let beside = engine.submit(request(&[2], 30)).unwrap();
    for (rules, kind, words) in
        [(fails, Kind::Internal, "told to fail"), (panics, Kind::Internal, "told to panic")]
    {
        // Each token has logits, so that none is passed over.
        let asked = Request { logprobs: Some(0), ..constrained(&[3, 4], 30, rules) };
        let last = engine.submit(asked).unwrap().last();
        let Some(Event::Failed(error)) = last else { panic!("{last:?}") };
        assert_eq!(error.kind(), kind);
        assert!(error.to_string().contains(words), "{error}");
    }
    answer(beside);
    assert!(engine.health().is_running());
    assert_eq!(engine.metrics().failed, 2);
}
