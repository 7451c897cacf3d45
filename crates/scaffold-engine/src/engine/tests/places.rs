//! Places in the queue: who is refused, and who waits.

use super::*;

#[test]
fn a_full_queue_refuses() {
    let (engine, probe) = start(64, EngineConfig { max_waiting: 1, max_sequences: 1, ..config() });
    probe.hold.store(true, SeqCst);
    let first = engine.submit(request(&[1], 2)).unwrap();
    eventually(|| engine.load().waiting == 0);
    let second = engine.submit(request(&[1], 2)).unwrap();
    let error = engine.submit(request(&[1], 2)).unwrap_err();
    assert_eq!(error.kind(), Kind::Busy);
    assert!(error.to_string().contains("1 requests wait already, and 1 may"), "{error}");
    probe.hold.store(false, SeqCst);
    answer(first);
    answer(second);
}

#[test]
fn a_full_queue_can_be_waited_for() {
    let (engine, probe) = start(64, EngineConfig { max_waiting: 2, max_sequences: 2, ..config() });
    probe.hold.store(true, SeqCst);
    std::thread::scope(|scope| {
        let batch = scope.spawn(|| {
            let submit = |i: u32| engine.submit_when_free(request(&[i % 30 + 1], 3));
            let streams: Vec<_> = (0..200).map(|i| submit(i).unwrap()).collect();
            streams.into_iter().map(answer).count()
        });
        eventually(|| engine.load().waiting == 2);
        let full = engine.submit(request(&[1], 2)).unwrap_err();
        assert_eq!(full.kind(), Kind::Busy);
        assert!(full.to_string().contains("and 2 may"), "{full}");
        // What is wrong with a request is told at once all the same.
        let empty = engine.submit_when_free(request(&[], 2)).unwrap_err();
        assert!(empty.to_string().contains("no tokens"), "{empty}");
        probe.hold.store(false, SeqCst);
        assert_eq!(batch.join().unwrap(), 200);
    });
    assert_eq!(engine.load().waiting, 0);
}

#[test]
fn the_queue_counts_all_that_is_not_begun_whoever_submits() {
    let (engine, probe) = start(64, EngineConfig { max_waiting: 5, max_sequences: 1, ..config() });
    probe.hold.store(true, SeqCst);
    let running = engine.submit(request(&[1], 2)).unwrap();
    eventually(|| engine.load().waiting == 0);
    let streams = std::thread::scope(|scope| {
        let submit = || scope.spawn(|| engine.submit(request(&[1], 2)).ok());
        let all: Vec<_> = (0..40).map(|_| submit()).collect();
        let all = all.into_iter();
        all.filter_map(|one| one.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!((streams.len(), engine.load().waiting), (5, 5));
    let text = engine.submit(request(&[1], 2)).unwrap_err().to_string();
    assert!(text.contains("5 requests wait") && text.contains("batch_generate"), "{text}");
    probe.hold.store(false, SeqCst);
    answer(running);
    for stream in streams {
        answer(stream);
    }
    assert_eq!(engine.load().waiting, 0);
}

#[test]
fn an_engine_that_stops_lets_nobody_wait_for_a_place() {
    let (engine, probe) = start(64, EngineConfig { max_waiting: 1, max_sequences: 1, ..config() });
    probe.hold.store(true, SeqCst);
    let held = [(); 2].map(|()| {
        let stream = engine.submit_when_free(request(&[1], 2)).unwrap();
        eventually(|| engine.load().waiting <= 1);
        stream
    });
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| engine.submit_when_free(request(&[1], 2)));
        let stops = scope.spawn(|| engine.shutdown());
        std::thread::sleep(Duration::from_millis(20));
        probe.hold.store(false, SeqCst);
        stops.join().unwrap();
        // It may have had a place for a moment.
        match waits.join().unwrap() {
            Err(error) => assert!(error.to_string().contains("was stopped"), "{error}"),
            Ok(stream) => assert!(stream.last().is_some()),
        }
    });
    drop(held);
}
