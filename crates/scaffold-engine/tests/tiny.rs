//! The engine with real decoders: small random models of every family, and the tokens that
//! `transformers` got.

use std::sync::Arc;

use scaffold_engine::{
    ControlText, Engine, EngineConfig, Error, Event, EventStream, Finished, KvType, PromptPrefix,
    Request, Sampling, Scores, Stop, TextDecoder, Vocabulary,
};
use scaffold_model::{Decoder, Exec, LoadOptions, ModelSpec, Precision};
use scaffold_testing::golden::{TinyGolden, tiny, tiny_decoders};

/// Ids without text.
struct Mute(usize);

impl Vocabulary for Mute {
    fn size(&self) -> usize {
        self.0
    }

    fn decoder(&self, _: &ControlText) -> Box<dyn TextDecoder> {
        Box::new(Mute(0))
    }
}

impl TextDecoder for Mute {
    fn push(&mut self, _id: u32) -> Result<Option<String>, Error> {
        Ok(None)
    }

    fn finish(&mut self) -> Result<Option<String>, Error> {
        Ok(None)
    }
}

fn engine(golden: &TinyGolden, config: EngineConfig) -> Engine {
    let spec = ModelSpec::from_config(&golden.config()).unwrap();
    let options = LoadOptions { precision: Precision::F32, store: None, loaded: None };
    let decoder = Decoder::load(&golden.weights(), spec, Arc::new(Exec::new(2)), &options).unwrap();
    let vocab = decoder.spec().vocab;
    Engine::start_with(Arc::new(decoder), Arc::new(Mute(vocab)), config).unwrap()
}

fn request(prompt: &[u32], max_new_tokens: usize, sampling: Sampling) -> Request {
    let stop = Stop { max_new_tokens: Some(max_new_tokens), ..Stop::default() };
    Request { sampling, stop, ..Request::new(prompt.to_vec()) }
}

fn answer(stream: EventStream) -> (Vec<u32>, Finished) {
    let mut ids = Vec::new();
    for event in stream {
        match event {
            Event::Started(_) | Event::Scored(_) => {}
            Event::Text(piece) => ids.extend(piece.ids),
            Event::Finished(finished) => return (ids, finished),
            Event::Failed(error) => panic!("{error}"),
        }
    }
    panic!("the stream ended without a last event")
}

#[test]
fn every_family_continues_greedily_as_in_transformers() {
    let mut compared = 0;
    for golden in tiny_decoders().iter().filter(|golden| !golden.greedy_ids.is_empty()) {
        // Steps of 8 rows cut every prompt.
        let config =
            EngineConfig { step_tokens: 8, kv_type: KvType::F32, ..EngineConfig::default() };
        let engine = engine(golden, config);
        let request = request(&golden.input_ids, golden.greedy_ids.len(), Sampling::greedy());
        assert_eq!(answer(engine.submit(request).unwrap()).0, golden.greedy_ids, "{}", golden.name);
        compared += 1;
    }
    assert!(compared > 20, "{compared} families");
}

/// What is told of a prompt's tokens is the softmax of the logits that `transformers` computed.
#[test]
fn prompts_are_scored_by_the_logits_of_transformers() {
    let mut compared = 0;
    for golden in tiny_decoders() {
        let Some(logits) = golden.find_rows("logits") else { continue };
        // Beyond its own context where the model can.
        let own = ModelSpec::from_config(&golden.config()).unwrap().context;
        let config = EngineConfig {
            context: Some(own.max(golden.input_ids.len())),
            step_tokens: 9,
            kv_type: KvType::F32,
            ..EngineConfig::default()
        };
        let scores = Some(Scores { from: 1, top: 1 });
        let stop = Stop { max_new_tokens: Some(0), ..Stop::default() };
        let request = Request { stop, scores, ..Request::new(golden.input_ids.clone()) };
        let mut found = Vec::new();
        for event in engine(&golden, config).submit(request).unwrap() {
            match event {
                Event::Scored(scores) => found.extend(scores),
                Event::Started(_) => {}
                Event::Finished(finished) => assert_eq!(finished.usage.completion_tokens, 0),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(found.len(), golden.input_ids.len() - 1, "{}", golden.name);
        let rows = logits.values.chunks_exact(logits.cols);
        for ((score, row), &id) in found.iter().zip(rows).zip(&golden.input_ids[1..]) {
            let highest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let sum: f64 = row.iter().map(|&logit| f64::from(logit - highest).exp()).sum();
            let expected = f64::from(row[id as usize] - highest) - sum.ln();
            assert_eq!(score.id, id);
            assert!((f64::from(score.logprob) - expected).abs() < 1e-3, "{}", golden.name);
            assert!((f64::from(score.top[0].1) + sum.ln()).abs() < 1e-3, "{}", golden.name);
        }
        compared += 1;
    }
    assert!(compared > 20, "{compared} families");
}

/// The factors of LongRoPE change for the whole text once it is longer than the original context
/// (here 16); the tokens are those of `transformers`' `generate`, which also computes the text anew
/// there.
#[test]
fn an_answer_grows_out_of_the_original_context() {
    let golden = tiny("phi3_longrope");
    let prompt = &golden.ids("short_input_ids")[..10];
    let expected = [108, 386, 288, 158, 343, 213, 243, 36, 183, 11, 136, 2, 144, 261, 92, 102];
    for step_tokens in [8, 64] {
        let config = EngineConfig { step_tokens, kv_type: KvType::F32, ..EngineConfig::default() };
        let mut request = request(prompt, expected.len(), Sampling::greedy());
        request.stop.ignore_eos = true;
        let (ids, finished) = answer(engine(&golden, config).submit(request).unwrap());
        assert_eq!(ids, expected);
        assert_eq!(finished.usage.completion_tokens, expected.len());
    }
}

/// Six sequences in a cache that holds hardly more than one: they are put back and computed again,
/// in other chunks and other company, and every one gets the tokens that it gets alone.
#[test]
fn sequences_that_are_put_back_lose_nothing() {
    for golden in tiny_decoders() {
        // Beyond its own context where the model can: what is compared is the engine.
        let context = ModelSpec::from_config(&golden.config()).unwrap().context.max(96);
        let small = EngineConfig {
            context: Some(96),
            kv_tokens: Some(112),
            block_tokens: 16,
            step_tokens: 24,
            kv_type: KvType::F16,
            ..EngineConfig::default()
        };
        let requests: Vec<Request> = (0..6u32)
            .map(|i| {
                let prompt: Vec<u32> =
                    golden.input_ids.iter().map(|id| (id + i / 2) % 500).collect();
                let sampling = Sampling {
                    do_sample: i % 2 == 0,
                    seed: Some(u64::from(i)),
                    ..Sampling::default()
                };
                request(&prompt, 48, sampling)
            })
            .collect();
        let alone: Vec<Vec<u32>> = {
            let engine = engine(
                &golden,
                EngineConfig {
                    context: Some(context),
                    kv_type: KvType::F16,
                    ..EngineConfig::default()
                },
            );
            requests.iter().map(|r| answer(engine.submit(r.clone()).unwrap()).0).collect()
        };
        let engine = engine(&golden, small);
        let streams: Vec<_> = requests.iter().map(|r| engine.submit(r.clone()).unwrap()).collect();
        let answers: Vec<_> = streams.into_iter().map(answer).collect();
        let together: Vec<Vec<u32>> = answers.iter().map(|(ids, _)| ids.clone()).collect();
        assert_eq!(together, alone, "{}", golden.name);
        let put_back: usize =
            answers.iter().map(|(_, finished)| finished.timings.preemptions).sum();
        assert!(put_back > 0, "{}: nothing was put back, so nothing was tested", golden.name);
    }
}

/// What one engine has computed of a prefix, another one takes: its answers are those that it would
/// have given without, bit for bit, and the prefix counts as found.
#[test]
fn a_prefix_of_another_engine_is_as_good_as_computed() {
    for golden in tiny_decoders() {
        if ModelSpec::from_config(&golden.config()).unwrap().context < 50 {
            continue;
        }
        for kv_type in KvType::ALL {
            let config = EngineConfig { kv_type, block_tokens: 16, ..EngineConfig::default() };
            let (one, other) = (engine(&golden, config.clone()), engine(&golden, config));
            let vocab = one.memory().context.min(256) as u32;
            let tokens: Arc<[u32]> = (0..40).map(|i| (i * 7 + 3) % vocab).collect();
            let prompt = [&tokens[..], &[5, 9, 2]].concat();
            let request =
                || Request { logprobs: Some(2), ..request(&prompt, 6, Sampling::default()) };
            let told = |stream: EventStream| {
                let (mut bits, mut cached) = (Vec::new(), 0);
                for event in stream {
                    match event {
                        Event::Text(piece) => bits.extend(
                            piece
                                .logprobs
                                .iter()
                                .map(|choice| (choice.id, choice.logprob.to_bits())),
                        ),
                        Event::Started(started) => cached = started.cached_tokens,
                        Event::Failed(error) => panic!("{}: {error}", golden.name),
                        _ => {}
                    }
                }
                (bits, cached)
            };
            let (wanted, none) = told(one.submit(request()).unwrap());
            assert_eq!((one.prefix_blocks(tokens.len()), none), (2, 0));
            let tokens = PromptPrefix::new(tokens);
            assert_eq!(one.cached_prefix(&tokens).unwrap().blocks, 2);
            for index in 0..2 {
                let block = one.copy_prefix_out(&tokens, index).unwrap();
                let short = other.copy_prefix_in(&tokens, index, block[1..].to_vec());
                assert!(short.unwrap_err().to_string().contains("not a block"));
                other.copy_prefix_in(&tokens, index, block).unwrap();
            }
            assert_eq!(told(other.submit(request()).unwrap()), (wanted, 32), "{}", golden.name);
            assert!(other.copy_prefix_out(&tokens, 2).is_err());
        }
    }
}
