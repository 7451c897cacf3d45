//! What it costs to hold answers to a schema: tokens a second free and held, and how long it takes to find
//! out what may come next. `cargo run --release --example constrained -- starter`
#![allow(clippy::print_stdout, reason = "a program that talks")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use scaffold::grammar::{Compiled, Vocabulary};
use scaffold::{Answer, Error, GenerateOptions, Grammar, LlmManager};
use serde_json::{Value, json};

/// Tokens of an answer, and answers of a kind.
const TOKENS: usize = 120;
const ANSWERS: u64 = 5;

fn schema() -> Value {
    let person = json!({
        "type": "object",
        "properties": {
            "name": { "type": "string" },
            "born": { "type": "string", "format": "date" },
            "children": { "type": "array", "items": { "$ref": "#/$defs/person" } },
            "notes": { "type": "array", "items": { "type": "string" } },
        },
        "required": ["name", "born", "children", "notes"],
        "additionalProperties": false,
    });
    json!({ "$ref": "#/$defs/person", "$defs": { "person": person } })
}

fn speed(model: &LlmManager, options: &GenerateOptions) -> Result<(f64, usize), Error> {
    let mut rates = Vec::new();
    let before = model.engine()?.metrics().forced_tokens;
    for seed in 0..ANSWERS {
        let options = options.clone().seed(seed).temperature(1.0).max_new_tokens(TOKENS);
        let answer: Answer =
            model.generate_with("Tell me about a family of musicians.", &options)?;
        rates.extend(answer.timings.decode_tok_s(&answer.usage));
    }
    rates.sort_by(f64::total_cmp);
    let forced = model.engine()?.metrics().forced_tokens - before;
    Ok((rates.get(rates.len() / 2).copied().unwrap_or_default(), forced as usize))
}

/// The times of masks along a text that the schema takes.
fn masks(model: &LlmManager) -> Result<Vec<Duration>, Error> {
    let tokenizer = model.tokenizer()?;
    let begun = Instant::now();
    let vocabulary = Arc::new(Vocabulary::new(Arc::clone(&tokenizer))?);
    println!("{} tokens put in order in {:.2?}", tokenizer.vocab_size(), begun.elapsed());
    let begun = Instant::now();
    let compiled = Compiled::new(&Grammar::Schema(schema()), vocabulary)?;
    println!("schema compiled in {:.2?}", begun.elapsed());
    let child = r#"{"name": "Anna", "born": "1701-02-03", "children": [], "notes": ["plays the organ", "sings"]}"#;
    let text = format!(
        r#"{{"name": "Johann", "born": "1685-03-31", "children": [{child}, {child}], "notes": []}}"#
    );
    let ids = tokenizer.encode_chat(&text)?.ids;
    let mut times = Vec::new();
    let mut guide = compiled.begin();
    for id in ids {
        let begun = Instant::now();
        guide.allowed()?;
        times.push(begun.elapsed());
        guide.take(id)?;
    }
    times.sort();
    Ok(times)
}

fn main() -> Result<(), Error> {
    let name = std::env::args().nth(1).unwrap_or_else(|| "starter".to_owned());
    let model = LlmManager::from_pretrained(&name)?;
    let times = masks(&model)?;
    let at = |part: usize| times[(times.len() - 1) * part / 100];
    println!(
        "what may come next: median {:.1?}, 95 of 100 within {:.1?}, longest {:.1?}",
        at(50),
        at(95),
        at(100)
    );
    let (free, _) = speed(&model, &GenerateOptions::new().ignore_eos())?;
    let (held, forced) = speed(&model, &GenerateOptions::new().schema(schema()))?;
    println!(
        "free {free:.1} tokens/s, held to the schema {held:.1} tokens/s, of which {forced} tokens were forced"
    );
    Ok(())
}
