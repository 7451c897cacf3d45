//! One model, loaded, measured and dropped.

use scaffold::LoadOptions;
use scaffold::config::Config;

use super::args::BenchArgs;
use super::figures::{AtContext, Measured, Rates, Together};
use super::prompt::{Prompts, exactly};
use super::report::{Measurements, rounded, slow_levels};
use super::{machine, together};
use crate::args::Talk;
use crate::failure::Interrupted;
use crate::session::Session;
use crate::{answer, out};

/// Measures the configured model.
pub(super) fn measure(
    args: &BenchArgs,
    config: &Config,
    load_before: Option<f64>,
) -> anyhow::Result<Measurements> {
    machine::forget_peak();
    let mut options = LoadOptions::from(config);
    let together = args.batch.iter().max().map_or(0, |&count| count as usize);
    options.max_sequences = options.max_sequences.max(together);
    // The prompts of many sequences are to be read at once, and the first is not to be through with
    // its answer by then.
    options.prefill_slowdown = f32::INFINITY;
    let session = Session::open_with(config, options, Talk::Brief)?;
    let mut prompts = Prompts::new(session.model.tokenizer()?.vocab_size());
    // Not counted: the first pass touches every page of the weights and wakes the workers.
    sample(&session, prompts.next(args.prompt as usize), 2)?;
    let alone = rates(&session, args, args.prompt, &mut prompts)?;
    let mut contexts = Vec::new();
    for &context in &args.context {
        let rates = rates(&session, args, context, &mut prompts)?;
        contexts.push(AtContext {
            context,
            prefill_tok_s: rounded(rates.prefill_tok_s),
            decode_tok_s: rounded(rates.decode_tok_s),
        });
    }
    let mut batch = Vec::new();
    for &count in &args.batch {
        let (sequences, generate) = (count as usize, args.generate as usize);
        let mut samples = Vec::new();
        for _ in 0..args.repeats {
            samples.push(together::tok_s(&session, sequences, generate, &mut prompts)?);
        }
        batch.push(Together { sequences, tok_s: rounded(median(samples.into_iter())) });
    }
    // Before the roofs are measured, which takes memory of its own.
    let peak_rss_mib = machine::peak_rss_mib();
    let (info, load) = (session.model.info().clone(), session.load());
    drop(session);
    let measured = Measured { alone, batch, contexts, load, load_before, peak_rss_mib };
    let roof = scaffold::profile::roof(config)?;
    slow_levels(&roof).into_iter().for_each(out::say);
    Ok(Measurements::new(args, config, &info, &roof, measured))
}

/// Medians over the repeats.
fn rates(
    session: &Session,
    args: &BenchArgs,
    prompt: u32,
    prompts: &mut Prompts,
) -> anyhow::Result<Rates> {
    let mut samples = Vec::new();
    for _ in 0..args.repeats {
        let prompt = prompts.next(prompt as usize);
        samples.push(sample(session, prompt, args.generate as usize)?);
    }
    let median_of = |value: fn(&Rates) -> f64| median(samples.iter().map(value));
    Ok(Rates {
        prefill_tok_s: median_of(|rates| rates.prefill_tok_s),
        decode_tok_s: median_of(|rates| rates.decode_tok_s),
        first_token: median_of(|rates| rates.first_token),
    })
}

/// Reads a prompt and writes `generate` tokens.
fn sample(session: &Session, prompt: Vec<u32>, generate: usize) -> anyhow::Result<Rates> {
    let stream = session.model.submit(exactly(prompt, generate))?;
    let answer = answer::receive(stream, |_| Ok(()))?;
    if answer::interrupted(&answer) {
        return Err(Interrupted.into());
    }
    let (timings, usage) = (answer.timings, answer.usage);
    Ok(Rates {
        prefill_tok_s: timings.prefill_tok_s(&usage).unwrap_or_default(),
        decode_tok_s: timings.decode_tok_s(&usage).unwrap_or_default(),
        first_token: (timings.queue + timings.prefill).as_secs_f64(),
    })
}

/// The middle value; of an even number, the mean of the two in the middle.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        n if n % 2 == 1 => values[n / 2],
        n => f64::midpoint(values[n / 2 - 1], values[n / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0].into_iter()), 2.5);
        assert_eq!(median(std::iter::empty()), 0.0);
    }
}
