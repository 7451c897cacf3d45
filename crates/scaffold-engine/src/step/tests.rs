use std::time::Instant;

use proptest::prelude::*;

use super::*;
use crate::channel::{EventStream, Room};
use crate::config::EngineConfig;
use crate::fake::{EOS, FakeModel, Letters, VOCAB};
use crate::forward::Vocabulary;
use crate::output::Output;
use crate::request::{Priority, Standing};
use crate::sample::{Sampling, SequenceSampler, TokenLogprob};
use crate::schedule::rank;
use crate::sender::event_channel;
use crate::sequence::{Clock, Ends, Job, Scoring};
use scaffold_model::KvType;

const CONTEXT: usize = 48;

/// A request in a random history.
#[derive(Debug, Clone)]
struct Arrival {
    prompt: Vec<u32>,
    new_tokens: usize,
    seed: Option<u64>,
    /// The step at which it is submitted.
    at: usize,
    /// The step, counted from there, at which its reader leaves.
    cancel: Option<usize>,
    standing: Standing,
    /// The first token of the prompt that is scored.
    scored: Option<usize>,
    /// Bytes after which its reader is waited for.
    unread: usize,
}

impl Arrival {
    fn new(prompt: Vec<u32>, new_tokens: usize, seed: Option<u64>) -> Self {
        let standing = Standing::default();
        let (cancel, scored) = (None, None);
        Self { prompt, new_tokens, seed, at: 0, cancel, standing, scored, unread: usize::MAX }
    }
}

fn core(blocks: usize, block_tokens: usize, max_sequences: usize, step_tokens: usize) -> Core {
    let model = Arc::new(FakeModel::new(CONTEXT));
    core_of(model, blocks, block_tokens, max_sequences, step_tokens)
}

fn core_of(
    model: Arc<FakeModel>,
    blocks: usize,
    block_tokens: usize,
    max_sequences: usize,
    step_tokens: usize,
) -> Core {
    let memory = MemoryPlan {
        context: CONTEXT,
        model_context: CONTEXT,
        blocks,
        block_tokens,
        kv_type: KvType::F16,
        kv_bytes: 0,
        weight_bytes: 0,
        packing_bytes: 0,
        rest_bytes: 0,
        scratch_bytes: 0,
        limit: None,
        limited_by: String::new(),
    };
    let config = EngineConfig { max_sequences, step_tokens, ..EngineConfig::default() };
    Core::new(model, VOCAB, &memory, &config, None, Arc::default()).unwrap()
}

fn sequence(id: u64, arrival: &Arrival) -> (Sequence, EventStream) {
    let room = Room { events: 256, bytes: arrival.unread, wake: Arc::new(|| {}) };
    let (events, stream) = event_channel(room, Arc::default());
    let sampling = Sampling {
        do_sample: arrival.seed.is_some(),
        repetition_penalty: 1.1,
        top_k: 10,
        ..Sampling::default()
    };
    let job = Job {
        sampler: SequenceSampler::new(sampling, arrival.seed.unwrap_or(0), None, &arrival.prompt),
        guided: None,
        output: Output::new(
            Letters.decoder(&crate::request::ControlText::None),
            vec!["abc".into()],
        ),
        events,
        clock: Clock::new(Instant::now()),
        cached_tokens: 0,
        ticket: None,
        standing: arrival.standing.clone(),
        scoring: arrival.scored.map(|next| Scoring { next, top: 1 }),
        leader: None,
        leads: None,
        ends: Ends {
            eos: vec![EOS],
            ids: vec![EOS],
            max_tokens: (arrival.prompt.len() + arrival.new_tokens).min(CONTEXT),
            by_context: false,
        },
    };
    (Sequence::new(id, arrival.prompt.clone(), job), stream)
}

/// What a reader has of an answer.
#[derive(Debug, Default, PartialEq)]
struct Heard {
    text: String,
    ids: Vec<u32>,
    scores: Vec<TokenLogprob>,
    reason: Option<FinishReason>,
}

impl Heard {
    fn listen(&mut self, stream: &mut EventStream) {
        while let Some(event) = stream.try_recv() {
            match event {
                Event::Started(_) => {}
                Event::Scored(scores) => self.scores.extend(scores),
                Event::Text(piece) => {
                    self.text.push_str(&piece.text);
                    self.ids.extend(piece.ids);
                }
                Event::Finished(finished) => self.reason = Some(finished.reason),
                Event::Failed(error) => panic!("{error}"),
            }
        }
    }
}

fn heard(stream: &mut EventStream) -> Heard {
    let mut heard = Heard::default();
    heard.listen(stream);
    heard
}

fn alone(arrival: &Arrival) -> Heard {
    let mut core = core(CONTEXT, 1, 1, CONTEXT);
    let (sequence, mut stream) = sequence(0, &Arrival { unread: usize::MAX, ..arrival.clone() });
    core.submit(sequence);
    while !core.is_idle() {
        core.step();
    }
    heard(&mut stream)
}

fn standings() -> impl Strategy<Value = Standing> {
    (any::<bool>(), 0usize..4, 0usize..4).prop_map(|(batch, owner, salt)| {
        let name = |n: usize| ["ann", "bob"].get(n).map(|&name| name.into());
        let priority = if batch { Priority::Batch } else { Priority::Interactive };
        Standing { priority, owner: name(owner), max_wait: None, salt: name(salt), join: false }
    })
}

fn arrivals() -> impl Strategy<Value = Vec<Arrival>> {
    // A small alphabet, so that prompts share prefixes.
    let prompt = prop_oneof![
        prop::collection::vec(1u32..3, 1..20),
        (1u32..3, 1usize..40).prop_map(|(token, n)| vec![token; n]),
    ];
    let arrival = (
        prompt,
        0usize..24,
        prop::option::of(0u64..4),
        0usize..30,
        prop::option::weighted(0.2, 0usize..20),
        standings(),
        prop::option::weighted(0.3, 0usize..40),
        prop_oneof![Just(usize::MAX), 100usize..2000],
    )
        .prop_map(|(prompt, new_tokens, seed, at, cancel, standing, scored, unread)| {
            let scored = scored.filter(|_| prompt.len() > 1).map(|n| n % (prompt.len() - 1) + 1);
            let new_tokens = new_tokens.max(usize::from(scored.is_none()));
            Arrival { prompt, new_tokens, seed, at, cancel, standing, scored, unread }
        });
    prop::collection::vec(arrival, 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever arrives, leaves, is put back or waited for: every answer is the one that its
    /// request gets alone, nobody is overtaken more often than may be, and the pool and the queues
    /// are whole after every step.
    #[test]
    fn every_answer_is_the_one_given_alone(
        mut arrivals in arrivals(),
        block_tokens in 1usize..6,
        spare in 0usize..6,
        max_sequences in 1usize..6,
        extra_rows in 0usize..20,
        owner_running in prop::option::of(1usize..4),
        listens in 1usize..40,
    ) {
        arrivals.sort_by_key(|a| a.at);
        let blocks = CONTEXT.div_ceil(block_tokens) + spare;
        let mut core = core(blocks, block_tokens, max_sequences, max_sequences + extra_rows);
        core.scheduler.limit_owners(owner_running);
        let mut open: Vec<(Arrival, Heard, Option<EventStream>)> = Vec::new();
        let mut step = 0;
        while step < 30 || !core.is_idle() {
            for arrival in arrivals.iter().filter(|a| a.at == step) {
                let (sequence, stream) = sequence(open.len() as u64, arrival);
                core.submit(sequence);
                open.push((arrival.clone(), Heard::default(), Some(stream)));
            }
            for (arrival, heard, stream) in &mut open {
                if arrival.cancel.is_some_and(|after| arrival.at + after == step) {
                    stream.take();
                }
                if step % listens == 0 && let Some(stream) = stream {
                    heard.listen(stream);
                }
            }
            core.step();
            prop_assert_eq!(core.check_integrity(), Ok(()));
            for sequence in &core.scheduler.waiting {
                let limit = rank::overtakes(sequence.job.standing.priority);
                prop_assert!(sequence.overtaken <= limit);
            }
            let running = |owner| core.scheduler.running.iter()
                .filter(|s| s.job.standing.owner.as_deref() == Some(owner)).count();
            prop_assert!(running("ann").max(running("bob")) <= owner_running.unwrap_or(usize::MAX));
            step += 1;
            prop_assert!(step < 20_000, "no end in sight");
        }
        for (arrival, mut heard, stream) in open {
            if let Some(mut stream) = stream {
                heard.listen(&mut stream);
                prop_assert_eq!(heard, alone(&arrival));
            }
        }
        prop_assert_eq!(core.scheduler.blocks.available(), blocks);
    }
}

/// Two long answers in a pool that holds little more than one: the younger gives way, and nothing
/// is lost.
#[test]
fn the_youngest_gives_way_and_finishes_later() {
    let arrival = |token, seed| Arrival::new(vec![token; 20], 28, Some(seed));
    let mut found = false;
    for seed in 0..20 {
        let (a, b) = (arrival(1, seed), arrival(2, seed + 100));
        let mut core = core(CONTEXT.div_ceil(4) + 2, 4, 4, 64);
        let (first, mut first_events) = sequence(0, &a);
        let (second, mut second_events) = sequence(1, &b);
        core.submit(first);
        core.submit(second);
        while !core.is_idle() {
            core.step();
            core.check_integrity().unwrap();
            found |= core
                .scheduler
                .waiting
                .front()
                .is_some_and(|s| s.job.clock.preemptions > 0 && s.id == 1);
            assert!(core.scheduler.waiting.iter().all(|s| s.id == 1));
        }
        assert_eq!(heard(&mut first_events), alone(&a));
        assert_eq!(heard(&mut second_events), alone(&b));
    }
    assert!(found, "no answer was long enough for a shortage of blocks");
}

#[test]
fn running_answers_go_on_while_a_long_prompt_is_read() {
    let mut core = core(40, 4, 4, 8);
    let short = Arrival::new(vec![1, 2], 20, None);
    let (first, _events) = sequence(0, &short);
    core.submit(first);
    core.step();
    let long = Arrival::new(vec![2; 40], 2, None);
    let (second, _more) = sequence(1, &long);
    core.submit(second);
    let before = core.scheduler.running[0].tokens.len();
    // One to learn how long an answer alone takes, and two with as much of the prompt as may be.
    (0..3).for_each(|_| core.step());
    assert_eq!(core.scheduler.running[0].tokens.len(), before + 3);
    assert!((8..=14).contains(&core.scheduler.running[1].computed));
}

#[test]
fn what_the_cache_cannot_hold_is_computed_anew_in_a_wider_one() {
    let arrivals = [vec![1, 2, 1, 2, 1], vec![2, 2, 1, 1, 2, 1], vec![1, 1, 1, 9]]
        .map(|prompt| Arrival::new(prompt, 12, Some(3)));
    for wider in [false, true] {
        let model = Arc::new(FakeModel::new(CONTEXT));
        // The third prompt has it, and comes when the others have answered a part.
        model.probe.too_large.store(9, std::sync::atomic::Ordering::SeqCst);
        let mut core = core_of(model, CONTEXT, 2, 3, 8);
        if wider {
            core.wider = Some(KvType::F32);
        }
        let mut streams = Vec::new();
        for (id, arrival) in arrivals.iter().enumerate() {
            if id == 2 {
                (0..4).for_each(|_| core.step());
            }
            let (sequence, stream) = sequence(id as u64, arrival);
            core.submit(sequence);
            streams.push(stream);
        }
        while !core.is_idle() {
            core.step();
            core.check_integrity().unwrap();
        }
        if !wider {
            let mut events = std::iter::from_fn(|| streams[2].try_recv());
            let overflowed = |event| match event {
                Event::Failed(error) => error.cause::<CacheOverflow>().is_some(),
                _ => false,
            };
            assert!(events.any(overflowed));
            continue;
        }
        assert_eq!(core.widened, Some(KvType::F32));
        for (stream, arrival) in streams.iter_mut().zip(&arrivals) {
            assert_eq!(heard(stream), alone(arrival));
        }
    }
}
