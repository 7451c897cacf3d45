//! Faults of the program's own: whom they concern, and what is left afterwards.

use std::sync::atomic::AtomicUsize;

use super::*;
use crate::forward::TextDecoder;
use crate::request::ControlText;

#[test]
fn a_panic_in_a_step_fails_its_requests_and_the_engine_goes_on() {
    let (engine, probe) = start(64, EngineConfig { max_sequences: 1, ..config() });
    let expected = answer(engine.submit(request(&[1, 2, 3, 4, 5], 4)).unwrap()).ids;
    probe.hold.store(true, SeqCst);
    probe.panic.store(true, SeqCst);
    let at_hand = engine.submit(request(&[1, 2, 3, 4, 5], 4)).unwrap();
    let waiting = engine.submit(request(&[1, 2, 3, 4, 5], 4)).unwrap();
    probe.hold.store(false, SeqCst);
    let error = last(at_hand);
    let text = error.to_string();
    assert!(
        error.kind() == Kind::Internal
            && text.contains("told to panic")
            && text.contains("repeat the request"),
        "{text}"
    );
    let after = answer(waiting);
    assert_eq!(after.ids, expected);
    // What the broken step had of the cache is not used again.
    assert_eq!(after.finished.usage.cached_tokens, 0);
    let health = engine.health();
    assert!(health.is_running() && health.panics == 1, "{health:?}");
    assert!(health.last_panic.is_some_and(|text| text.contains("told to panic")));
    assert_eq!(engine.load().waiting, 0);
}

#[test]
fn an_engine_that_cannot_be_made_whole_ends_and_says_so() {
    let (engine, probe) = start(64, EngineConfig { max_sequences: 1, ..config() });
    probe.hold.store(true, SeqCst);
    probe.panic.store(true, SeqCst);
    probe.unprepared.store(true, SeqCst);
    let at_hand = engine.submit(request(&[1], 4)).unwrap();
    eventually(|| engine.load().waiting == 0);
    let waiting = engine.submit(request(&[2], 4)).unwrap();
    probe.hold.store(false, SeqCst);
    assert!(last(at_hand).to_string().contains("broke off while it worked on this request"));
    let text = last(waiting).to_string();
    for part in ["told to panic", "cannot be made anew", "Load the model again"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    eventually(|| probe.dropped.load(SeqCst));
    assert_eq!(engine.health().condition, Condition::Ended);
    for refused in [Engine::submit, Engine::submit_when_free] {
        let error = refused(&engine, request(&[1], 1)).unwrap_err();
        assert!(error.to_string().contains("the engine has ended by a fault"), "{error}");
    }
    engine.shutdown();
    assert_eq!(engine.health().condition, Condition::Ended);
}

/// Letters whose first decoder cannot go on, as `how` says.
struct Trap {
    how: fn() -> Error,
    made: AtomicUsize,
}

struct Sprung(fn() -> Error);

impl Vocabulary for Trap {
    fn size(&self) -> usize {
        VOCAB
    }

    fn decoder(&self, controls: &ControlText) -> Box<dyn TextDecoder> {
        match self.made.fetch_add(1, SeqCst) {
            0 => Box::new(Sprung(self.how)),
            _ => Letters.decoder(controls),
        }
    }
}

impl TextDecoder for Sprung {
    fn push(&mut self, _: u32) -> Result<Option<String>, Error> {
        Err((self.0)())
    }

    fn finish(&mut self) -> Result<Option<String>, Error> {
        Ok(None)
    }
}

#[test]
fn a_decoder_that_fails_or_panics_concerns_its_own_answer_only() {
    let refuses = || Error::new(Kind::Damaged, "no");
    for (how, panics) in [(refuses as fn() -> Error, 0), (|| panic!("trap"), 1)] {
        let model = Arc::new(FakeModel::new(64));
        let probe = Arc::clone(&model.probe);
        let made = AtomicUsize::new(0);
        let trap = Arc::new(Trap { how, made });
        let engine = Engine::start_with(model, trap, config()).unwrap();
        probe.hold.store(true, SeqCst);
        let [bad, good] = [(); 2].map(|()| engine.submit(request(&[1, 2], 6)).unwrap());
        probe.hold.store(false, SeqCst);
        let error = last(bad);
        assert!(
            match panics {
                0 => error.kind() == Kind::Damaged,
                _ => error.to_string().contains("the engine broke off"),
            },
            "{error}"
        );
        assert!(!answer(good).ids.is_empty());
        let health = engine.health();
        assert!(health.is_running() && health.panics == panics, "{health:?}");
    }
}

#[test]
fn a_model_that_gives_no_logits_is_an_error_and_not_an_endless_step() {
    let (engine, probe) = start(64, config());
    probe.silent.store(true, SeqCst);
    let error = last(engine.submit(request(&[1], 4)).unwrap());
    let words = format!("the model gave 0 logits where {PADDED} were asked for");
    assert!(error.to_string().contains(&words), "{error}");
    probe.silent.store(false, SeqCst);
    answer(engine.submit(request(&[1], 4)).unwrap());
}

#[test]
fn weights_that_are_lost_fail_what_is_computed_with_them() {
    let (engine, probe) = start(4096, EngineConfig { eos: Vec::new(), ..config() });
    let stream = engine.submit(Request::new(vec![1])).unwrap();
    eventually(|| engine.load().running == 1);
    probe.lost.store(true, SeqCst);
    assert!(last(stream).to_string().contains("told to fail"));
    assert!(last(engine.submit(request(&[1], 2)).unwrap()).to_string().contains("told to fail"));
    assert_eq!(engine.metrics().blocks.held, 0);
}
