//! A chat in a terminal, whose answers Enter stops: `cargo run --example chat -- starter`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks")]

use std::collections::VecDeque;
use std::io::{BufRead as _, Write as _, stdin, stdout};
use std::sync::mpsc;
use std::time::Duration;

use scaffold::{Error, GenerateOptions, LlmManager, Message};

fn main() -> Result<(), Error> {
    let name = std::env::args().nth(1).unwrap_or_else(|| "starter".to_owned());
    let model = LlmManager::builder(name).context(2048).load()?;
    let options = GenerateOptions::new().temperature(0.7).max_new_tokens(200);
    let (typed, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in stdin().lock().lines().map_while(Result::ok) {
            if typed.send(line).is_err() {
                return;
            }
        }
    });
    let mut messages = vec![Message::system("Answer in one or two sentences.")];
    let mut ahead = VecDeque::new();
    while let Some(line) = ahead.pop_front().or_else(|| lines.recv().ok()) {
        messages.push(Message::user(line));
        let mut stream = model.chat_stream_with(&messages, &options)?;
        let canceller = stream.canceller();
        while !stream.is_ended() {
            if let Some(piece) = stream.recv_timeout(Duration::from_millis(50)) {
                print!("{}", piece?.text);
                let _ = stdout().flush();
            }
            // An empty line while an answer is written stops it; others are answered next.
            match lines.try_recv() {
                Ok(line) if line.is_empty() => canceller.cancel(),
                Ok(line) => ahead.push_back(line),
                Err(_) => {}
            }
        }
        let answer = stream.into_answer();
        println!();
        eprintln!("[{}, {} tokens]", answer.finish.name(), answer.usage.completion_tokens);
        messages.push(Message::assistant(answer.text));
    }
    Ok(())
}
