use serde_json::Value;

use super::*;

/// Made by `tests/golden/sampling.py` with the processors of `transformers`.
const GOLDEN: &str = include_str!("../../tests/golden/sampling.json");

fn floats(values: &Value) -> Vec<f32> {
    values
        .as_array()
        .unwrap()
        .iter()
        .map(|x| x.as_f64().map_or(f32::NEG_INFINITY, |x| x as f32))
        .collect()
}

fn ids(values: &Value) -> Vec<u32> {
    values.as_array().unwrap().iter().map(|x| x.as_u64().unwrap() as u32).collect()
}

fn sampling(params: &Value) -> Sampling {
    let mut out = Sampling::default();
    for (key, value) in params.as_object().unwrap() {
        let float = value.as_f64().map(|x| x as f32);
        match key.as_str() {
            "do_sample" => out.do_sample = value.as_bool().unwrap(),
            "temperature" => out.temperature = float.unwrap(),
            "top_k" => out.top_k = value.as_u64().unwrap() as usize,
            "top_p" => out.top_p = float.unwrap(),
            "min_p" => out.min_p = float.unwrap(),
            "typical_p" => out.typical_p = float.unwrap(),
            "repetition_penalty" => out.repetition_penalty = float.unwrap(),
            "no_repeat_ngram_size" => out.no_repeat_ngram_size = value.as_u64().unwrap() as usize,
            "min_new_tokens" => out.min_new_tokens = value.as_u64().unwrap() as usize,
            "min_length" => out.min_length = value.as_u64().unwrap() as usize,
            "suppress_tokens" => out.suppress_tokens = ids(value),
            "begin_suppress_tokens" => out.begin_suppress_tokens = ids(value),
            "sequence_bias" => {
                let pairs = value.as_array().unwrap().iter();
                out.sequence_bias =
                    pairs.map(|p| (ids(&p[0]), p[1].as_f64().unwrap() as f32)).collect();
            }
            "bad_words_ids" => out.bad_words = value.as_array().unwrap().iter().map(ids).collect(),
            "logit_bias" => {
                let pairs = value.as_array().unwrap().iter();
                out.logit_bias = pairs
                    .map(|p| {
                        (ids(&p.as_array().unwrap()[..1].into())[0], p[1].as_f64().unwrap() as f32)
                    })
                    .collect();
            }
            other => panic!("unknown parameter {other}"),
        }
    }
    out
}

/// The scores after every processor and warper, as `transformers` returns them: banned tokens are
/// minus infinity.
fn scores(
    logits: &[f32],
    params: &Sampling,
    tokens: &[u32],
    prompt_tokens: usize,
    eos: u32,
) -> Vec<f32> {
    let mut counts = TokenCounts::of_prompt(&tokens[..prompt_tokens]);
    for &id in &tokens[prompt_tokens..] {
        counts.push(id);
    }
    let history = History { tokens, prompt_tokens, ends: &[eos], eos: &[eos], counts: &counts };
    let mut row = logits.to_vec();
    processors::process(&mut row, params, &history);
    if !params.do_sample {
        return row;
    }
    let highest = weights::highest(&row).unwrap();
    let mut draw = Draw::default();
    draw.warp(&row, highest, params);
    let warped = |(id, &logit): (usize, &f32)| {
        if draw.has(id as u32) { logit / params.temperature } else { f32::NEG_INFINITY }
    };
    row.iter().enumerate().map(warped).collect()
}

#[test]
fn the_chain_equals_that_of_transformers() {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    let tokens = ids(&golden["tokens"]);
    let eos = golden["eos"].as_u64().unwrap() as u32;
    let cases = golden["cases"].as_array().unwrap();
    assert!(cases.len() > 60);
    let mut failures = Vec::new();
    for case in cases {
        let prompt_tokens = case["prompt_tokens"].as_u64().unwrap() as usize;
        let got = scores(
            &floats(&case["logits"]),
            &sampling(&case["params"]),
            &tokens,
            prompt_tokens,
            eos,
        );
        let expected = floats(&case["scores"]);
        let equal = got
            .iter()
            .zip(&expected)
            .all(|(a, b)| a == b || (a - b).abs() <= 1e-5 * b.abs().max(1.0));
        if !equal {
            failures
                .push(format!("{}\n  expected {expected:?}\n  got      {got:?}", case["params"]));
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {} cases differ:\n{}",
        failures.len(),
        cases.len(),
        failures.join("\n")
    );
}

fn choose(logits: &[f32], params: &Sampling, tokens: &[u32], seed: u64) -> Result<Choice, Error> {
    let mut sequence = SequenceSampler::new(params.clone(), seed, None, &tokens[..1]);
    for &id in &tokens[1..] {
        sequence.counts.push(id);
    }
    Sampler::default().sample(
        logits,
        &mut sequence,
        &Place { tokens, prompt_tokens: 1, eos: &[0], ends: &[0], allowed: None },
    )
}

#[test]
fn greedy_takes_the_lowest_id_among_equals() {
    for n in [1, 2, 15, 16, 17, 40] {
        let mut logits = vec![-1.0; n];
        logits[n - 1] = 3.0;
        logits[n / 2] = 3.0;
        assert_eq!(choose(&logits, &Sampling::greedy(), &[1], 0).unwrap().id, (n / 2) as u32);
    }
}

#[test]
fn temperature_zero_is_greedy_and_a_tiny_one_does_not_overflow() {
    let logits = [1.0, 5.0, 4.0];
    for temperature in [0.0, 1e-38] {
        let params = Sampling { do_sample: true, temperature, ..Sampling::default() };
        assert_eq!(choose(&logits, &params, &[1], 9).unwrap().id, 1);
    }
}

#[test]
fn openai_penalties_count_only_generated_tokens() {
    // Token 1 is the prompt, token 2 was generated twice.
    let params = Sampling { presence_penalty: 1.0, frequency_penalty: 0.5, ..Sampling::default() };
    let tokens = [1, 2, 2];
    let mut row = vec![5.0; 4];
    let mut counts = TokenCounts::of_prompt(&tokens[..1]);
    for &id in &tokens[1..] {
        counts.push(id);
    }
    let history =
        History { tokens: &tokens, prompt_tokens: 1, ends: &[], eos: &[], counts: &counts };
    processors::process(&mut row, &params, &history);
    assert_eq!(row, [5.0, 5.0, 3.0, 5.0]);
}

#[test]
fn broken_logits_and_full_bans_are_errors() {
    let greedy = Sampling::greedy();
    for broken in [f32::NAN, f32::INFINITY] {
        let error = choose(&[1.0, broken], &greedy, &[1], 0).unwrap_err().to_string();
        assert!(error.contains("at position 1 is not a number"), "{error}");
    }
    for do_sample in [false, true] {
        let params = Sampling { do_sample, suppress_tokens: vec![0, 1], ..Sampling::default() };
        let error = choose(&[1.0, 2.0], &params, &[1], 0).unwrap_err().to_string();
        assert!(error.contains("no token is left to choose at position 1"), "{error}");
    }
}

#[test]
fn draws_follow_the_distribution() {
    let probabilities = [0.5f32, 0.2, 0.2, 0.1];
    let logits: Vec<f32> = probabilities.iter().map(|p| p.ln()).collect();
    let params = Sampling { do_sample: true, ..Sampling::default() };
    let mut counts = [0u32; 4];
    for seed in 0..4000 {
        counts[choose(&logits, &params, &[1], seed).unwrap().id as usize] += 1;
    }
    for (count, p) in counts.iter().zip(probabilities) {
        assert!((f64::from(*count) / 4000.0 - f64::from(p)).abs() < 0.03, "{counts:?}");
    }
}

#[test]
fn large_vocabularies_take_the_same_way_as_small_ones() {
    // 20,000 logits, of which top-p has to sort more than its first 64.
    let logits: Vec<f32> =
        (0..20_000u32).map(|i| rng::uniform(3, 0, u64::from(i)) as f32 * 4.0).collect();
    let kept = |params: &Sampling| {
        let mut draw = Draw::default();
        draw.warp(&logits, weights::highest(&logits).unwrap(), params);
        draw.candidates
    };
    let mut sorted: Vec<f32> = logits.clone();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let top_k = kept(&Sampling { top_k: 50, ..Sampling::default() });
    assert_eq!(top_k.len(), 50);
    assert!(top_k.iter().all(|c| logits[c.id as usize] >= sorted[49]));

    let top_p = kept(&Sampling { top_p: 0.5, ..Sampling::default() });
    let total: f64 = sorted.iter().map(|&x| f64::from(x).exp()).sum();
    let mut mass = 0.0;
    let expected = sorted
        .iter()
        .take_while(|&&x| {
            let before = mass;
            mass += f64::from(x).exp();
            before < total * 0.5
        })
        .count();
    assert_eq!(top_p.len(), expected);
    assert!(expected > 64);
}

#[test]
fn logprobs_are_those_of_the_untouched_distribution() {
    let logits = [0.0, 2.0, 1.0];
    let params = Sampling { do_sample: true, temperature: 0.1, top_k: 1, ..Sampling::default() };
    let mut sequence = SequenceSampler::new(params, 1, Some(2), &[1]);
    let place = Place { tokens: &[1], prompt_tokens: 1, eos: &[], ends: &[], allowed: None };
    let choice = Sampler::default().sample(&logits, &mut sequence, &place).unwrap();
    let norm = (1f32 + 1f32.exp() + 2f32.exp()).ln();
    let logprob = choice.logprob.unwrap();
    assert_eq!((choice.id, logprob.id), (1, 1));
    assert!((logprob.logprob - (2.0 - norm)).abs() < 1e-6);
    assert_eq!(logprob.top.iter().map(|t| t.0).collect::<Vec<_>>(), [1, 2]);
    assert!((logprob.top[1].1 - (1.0 - norm)).abs() < 1e-6);
}

#[test]
fn parameters_out_of_range_are_named() {
    let bad = [
        Sampling { temperature: -0.5, ..Sampling::default() },
        Sampling { temperature: f32::NAN, ..Sampling::default() },
        Sampling { top_p: 1.5, ..Sampling::default() },
        Sampling { min_p: -0.1, ..Sampling::default() },
        Sampling { typical_p: 0.0, ..Sampling::default() },
        Sampling { repetition_penalty: 0.0, ..Sampling::default() },
        Sampling { frequency_penalty: f32::INFINITY, ..Sampling::default() },
        Sampling { logit_bias: vec![(1, f32::NAN)], ..Sampling::default() },
        Sampling { logit_bias: vec![(10, 1.0)], ..Sampling::default() },
        Sampling { suppress_tokens: vec![99], ..Sampling::default() },
        Sampling { bad_words: vec![vec![1, 12]], ..Sampling::default() },
    ];
    for params in bad {
        let error = params.check(10).unwrap_err().to_string();
        assert!(error.len() > 20, "{error}");
    }
    assert!(
        Sampling { logit_bias: vec![(1, f32::NEG_INFINITY)], ..Sampling::default() }
            .check(10)
            .is_ok()
    );
}
