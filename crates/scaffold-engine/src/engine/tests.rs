mod again;
mod constrained;
mod faults;
mod many;
mod places;

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use scaffold_error::Kind;

use super::*;
use crate::event::{Event, FinishReason, Finished};
use crate::fake::{EOS, FakeModel, Letters, PADDED, Probe, VOCAB, letter};
use crate::health::{Condition, stopped};
use crate::request::Stop;
use crate::sample::Sampling;

fn config() -> EngineConfig {
    EngineConfig { block_tokens: 4, eos: vec![EOS], ..EngineConfig::default() }
}

fn start(context: usize, config: EngineConfig) -> (Engine, Arc<Probe>) {
    let model = Arc::new(FakeModel::new(context));
    let probe = Arc::clone(&model.probe);
    (Engine::start_with(model, Arc::new(Letters), config).unwrap(), probe)
}

fn request(prompt: &[u32], max_new_tokens: usize) -> Request {
    let stop = Stop { max_new_tokens: Some(max_new_tokens), ..Stop::default() };
    Request { stop, ..Request::new(prompt.to_vec()) }
}

struct Answer {
    text: String,
    ids: Vec<u32>,
    finished: Finished,
}

fn answer(stream: EventStream) -> Answer {
    let (mut text, mut ids) = (String::new(), Vec::new());
    for event in stream {
        match event {
            Event::Started(_) | Event::Scored(_) => {}
            Event::Text(piece) => {
                text.push_str(&piece.text);
                ids.extend(piece.ids);
            }
            Event::Finished(finished) => {
                return Answer { text, ids, finished };
            }
            Event::Failed(error) => panic!("{error}"),
        }
    }
    panic!("the stream ended without a last event")
}

/// Polls for at most a second.
fn eventually(mut condition: impl FnMut() -> bool) {
    for _ in 0..1000 {
        if condition() {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("the condition did not come true within a second");
}

#[test]
fn a_reader_sees_how_far_the_prompt_is_computed() {
    let (engine, _) = start(64, config());
    let mut stream = engine.submit(request(&[3, 4, 5, 6, 7], 2)).unwrap();
    assert_eq!(stream.by_ref().filter(|event| matches!(event, Event::Text(_))).count(), 2);
    assert_eq!(stream.prompt_read(), 5);
}

#[test]
fn an_answer_has_text_ids_usage_and_timings() {
    let (engine, _) = start(64, config());
    let Answer { text, ids, finished } = answer(engine.submit(request(&[3, 4, 5], 10)).unwrap());
    let spoken = if matches!(finished.reason, FinishReason::Eos { .. }) {
        &ids[..ids.len() - 1]
    } else {
        &ids[..]
    };
    assert_eq!(text, spoken.iter().map(|&id| letter(id)).collect::<String>());
    assert!(ids.iter().all(|&id| (id as usize) < VOCAB), "padding was chosen: {ids:?}");
    assert_eq!((finished.usage.prompt_tokens, finished.usage.completion_tokens), (3, ids.len()));
    assert!(finished.timings.decode_tok_s(&finished.usage).is_some());
}

#[test]
fn the_events_come_in_order_and_the_seed_is_told() {
    let (engine, _) = start(64, config());
    let sampling = Sampling { do_sample: true, ..Sampling::default() };
    let mut stream =
        engine.submit(Request { sampling: sampling.clone(), ..request(&[1, 2], 5) }).unwrap();
    let Some(Event::Started(started)) = stream.recv() else { panic!("not started") };
    assert_eq!((started.prompt_tokens, started.max_new_tokens), (2, 5));
    let first = answer(stream).ids;
    let sampling = Sampling { seed: Some(started.seed), ..sampling };
    assert_eq!(
        answer(engine.submit(Request { sampling, ..request(&[1, 2], 5) }).unwrap()).ids,
        first
    );
}

#[test]
fn many_requests_share_steps_and_answer_as_if_alone() {
    let sampled =
        |seed| Sampling { do_sample: true, top_k: 8, seed: Some(seed), ..Sampling::default() };
    let requests: Vec<Request> = (0..20u32)
        .map(|i| Request { sampling: sampled(u64::from(i)), ..request(&[i % 7 + 1, 2, i + 3], 12) })
        .collect();
    let alone: Vec<_> = requests
        .iter()
        .map(|r| {
            let (engine, _) = start(64, config());
            answer(engine.submit(r.clone()).unwrap()).ids
        })
        .collect();
    let (engine, probe) = start(64, config());
    let streams: Vec<_> = requests.into_iter().map(|r| engine.submit(r).unwrap()).collect();
    let together: Vec<_> = streams.into_iter().map(|s| answer(s).ids).collect();
    assert_eq!(together, alone);
    assert!(probe.largest_batch.load(SeqCst) > 1);
}

#[test]
fn a_repeated_prompt_is_not_computed_again() {
    let (engine, probe) = start(64, config());
    let prompt: Vec<u32> = (1..18).collect();
    let first = answer(engine.submit(request(&prompt, 4)).unwrap());
    let rows = probe.rows.load(SeqCst);
    let second = answer(engine.submit(request(&prompt, 4)).unwrap());
    assert_eq!((first.finished.usage.cached_tokens, second.finished.usage.cached_tokens), (0, 16));
    assert_eq!(second.ids, first.ids);
    assert_eq!(probe.rows.load(SeqCst) - rows, rows - 16);
}

fn last(stream: EventStream) -> Error {
    match stream.last() {
        Some(Event::Failed(error)) => error,
        other => panic!("not a failure: {other:?}"),
    }
}

#[test]
fn what_does_not_fit_is_refused_with_both_numbers_before_anything_is_computed() {
    let (engine, probe) = start(16, config());
    let error = engine.submit(request(&[1; 16], 1)).unwrap_err().to_string();
    assert!(error.contains("16 tokens") && error.contains("holds 16"), "{error}");
    let empty = engine.submit(request(&[], 1)).unwrap_err();
    assert!(empty.to_string().contains("no tokens"), "{empty}");
    let unknown = engine.submit(request(&[PADDED as u32], 1)).unwrap_err().to_string();
    assert!(unknown.contains("token 40") && unknown.contains("39"), "{unknown}");
    let none = engine.submit(request(&[1], 0)).unwrap_err();
    assert_eq!((none.kind(), none.place().key()), (Kind::Usage, Some("max_new_tokens")));
    let sampling = Sampling { top_p: 2.0, ..Sampling::default() };
    let beyond = engine.submit(Request { sampling, ..request(&[1], 1) }).unwrap_err();
    assert_eq!((beyond.kind(), beyond.place().key()), (Kind::Usage, Some("top_p")));
    assert!(beyond.to_string().starts_with("top_p is 2: accepted is a number from 0 to 1"));
    assert_eq!(probe.steps.load(SeqCst), 0);
}

#[test]
fn an_answer_may_fill_the_context_and_says_so() {
    let (engine, _) = start(16, EngineConfig { eos: Vec::new(), ..config() });
    let full = answer(engine.submit(Request::new(vec![1, 2, 3])).unwrap());
    assert_eq!((full.finished.reason, full.ids.len()), (FinishReason::ContextFull, 13));
    let short = answer(engine.submit(request(&[1, 2, 3], 13)).unwrap());
    assert_eq!((short.finished.reason, short.ids.len()), (FinishReason::Length, 13));
}

#[test]
fn stop_tokens_eos_and_stop_strings_end_the_answer() {
    let (engine, _) = start(128, EngineConfig { eos: Vec::new(), ..config() });
    let plain = answer(engine.submit(request(&[5, 6], 20)).unwrap());

    let id = plain.ids[6];
    let at = plain.ids.iter().position(|&x| x == id).unwrap();
    let stop = Stop { ids: vec![id], max_new_tokens: Some(20), ..Stop::default() };
    let by_id = answer(engine.submit(Request { stop, ..request(&[5, 6], 20) }).unwrap());
    assert_eq!((by_id.finished.reason, by_id.ids.len()), (FinishReason::StopId { id }, at + 1));
    assert_eq!(by_id.text, plain.text[..at]);

    // A stop string across token borders: three letters are three tokens.
    let string = plain.text[8..11].to_owned();
    let at = plain.text.find(&string).unwrap();
    let stop =
        Stop { strings: vec!["!".into(), string], max_new_tokens: Some(20), ..Stop::default() };
    let by_string = answer(engine.submit(Request { stop, ..request(&[5, 6], 20) }).unwrap());
    assert_eq!(by_string.finished.reason, FinishReason::StopString { index: 1 });
    assert_eq!(by_string.text, plain.text[..at]);

    let (engine, _) = start(128, EngineConfig { eos: vec![id], ..config() });
    let by_eos = answer(engine.submit(request(&[5, 6], 20)).unwrap());
    assert_eq!(by_eos.finished.reason, FinishReason::Eos { id });
    let stop = Stop { ignore_eos: true, max_new_tokens: Some(20), ..Stop::default() };
    assert_eq!(
        answer(engine.submit(Request { stop, ..request(&[5, 6], 20) }).unwrap()).ids,
        plain.ids
    );
    let sampling = Sampling { min_new_tokens: 12, ..Sampling::default() };
    assert!(
        answer(engine.submit(Request { sampling, ..request(&[5, 6], 20) }).unwrap()).ids.len()
            >= 12
    );
}

#[test]
fn dropping_a_stream_cancels_in_the_queue_and_while_computing() {
    let (engine, probe) =
        start(4096, EngineConfig { max_sequences: 1, eos: Vec::new(), ..config() });
    probe.hold.store(true, SeqCst);
    let running = engine.submit(Request::new(vec![1])).unwrap();
    let queued = engine.submit(Request::new(vec![2])).unwrap();
    let served = engine.submit(request(&[3], 2)).unwrap();
    eventually(|| engine.load().waiting + engine.load().running >= 2);
    drop(running);
    drop(queued);
    probe.hold.store(false, SeqCst);
    assert_eq!(answer(served).ids.len(), 2);
    eventually(|| engine.load() == Load { waiting: 0, running: 0 });
    assert!(probe.steps.load(SeqCst) < 10);
}

#[test]
fn a_prompt_is_cancelled_between_its_chunks() {
    let (engine, probe) = start(4096, EngineConfig { step_tokens: 8, ..config() });
    probe.hold.store(true, SeqCst);
    let stream = engine.submit(request(&[1; 2000], 1)).unwrap();
    eventually(|| engine.load().waiting == 0);
    drop(stream);
    probe.hold.store(false, SeqCst);
    eventually(|| engine.load() == Load { waiting: 0, running: 0 });
    assert!(probe.rows.load(SeqCst) <= 16);
}

#[test]
fn a_reader_that_never_reads_stops_nobody() {
    let (engine, _) = start(600, EngineConfig { event_capacity: 2, eos: Vec::new(), ..config() });
    let slow = engine.submit(request(&[1], 500)).unwrap();
    assert_eq!(answer(engine.submit(request(&[2], 500)).unwrap()).ids.len(), 500);
    eventually(|| engine.load().running == 0);
    assert_eq!(answer(slow).ids.len(), 500);
}

#[test]
fn a_failed_step_fails_its_requests_and_nothing_else() {
    let (engine, probe) = start(64, config());
    probe.fail.store(true, SeqCst);
    let text = last(engine.submit(request(&[1], 4)).unwrap()).to_string();
    assert_eq!(text, "the model failed: the fake model was told to fail");
    answer(engine.submit(request(&[1], 4)).unwrap());
}

#[test]
fn shutdown_ends_answers_with_an_error_and_frees_the_model() {
    let (engine, probe) = start(100_000, EngineConfig { eos: Vec::new(), ..config() });
    let stream = engine.submit(Request::new(vec![1])).unwrap();
    engine.shutdown();
    assert!(probe.dropped.load(SeqCst));
    assert!(last(stream).to_string().contains("was stopped"));
    let error = engine.submit(request(&[1], 1)).unwrap_err();
    assert_eq!(error.to_string(), stopped().to_string());
    assert_eq!(engine.health().condition, Condition::Stopped);
}

#[test]
fn the_last_handle_stops_the_engine() {
    let (engine, probe) = start(64, config());
    let other = engine.clone();
    drop(engine);
    assert!(!probe.dropped.load(SeqCst));
    drop(other);
    assert!(probe.dropped.load(SeqCst));
}

#[test]
fn settings_out_of_range_are_refused() {
    for bad in [
        EngineConfig { max_sequences: 0, ..config() },
        EngineConfig { step_tokens: 4, ..config() },
        EngineConfig { max_waiting: 0, ..config() },
        EngineConfig { block_tokens: 0, ..config() },
        EngineConfig { context: Some(1), ..config() },
        EngineConfig { memory_limit: Some(10), ..config() },
    ] {
        assert!(Engine::start_with(Arc::new(FakeModel::new(64)), Arc::new(Letters), bad).is_err());
    }
}
