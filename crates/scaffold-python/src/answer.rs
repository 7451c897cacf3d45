//! Answers as Python is told them: dictionaries, of which its own classes are made.

use pyo3::prelude::*;
use scaffold::engine::FinishReason;
use scaffold::{Arrived, Call, Candidate, Logprob, Part, Reply};

/// A token and its log-probability: id, text, bytes, natural logarithm.
type TokenTuple<'a> = (u32, &'a str, &'a [u8], f32);

/// A place of an answer: the token, and the likeliest ones, best first.
type PlaceTuple<'a> = (TokenTuple<'a>, Vec<TokenTuple<'a>>);

fn token(of: &Candidate) -> TokenTuple<'_> {
    (of.id, &of.token, &of.bytes, of.logprob)
}

fn places(of: &[Logprob]) -> Vec<PlaceTuple<'_>> {
    of.iter().map(|one| (token(&one.chosen), one.top.iter().map(token).collect())).collect()
}

/// What has arrived of an answer.
#[derive(IntoPyObject)]
struct PieceFacts<'a> {
    /// Each a kind (`text`, `thought`, `call`, `broken`) with two texts: what is said and nothing, the
    /// tool and its arguments, or what looked like a call and why it is none.
    parts: Vec<(&'static str, &'a str, &'a str)>,
    ids: &'a [u32],
    logprobs: Vec<PlaceTuple<'a>>,
    prompt_logprobs: Vec<PlaceTuple<'a>>,
}

fn part(of: &Part) -> (&'static str, &str, &str) {
    match of {
        Part::Text(text) => ("text", text, ""),
        Part::Thought(text) => ("thought", text, ""),
        Part::Call(Call { name, arguments }) => ("call", name, arguments),
        Part::Broken { text, why } => ("broken", text, why),
    }
}

/// A piece of an answer.
pub(crate) fn piece<'py>(py: Python<'py>, arrived: &Arrived) -> PyResult<Bound<'py, PyAny>> {
    let Arrived { parts, piece, .. } = arrived;
    let facts = PieceFacts {
        parts: parts.iter().map(part).collect(),
        ids: &piece.ids,
        logprobs: places(&piece.logprobs),
        prompt_logprobs: places(&piece.prompt_logprobs),
    };
    Ok(facts.into_pyobject(py)?.into_any())
}

/// An answer, or what has come of it.
#[derive(IntoPyObject)]
struct AnswerFacts<'a> {
    text: &'a str,
    thoughts: &'a str,
    thought_tokens: usize,
    thoughts_cut: bool,
    calls: Vec<(&'a str, &'a str)>,
    broken: &'a [String],
    raw: &'a str,
    ids: &'a [u32],
    /// Seconds from when the request left the queue.
    times: Vec<f64>,
    logprobs: Vec<PlaceTuple<'a>>,
    prompt_logprobs: Vec<PlaceTuple<'a>>,
    finish: &'static str,
    reason: &'static str,
    prompt_tokens: usize,
    cached_tokens: usize,
    completion_tokens: usize,
    seed: u64,
    queue: f64,
    prefill: f64,
    decode: f64,
    preemptions: usize,
    incomplete: bool,
}

/// Why an answer ended, more closely than `finish` tells.
fn reason(of: FinishReason) -> &'static str {
    match of {
        FinishReason::Eos { .. } => "eos",
        FinishReason::StopId { .. } => "stop_id",
        FinishReason::StopString { .. } => "stop_string",
        FinishReason::Complete => "complete",
        FinishReason::Length => "length",
        FinishReason::ContextFull => "context_full",
        FinishReason::Cancelled => "cancelled",
    }
}

/// An answer.
pub(crate) fn answer<'py>(py: Python<'py>, reply: &Reply) -> PyResult<Bound<'py, PyAny>> {
    let answer = &reply.answer;
    let facts = AnswerFacts {
        text: &reply.text,
        thoughts: &reply.thoughts,
        thought_tokens: reply.thought_tokens,
        thoughts_cut: reply.thoughts_cut,
        calls: reply.calls.iter().map(|call| (&*call.name, &*call.arguments)).collect(),
        broken: &reply.broken,
        raw: &answer.text,
        ids: &answer.ids,
        times: answer.times.iter().map(std::time::Duration::as_secs_f64).collect(),
        logprobs: places(&answer.logprobs),
        prompt_logprobs: places(&answer.prompt_logprobs),
        finish: answer.finish.name(),
        reason: reason(answer.finish),
        prompt_tokens: answer.usage.prompt_tokens,
        cached_tokens: answer.usage.cached_tokens,
        completion_tokens: answer.usage.completion_tokens,
        seed: answer.seed,
        queue: answer.timings.queue.as_secs_f64(),
        prefill: answer.timings.prefill.as_secs_f64(),
        decode: answer.timings.decode.as_secs_f64(),
        preemptions: answer.timings.preemptions,
        incomplete: answer.incomplete,
    };
    Ok(facts.into_pyobject(py)?.into_any())
}
