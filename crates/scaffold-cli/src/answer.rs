//! An answer as it arrives: printed, measured, stopped by Ctrl-C.

use std::time::Duration;

use scaffold::engine::FinishReason;
use scaffold::{Answer, AnswerStream, Part, PartStream};
use serde_json::{Value, json};

use crate::interrupt::Listener;
use crate::out;
use crate::progress::Reading;

/// How often Ctrl-C is looked at while the model computes.
const GLANCE: Duration = Duration::from_millis(50);

/// Receives an answer to its end, or until Ctrl-C; `print` gets each piece of text as it arrives.
pub(crate) fn receive(
    mut stream: AnswerStream,
    mut print: impl FnMut(&str) -> anyhow::Result<()>,
) -> anyhow::Result<Answer> {
    follow(
        &mut stream,
        AnswerStream::is_ended,
        |stream| stream.recv_timeout(GLANCE),
        |stream| (stream.prompt_read(), stream.answer().usage.prompt_tokens),
        |piece| print(&piece.text),
    )?;
    Ok(stream.into_answer())
}

/// As [`receive`], of an answer that has to keep to something: its thoughts are left out, so that what
/// is printed is what was asked for.
pub(crate) fn receive_kept(
    mut stream: PartStream,
    mut print: impl FnMut(&str) -> anyhow::Result<()>,
) -> anyhow::Result<Answer> {
    follow(
        &mut stream,
        PartStream::is_ended,
        |stream| stream.recv_timeout(GLANCE),
        |stream| (stream.prompt_read(), stream.answer().usage.prompt_tokens),
        |arrived| {
            arrived.parts.iter().try_for_each(|part| match part {
                Part::Text(text) | Part::Broken { text, .. } => print(text),
                _ => Ok(()),
            })
        },
    )?;
    let reply = stream.into_reply();
    let mut answer = reply.answer;
    answer.text = reply.text;
    Ok(answer)
}

/// Takes what comes of a stream until it ends or Ctrl-C is pressed, and shows how far the prompt is read
/// (tokens, and of how many) while nothing comes.
fn follow<S, T>(
    stream: &mut S,
    is_ended: impl Fn(&S) -> bool,
    mut next: impl FnMut(&mut S) -> Option<Result<T, scaffold::Error>>,
    read: impl Fn(&S) -> (usize, usize),
    mut take: impl FnMut(T) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let listener = Listener::new();
    let mut reading = Reading::new();
    while !(is_ended(stream) || listener.pressed()) {
        if let Some(more) = next(stream) {
            reading.end();
            take(more?)?;
        } else {
            let (tokens, of) = read(stream);
            reading.show(tokens, of);
        }
    }
    Ok(())
}

/// Whether Ctrl-C stopped it.
pub(crate) fn interrupted(answer: &Answer) -> bool {
    answer.finish == FinishReason::Cancelled
}

/// The answer for programs.
pub(crate) fn as_json(answer: &Answer, prompt_ids: &[u32], load: Duration) -> Value {
    let reason = if interrupted(answer) { "interrupted" } else { answer.finish.name() };
    let mut value = json!({
        "text": answer.text,
        "prompt_ids": prompt_ids,
        "output_ids": answer.ids,
        "finish_reason": reason,
        "seed": answer.seed,
        "timings": timings(answer, load),
    });
    if answer.incomplete {
        value["incomplete"] = true.into();
    }
    value
}

fn timings(answer: &Answer, load: Duration) -> Value {
    if interrupted(answer) {
        return json!({ "load_s": seconds(load) });
    }
    let (timings, usage) = (&answer.timings, &answer.usage);
    json!({
        "load_s": seconds(load),
        "queue_s": seconds(timings.queue),
        "prefill_s": seconds(timings.prefill),
        "decode_s": seconds(timings.decode),
        "ttft_s": seconds(timings.queue + timings.prefill),
        "prefill_tok_s": timings.prefill_tok_s(usage).map(rounded),
        "decode_tok_s": timings.decode_tok_s(usage).map(rounded),
        "prompt_tokens": usage.prompt_tokens,
        "cached_tokens": usage.cached_tokens,
        "completion_tokens": usage.completion_tokens,
    })
}

/// Says what `--verbose` asks for.
pub(crate) fn say_timings(answer: &Answer, load: Duration) {
    out::say(format_args!("load time            {:.2} s", load.as_secs_f64()));
    if interrupted(answer) {
        return;
    }
    let (timings, usage) = (&answer.timings, &answer.usage);
    let per_second =
        |rate: Option<f64>| rate.map_or_else(|| "-".to_owned(), |rate| format!("{rate:.1}"));
    let first = timings.queue + timings.prefill;
    out::say(format_args!("time to first token  {:.3} s", first.as_secs_f64()));
    out::say(format_args!(
        "prompt               {} tokens ({} from the cache), {} tokens/s",
        usage.prompt_tokens,
        usage.cached_tokens,
        per_second(timings.prefill_tok_s(usage))
    ));
    out::say(format_args!(
        "answer               {} tokens, {} tokens/s",
        usage.completion_tokens,
        per_second(timings.decode_tok_s(usage))
    ));
}

/// An answer that was cut off looks like one that is complete, so it is told.
pub(crate) fn say_cut_off(answer: &Answer) {
    if let Some(wider) = answer.widened {
        let name = format!("{wider:?}").to_lowercase();
        out::say(format_args!(
            "note: keys or values of this model are too large for an f16 cache: they are kept in {name} (--kv-type {name} does so \
             from the start)"
        ));
    }
    if answer.incomplete {
        out::say("note: the answer is not whole: what it has to keep to asks for more");
    }
    let tokens = answer.usage.completion_tokens;
    let noun = if tokens == 1 { "token" } else { "tokens" };
    match answer.finish {
        FinishReason::Length => out::say(format_args!(
            "note: cut off after {tokens} new {noun}, as LLM_MAX_LENGTH or --max-new-tokens says"
        )),
        FinishReason::ContextFull => out::say(format_args!(
            "note: cut off after {tokens} new {noun}: prompt and answer fill the context (--ctx makes it longer)"
        )),
        _ => {}
    }
}

fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e6
}

/// Three digits after the point say all that a measurement does.
pub(crate) fn rounded(rate: f64) -> f64 {
    (rate * 1e3).round() / 1e3
}
