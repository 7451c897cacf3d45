//! Tests of the language model.

use scaffold_engine::FinishReason;
use scaffold_hub::LocalModel;

use super::{Run, Seen, Spec, fact, model};
use crate::config::Config;
use crate::error::Error;
use crate::llm::{Answer, GenerateOptions, LlmManager};
use crate::machine::bytes_text;
use crate::report::Evidence;

const QUESTION: &str = "What is sustainability?";
const MOST_TOKENS: usize = 64;

/// Texts in which tokenizers go wrong.
const TEXTS: [&str; 8] = [
    "What is sustainability?",
    "  two spaces, a\ttab and\n\na blank line ",
    "Ünïcödé, naïve café, Straße",
    "日本語のテキスト 你好",
    "emoji 🙂 👩‍👩‍👧 and flags 🇨🇭",
    "fn main() { println!(\"{:>8.3}\", 1.0 / 3.0); }",
    "0 1 12 123 1234 12345 3.14159 -1e-9",
    "'quoted' \"double\" `code` — dashes … and symbols ©®™",
];

const LOADING: Spec = Spec {
    id: "model-loading",
    title: "The language model loads",
    expected: "the model loads within this machine's memory",
};
const TOKENIZER: Spec = Spec {
    id: "tokenizer",
    title: "Texts survive the tokenizer",
    expected: "every text is the same after it was made into tokens and back",
};
const GENERATION: Spec = Spec {
    id: "generation",
    title: "Generation is deterministic and finishes",
    expected: "the likeliest tokens are the same twice, there is at least one, and the answer ends by itself or after 64 tokens",
};
const SAMPLING: Spec = Spec {
    id: "sampling",
    title: "Sampling can be repeated by its seed",
    expected: "the same seed gives the same tokens",
};

pub(super) fn run(run: &mut Run<'_>, name: &str) {
    let model = match run.find("language model", name) {
        Ok(model) => model,
        Err(because) => {
            return run.skip(&[LOADING, TOKENIZER, GENERATION, SAMPLING], &because);
        }
    };
    let config = run.config;
    let Some(model) = run.test(LOADING, |seen| load(&model, config, seen)) else {
        return run.skip(&[TOKENIZER, GENERATION, SAMPLING], "the model did not load");
    };
    let info = model.info();
    run.learnt(vec![
        ("family".to_owned(), info.family.to_owned()),
        ("parameters".to_owned(), format!("{:.1} million", info.parameters as f64 / 1e6)),
        ("weights".to_owned(), info.stored.name().to_owned()),
        ("context".to_owned(), format!("{} tokens", info.context)),
        ("tokenizer".to_owned(), info.tokenizer.clone()),
        ("computed with".to_owned(), format!("{} threads, {}", info.threads, info.cpu)),
    ]);
    run.test(TOKENIZER, |seen| tokenizer(&model, seen));
    run.test(GENERATION, |seen| generation(&model, seen));
    run.test(SAMPLING, |seen| sampling(&model, seen));
}

fn load(found: &LocalModel, config: &Config, seen: &mut Seen) -> Result<LlmManager, Error> {
    let model = model::load(found, config, seen, |model: &LlmManager| model.info().weight_bytes)?;
    let info = model.info();
    seen.evidence.push(fact("weights", info.stored.name()));
    let cache = format!("up to {} ({:?})", bytes_text(info.kv_bytes as u64), info.kv_type);
    seen.evidence.push(fact("cache of keys and values", cache));
    let notices = model.notices();
    seen.evidence.extend(notices.iter().map(|notice| fact("notice", notice.to_string())));
    Ok(model)
}

fn tokenizer(model: &LlmManager, seen: &mut Seen) -> Result<(), Error> {
    let tokenizer = model.tokenizer()?;
    let mut rows = Vec::new();
    let mut same = 0;
    for text in TEXTS {
        let ids = model.plain_ids(text)?;
        let back = tokenizer.decode(&ids, true)?;
        let kept = back == text;
        same += usize::from(kept);
        let result = if kept { "the same".to_owned() } else { back };
        rows.push(vec![text.to_owned(), ids.len().to_string(), result]);
    }
    seen.good = same == TEXTS.len();
    seen.text = format!("{same} of {} texts are the same", TEXTS.len());
    seen.evidence.push(Evidence::Table {
        title: "Texts".to_owned(),
        columns: ["Text", "Tokens", "Back"].map(str::to_owned).to_vec(),
        rows,
    });
    Ok(())
}

/// The milliseconds that each token after the first took to be computed.
fn milliseconds(answer: &Answer) -> Vec<f64> {
    answer
        .times
        .windows(2)
        .map(|pair| pair[1].saturating_sub(pair[0]).as_secs_f64() * 1e3)
        .collect()
}

fn generation(model: &LlmManager, seen: &mut Seen) -> Result<(), Error> {
    let options = GenerateOptions::new().greedy().max_new_tokens(MOST_TOKENS);
    let answer = || model.generate_with(QUESTION, &options);
    let (first, second) = (answer()?, answer()?);
    let milliseconds = milliseconds(&first);
    let same = first.ids == second.ids;
    let end = match first.finish {
        FinishReason::Length if first.ids.len() == MOST_TOKENS => "after 64 tokens".to_owned(),
        FinishReason::Length | FinishReason::ContextFull | FinishReason::Cancelled => {
            "too early".to_owned()
        }
        _ => format!("by itself after {} tokens", first.ids.len()),
    };
    seen.good = same && !first.ids.is_empty() && end != "too early";
    let rate = |rate: Option<f64>| {
        rate.map_or("not measured".to_owned(), |rate| format!("{rate:.1} tokens a second"))
    };
    let decode = rate(first.timings.decode_tok_s(&first.usage));
    seen.text = format!(
        "{}, ended {end}, {decode}",
        if same { "the same twice" } else { "different the second time" }
    );
    let prefill = rate(first.timings.prefill_tok_s(&first.usage));
    seen.evidence.push(fact("reading the prompt", prefill));
    seen.evidence.push(fact("writing the answer", decode));
    seen.evidence
        .push(Evidence::Text { title: format!("Answer to \"{QUESTION}\""), text: first.text });
    seen.evidence.push(Evidence::Timing {
        title: "Computing time of each token after the first".to_owned(),
        milliseconds,
    });
    Ok(())
}

fn sampling(model: &LlmManager, seen: &mut Seen) -> Result<(), Error> {
    let draw = |seed| {
        let options = GenerateOptions::new().temperature(0.8).seed(seed);
        model.generate_with(QUESTION, &options.max_new_tokens(MOST_TOKENS))
    };
    let (first, second, other) = (draw(42)?, draw(42)?, draw(43)?);
    seen.good = first.ids == second.ids && !first.ids.is_empty();
    let same = if seen.good { "the same" } else { "not the same" };
    seen.text = format!("{} tokens with seed 42, {same} the second time", first.ids.len());
    let other = if other.ids == first.ids { "the same too" } else { "others" };
    seen.evidence.push(fact("tokens with seed 43", other));
    seen.evidence
        .push(Evidence::Text { title: "Answer with seed 42".to_owned(), text: first.text });
    Ok(())
}
