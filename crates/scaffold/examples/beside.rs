//! What chats and embeddings notice of each other in one process: the time between the tokens of
//! eight chats, alone and beside a call that embeds 2,000 texts; texts a second of that call, alone
//! and beside the chats; and texts a second of eight threads that embed one text at a time.
//!
//! `cargo run --release --example beside -- starter all-minilm`
#![allow(clippy::print_stdout, reason = "a program that talks")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use scaffold::{Embedder, Error, GenerateOptions, LlmManager};

const CHATS: usize = 8;
const TEXTS: usize = 2000;
const THREADS: usize = 8;
const LOOP: Duration = Duration::from_secs(4);

fn main() -> Result<(), Error> {
    let mut names = std::env::args().skip(1);
    let mut name = |default: &str| names.next().unwrap_or_else(|| default.to_owned());
    let (chat, embed) = (name("starter"), name("all-minilm"));
    let model = LlmManager::builder(chat)
        .change(|options| {
            options.max_sequences = CHATS;
            options.context = Some(1024);
        })
        .load()?;
    let embedder = Embedder::from_pretrained(&embed)?;
    let texts: Vec<String> = (0..TEXTS)
        .map(|n| format!("The river number {n} runs from the hills of the north to the sea."))
        .collect();
    chats(&model, 40)?;
    embedder.embed_batch(&texts[..100], &scaffold::embed::EmbedOptions::new())?;
    for round in 1..=3 {
        println!("round {round}: chats alone: {}", chats(&model, 160)?);
        println!("round {round}: texts alone: {:.0} texts a second", embed_all(&embedder, &texts)?);
        let (between, rate) = std::thread::scope(|scope| {
            let embedding = scope.spawn(|| embed_all(&embedder, &texts));
            let between = chats(&model, 160)?;
            let rate = embedding.join().expect("the embedding thread")?;
            Ok::<_, Error>((between, rate))
        })?;
        println!("round {round}: beside each other: {between}; {rate:.0} texts a second");
        println!(
            "round {round}: {THREADS} threads with one text each: {:.0} texts a second",
            one_by_one(&embedder, &texts)?
        );
    }
    Ok(())
}

/// Texts a second of one call.
fn embed_all(embedder: &Embedder, texts: &[String]) -> Result<f64, Error> {
    let begun = Instant::now();
    embedder.embed_batch(texts, &scaffold::embed::EmbedOptions::new())?;
    Ok(texts.len() as f64 / begun.elapsed().as_secs_f64())
}

/// Texts a second of several threads that embed one text after the other.
fn one_by_one(embedder: &Embedder, texts: &[String]) -> Result<f64, Error> {
    let (begun, done) = (Instant::now(), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let embedding = |thread: usize| {
            for text in texts.iter().skip(thread).step_by(THREADS).cycle() {
                if begun.elapsed() > LOOP {
                    break;
                }
                embedder.embed(text)?;
                done.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<_, Error>(())
        };
        let threads: Vec<_> =
            (0..THREADS).map(|thread| scope.spawn(move || embedding(thread))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("an embedding thread"))
    })?;
    Ok(done.into_inner() as f64 / begun.elapsed().as_secs_f64())
}

/// Eight chats, and the times between their tokens.
fn chats(model: &LlmManager, tokens: usize) -> Result<String, Error> {
    let options = GenerateOptions::new().max_new_tokens(tokens).greedy().ignore_eos();
    let ask =
        |n: usize| model.generate_stream_with(&format!("Tell me of the number {n}."), &options);
    let streams = (0..CHATS).map(ask).collect::<Result<Vec<_>, Error>>()?;
    let mut between = Vec::new();
    for stream in streams {
        let times = stream.collect_answer()?.times;
        between.extend(
            times.windows(2).map(|two| two[1].saturating_sub(two[0]).as_secs_f64() * 1000.0),
        );
    }
    between.sort_by(f64::total_cmp);
    let at = |part: f64| between[((between.len() - 1) as f64 * part) as usize];
    Ok(format!(
        "{:.1} ms between tokens at the median, {:.1} at 90 %, {:.1} at 99 %, {:.1} at most",
        at(0.5),
        at(0.9),
        at(0.99),
        at(1.0)
    ))
}
