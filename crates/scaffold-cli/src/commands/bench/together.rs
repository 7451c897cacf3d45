//! Several sequences written together.

use std::time::{Duration, Instant};

use scaffold::Sampling;
use scaffold::engine::{Event, EventStream, stopped};

use super::prompt::{Prompts, exactly};
use crate::failure::Interrupted;
use crate::interrupt::Listener;
use crate::session::Session;

/// Tokens of each prompt.
const PROMPT: usize = 128;
/// How often Ctrl-C is looked at.
const GLANCE: Duration = Duration::from_millis(50);

/// Tokens that a sequence may come to: those that started first write while the others' prompts are
/// read, and none may end before the measuring does.
pub(super) fn tokens(sequences: usize, generate: usize) -> usize {
    PROMPT + new_tokens(sequences, generate)
}

fn new_tokens(sequences: usize, generate: usize) -> usize {
    2 * generate + 2 * sequences + 32
}

/// New tokens of all sequences a second, from when the last has its first token until one has
/// `generate` more.
pub(super) fn tok_s(
    session: &Session,
    sequences: usize,
    generate: usize,
    prompts: &mut Prompts,
) -> anyhow::Result<f64> {
    let listener = Listener::new();
    let mut streams = Vec::with_capacity(sequences);
    for _ in 0..sequences {
        let (prompt, stop) = (prompts.next(PROMPT), exactly(new_tokens(sequences, generate)));
        streams.push(session.model.submit(prompt, Sampling::greedy(), stop)?);
    }
    for stream in &mut streams {
        wait_for(stream, 1, &listener)?;
    }
    // What has come until now does not count.
    arrived(&mut streams)?;
    let start = Instant::now();
    let Some((first, others)) = streams.split_first_mut() else {
        return Ok(0.0);
    };
    let mut count = wait_for(first, generate, &listener)?;
    count += arrived(others)?;
    Ok(count as f64 / start.elapsed().as_secs_f64())
}

/// Waits for so many tokens; returns how many have come.
fn wait_for(stream: &mut EventStream, tokens: usize, listener: &Listener) -> anyhow::Result<usize> {
    let mut count = 0;
    while count < tokens {
        if listener.pressed() {
            return Err(Interrupted.into());
        }
        match stream.recv_timeout(GLANCE) {
            Some(event) => count += tokens_of(event)?,
            None if stream.is_ended() => {
                return Err(scaffold::Error::from(stopped()).into());
            }
            None => {}
        }
    }
    Ok(count)
}

/// Takes what has come, and counts its tokens.
fn arrived(streams: &mut [EventStream]) -> anyhow::Result<usize> {
    let mut count = 0;
    for stream in streams {
        while let Some(event) = stream.try_recv() {
            count += tokens_of(event)?;
        }
    }
    Ok(count)
}

fn tokens_of(event: Event) -> anyhow::Result<usize> {
    match event {
        Event::Text(text) => Ok(text.ids.len()),
        Event::Failed(error) => Err(scaffold::Error::from(error).into()),
        Event::Started(_) | Event::Finished(_) => Ok(0),
    }
}
