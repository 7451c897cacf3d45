//! What people notice of each other: the time between the tokens of eight chats, alone, while a
//! prompt of 4,000 tokens is read beside them, and while others come and leave all the time; and how
//! soon a short question is answered then.
//!
//! `cargo run --release --example load -- starter`
#![allow(clippy::print_stdout, reason = "a program that talks")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use scaffold::{Error, GenerateOptions, LlmManager};

const CHATS: usize = 8;

fn main() -> Result<(), Error> {
    let name = std::env::args().nth(1).unwrap_or_else(|| "starter".to_owned());
    let model = LlmManager::builder(name)
        .change(|options| {
            options.max_sequences = 2 * CHATS;
            options.context = Some(8192);
        })
        .load()?;
    let long: Vec<u32> = model.plain_ids(&"The river runs to the sea. ".repeat(700))?;
    let long = &long[..4000];
    chats(&model, None)?;
    for round in 1..=3 {
        let alone = chats(&model, None)?;
        // Another prompt each time: one that was read before is in the cache.
        let mut other = long.to_vec();
        other[0] = 100 + round;
        let beside = chats(&model, Some(other))?;
        let (leaving, left) = while_others_leave(&model)?;
        println!("round {round}: alone  {alone}");
        println!("round {round}: beside {beside}");
        println!("round {round}: while {left} others came and left: {leaving}");
    }
    Ok(())
}

/// The chats, while four others come at a time, and leave after some tokens or before.
fn while_others_leave(model: &LlmManager) -> Result<(String, usize), Error> {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let others = scope.spawn(|| -> Result<usize, Error> {
            let mut left = 0;
            while !over.load(Ordering::Relaxed) {
                let ask = |n: usize| model.generate_stream(&format!("What is the number {n}?"));
                let streams = (left..left + 4).map(ask).collect::<Result<Vec<_>, Error>>()?;
                std::thread::sleep(Duration::from_millis(20 * (left as u64 % 5)));
                left += streams.len();
            }
            Ok(left)
        });
        let told = chats(model, None);
        over.store(true, Ordering::Relaxed);
        let left = others.join().unwrap_or(Ok(0))?;
        Ok((told?, left))
    })
}

/// Eight chats, and a prompt that comes when they have begun.
fn chats(model: &LlmManager, prompt: Option<Vec<u32>>) -> Result<String, Error> {
    let options = GenerateOptions::new().max_new_tokens(160).greedy().ignore_eos();
    let ask =
        |n: usize| model.generate_stream_with(&format!("Tell me of the number {n}."), &options);
    let mut streams = (0..CHATS).map(ask).collect::<Result<Vec<_>, Error>>()?;
    for stream in &mut streams {
        stream.recv().transpose()?;
    }
    let long = match prompt {
        Some(prompt) => {
            let options = GenerateOptions::new().max_new_tokens(1);
            Some((Instant::now(), model.stream_ids(prompt, &options)?))
        }
        None => None,
    };
    // A short question that comes while it is read.
    std::thread::sleep(Duration::from_millis(50));
    let asked = Instant::now();
    let mut short =
        model.generate_stream_with("Name a sea.", &GenerateOptions::new().max_new_tokens(1))?;
    short.recv().transpose()?;
    let first = asked.elapsed();
    let read = match long {
        Some((begun, stream)) => {
            stream.collect_answer()?;
            Some(begun.elapsed())
        }
        None => None,
    };
    let mut between = Vec::new();
    for stream in streams {
        let times = stream.collect_answer()?.times;
        between.extend(
            times.windows(2).map(|two| two[1].saturating_sub(two[0]).as_secs_f64() * 1000.0),
        );
    }
    between.sort_by(f64::total_cmp);
    let at = |part: f64| between[((between.len() - 1) as f64 * part) as usize];
    let read = read.map_or_else(String::new, |time| {
        format!("; 4,000 tokens read in {:.2} s", time.as_secs_f64())
    });
    Ok(format!(
        "between tokens {:.1} ms at the median, {:.1} at 90 %, {:.1} at 99 %; a short question answered after {:.0} ms{read}",
        at(0.5),
        at(0.9),
        at(0.99),
        first.as_secs_f64() * 1000.0
    ))
}
