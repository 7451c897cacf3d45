//! Texts sorted into classes by several threads that share one model: each asks for the likeliest
//! next word. `cargo run --release --example classify -- starter`
#![allow(clippy::print_stdout, reason = "a program that talks")]

use std::sync::Mutex;

use scaffold::{Error, GenerateOptions, LlmManager};

const TEXTS: [&str; 8] = [
    "The food was wonderful and the staff were kind.",
    "I waited an hour, and then the soup was cold.",
    "A lovely evening, we will come again.",
    "Dirty, loud and far too expensive.",
    "The best pasta in town.",
    "Nobody answered the phone for three days.",
    "My order arrived early and in perfect shape.",
    "The screen broke after a week.",
];

fn classify(model: &LlmManager, text: &str) -> Result<String, Error> {
    let prompt =
        format!("Is this review good or bad? Answer with one word, good or bad.\n\n{text}");
    let options = GenerateOptions::new().greedy().max_new_tokens(4);
    let answer = model.generate_with(&prompt, &options)?;
    let word = answer.text.to_lowercase();
    Ok(if word.contains("bad") { "bad" } else { "good" }.to_owned())
}

fn main() -> Result<(), Error> {
    let name = std::env::args().nth(1).unwrap_or_else(|| "starter".to_owned());
    let model = LlmManager::from_pretrained(&name)?;
    let todo = Mutex::new(TEXTS.iter());
    std::thread::scope(|scope| {
        let work = || {
            // Requests of all threads are computed together.
            while let Some(text) = todo.lock().ok().and_then(|mut todo| todo.next()) {
                println!("{:4}  {text}", classify(&model, text)?);
            }
            Ok(())
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(std::thread::ScopedJoinHandle::join).collect()
    })
}
