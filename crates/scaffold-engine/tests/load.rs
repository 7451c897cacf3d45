//! Many users at once, with a real decoder: answers, blocks, memory and threads.
//!
//! `SCAFFOLD_LOAD_SECONDS=600 cargo test --release -p scaffold-engine --test load` looks for longer.

#![allow(clippy::print_stderr, reason = "measured figures are told")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use scaffold_engine::{
    ControlText, Engine, EngineConfig, Error, Event, EventStream, Priority, Request, Sampling,
    Standing, Stop, TextDecoder, Vocabulary,
};
use scaffold_model::{Decoder, Exec, LoadOptions, ModelSpec};
use scaffold_testing::golden::tiny;

/// Every token is a letter.
struct Letters(usize);

impl Vocabulary for Letters {
    fn size(&self) -> usize {
        self.0
    }

    fn decoder(&self, _: &ControlText) -> Box<dyn TextDecoder> {
        Box::new(Letters(0))
    }
}

impl TextDecoder for Letters {
    fn push(&mut self, id: u32) -> Result<Option<String>, Error> {
        Ok(Some(char::from(b'a' + (id % 26) as u8).to_string()))
    }

    fn finish(&mut self) -> Result<Option<String>, Error> {
        Ok(None)
    }
}

/// Memory and threads are counted for the whole process: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn engine(config: EngineConfig) -> Engine {
    let golden = tiny("llama");
    let spec = ModelSpec::from_config(&golden.config()).unwrap();
    let options = LoadOptions::default();
    let decoder = Decoder::load(&golden.weights(), spec, Arc::new(Exec::new(2)), &options).unwrap();
    let vocab = decoder.spec().vocab;
    Engine::start_with(Arc::new(decoder), Arc::new(Letters(vocab)), config).unwrap()
}

/// A small generator of numbers: the same ones in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }

    fn request(&mut self, longest: usize) -> Request {
        let length = 1 + self.below(longest);
        // Few first tokens, so that prompts share their beginnings.
        let first = self.below(4) as u32;
        let prompt = (0..length).map(|at| 3 + (first + at as u32 * 7) % 400).collect();
        let sampling = Sampling {
            do_sample: self.below(2) == 0,
            temperature: 1.2,
            seed: Some(self.below(1000) as u64),
            ..Sampling::default()
        };
        let stop =
            Stop { max_new_tokens: Some(1 + self.below(40)), ignore_eos: true, ..Stop::default() };
        let priority = if self.below(3) == 0 { Priority::Batch } else { Priority::Interactive };
        let owner = ["ann", "bob", "eve"].get(self.below(4)).map(|&name| name.into());
        let standing = Standing { priority, owner, ..Standing::default() };
        let logprobs = (self.below(4) == 0).then_some(3);
        Request { sampling, stop, logprobs, standing, ..Request::new(prompt) }
    }
}

fn ids(stream: EventStream) -> Vec<u32> {
    let mut ids = Vec::new();
    for event in stream {
        match event {
            Event::Text(piece) => ids.extend(piece.ids),
            Event::Failed(error) => panic!("{error}"),
            _ => {}
        }
    }
    ids
}

/// A number of this process as Linux tells it, such as `VmRSS` in KiB or `Threads`.
fn of_process(what: &str) -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(what)?.strip_prefix(':'))?;
    line.split_whitespace().next()?.parse().ok()
}

#[test]
fn sixty_four_mixed_requests_are_answered_as_if_each_were_alone() {
    let _alone = alone();
    let mut numbers = Numbers(7);
    let requests: Vec<Request> = (0..64).map(|_| numbers.request(150)).collect();
    let by_itself = engine(EngineConfig { max_sequences: 1, ..EngineConfig::default() });
    let expected: Vec<_> =
        requests.iter().map(|request| ids(by_itself.submit(request.clone()).unwrap())).collect();
    for kv_tokens in [None, Some(320)] {
        // With room for less than two contexts, sequences are put back all the time.
        let config = EngineConfig { kv_tokens, block_tokens: 16, ..EngineConfig::default() };
        let engine = engine(config);
        let streams: Vec<_> =
            requests.iter().map(|request| engine.submit(request.clone()).unwrap()).collect();
        let answers: Vec<_> = streams.into_iter().map(ids).collect();
        assert!(answers == expected, "with room for {kv_tokens:?} tokens");
        let metrics = engine.metrics();
        assert_eq!((metrics.cut, metrics.blocks.held), (64, 0));
        assert_eq!(metrics.put_back > 0, kv_tokens.is_some(), "{metrics:?}");
        let step = |part: f64| metrics.step.quantile(part).unwrap_or(f64::INFINITY) * 1000.0;
        eprintln!(
            "with room for {kv_tokens:?} tokens: {} put back; steps at most {:.0} ms at the median, {:.0} at 99 %",
            metrics.put_back,
            step(0.5),
            step(0.99)
        );
    }
}

#[test]
fn streams_that_are_dropped_at_random_leave_nothing_behind() {
    let _alone = alone();
    let seconds = std::env::var("SCAFFOLD_LOAD_SECONDS").ok().and_then(|text| text.parse().ok());
    let seconds: u64 = seconds.unwrap_or(3);
    let config =
        EngineConfig { max_waiting: 400, kv_tokens: Some(1024), ..EngineConfig::default() };
    let engine = engine(config);
    let mut numbers = Numbers(11);
    let (begun, mut open, mut dropped) = (Instant::now(), Vec::new(), 0usize);
    let mut warm = None;
    while begun.elapsed() < Duration::from_secs(seconds) {
        while open.len() < 200 {
            open.push(engine.submit_when_free(numbers.request(200)).unwrap());
        }
        for _ in 0..20 {
            let mut stream: EventStream = open.swap_remove(numbers.below(open.len()));
            for _ in 0..numbers.below(4) {
                stream.try_recv();
            }
            dropped += 1;
        }
        std::thread::sleep(Duration::from_millis(2));
        if warm.is_none() && begun.elapsed() > Duration::from_secs(seconds) / 3 {
            warm = of_process("VmRSS");
        }
    }
    let last = of_process("VmRSS");
    drop(open);
    assert!(engine.drain(Some(Duration::from_secs(30))), "{:?}", engine.load());
    let metrics = engine.metrics();
    assert_eq!((metrics.blocks.held, metrics.running, metrics.waiting), (0, 0, 0));
    let (Some(warm), Some(last)) = (warm, last) else { return };
    eprintln!(
        "{dropped} streams dropped in {seconds} s; {warm} KiB after a third of it, {last} KiB at its end"
    );
    assert!(last < warm + 8 * 1024, "{warm} KiB became {last} KiB");
}

/// One thread waits for all of them.
#[derive(Default)]
struct Bell(AtomicBool, Mutex<Option<std::thread::Thread>>);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
        if let Some(thread) = &*self.1.lock().unwrap() {
            thread.unpark();
        }
    }
}

#[test]
fn a_thousand_open_streams_need_no_thread_each() {
    let _alone = alone();
    let config = EngineConfig { max_waiting: 2000, ..EngineConfig::default() };
    let engine = engine(config);
    let (threads, memory) = (of_process("Threads"), of_process("VmRSS"));
    let mut numbers = Numbers(3);
    let mut streams: Vec<EventStream> =
        (0..1000).map(|_| engine.submit(numbers.request(20)).unwrap()).collect();
    let bell = Arc::<Bell>::default();
    *bell.1.lock().unwrap() = Some(std::thread::current());
    let waker = Waker::from(Arc::clone(&bell));
    let mut context = Context::from_waker(&waker);
    let mut seen = (threads, memory);
    let mut answered = 0;
    while !streams.is_empty() {
        streams.retain_mut(|stream| {
            loop {
                match stream.poll_recv(&mut context) {
                    Poll::Pending => return true,
                    Poll::Ready(None) => return false,
                    Poll::Ready(Some(Event::Finished(_))) => answered += 1,
                    Poll::Ready(Some(Event::Failed(error))) => panic!("{error}"),
                    Poll::Ready(Some(_)) => {}
                }
            }
        });
        seen = (seen.0.max(of_process("Threads")), seen.1.max(of_process("VmRSS")));
        while !streams.is_empty() && !bell.0.swap(false, Ordering::Acquire) {
            std::thread::park_timeout(Duration::from_secs(30));
        }
    }
    assert_eq!(answered, 1000);
    let (Some(before), Some(most)) = (memory, seen.1) else { return };
    let each = most.saturating_sub(before) * 1024 / 1000;
    eprintln!("1,000 open streams: {} threads, {each} bytes each", seen.0.unwrap_or(0));
    assert_eq!(seen.0, threads, "threads");
    assert!(each < 20_000, "{each} bytes each");
}
