//! `scaffold bench MODEL`

mod profile;
mod prompt;

use std::time::Duration;

use clap::Args;
use scaffold::config::{Config, Flag, Key};
use scaffold::engine::Finished;
use scaffold::{Sampling, Stop};
use serde::Serialize;

use crate::answer::{self, rounded};
use crate::args::{ComputeArgs, ProjectArgs};
use crate::failure::{Exit, Interrupted};
use crate::session::{Session, Talk};
use crate::{interrupt, out};
use prompt::prompt;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scaffold bench starter
  scaffold bench starter --prompt 512 --gen 64 --threads 2 --json
  scaffold bench org/name --repeats 5

Each repeat reads a prompt that no other shares, and writes exactly --gen tokens. Rates are medians over the repeats.
weights_gb_s is how fast decoding reads the weights; roof_gb_s is what this machine's memory gives the same threads.")]
pub(crate) struct BenchArgs {
    /// A repository (org/name), a local directory or file, or an alias such as starter
    model: String,
    /// Tokens of the prompt
    #[arg(long, value_name = "N", default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..))]
    prompt: u32,
    /// New tokens
    #[arg(long = "gen", value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(2..))]
    generate: u32,
    /// How often
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    repeats: u32,
    /// Print where the time goes, stage by stage, instead
    #[arg(long)]
    profile: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    compute: ComputeArgs,
}

/// One repeat.
struct Sample {
    prefill_tok_s: f64,
    decode_tok_s: f64,
    first_token: Duration,
}

pub(crate) fn run(args: &BenchArgs, project: &ProjectArgs) -> anyhow::Result<Exit> {
    let mut flags = args.compute.flags();
    flags.push(Flag {
        key: Key::Model,
        name: "MODEL",
        value: args.model.clone(),
    });
    if args.compute.sets_no_context() {
        let needed = args.prompt as usize + args.generate as usize;
        flags.push(Flag {
            key: Key::Context,
            name: "--prompt and --gen",
            value: needed.to_string(),
        });
    }
    let config = project.load(flags)?;
    interrupt::install()?;
    if args.profile {
        profile::run(args, &config)?;
        return Ok(Exit::Done);
    }
    let session = Session::open(&config, Talk::Brief)?;
    // Not counted: the first pass touches every page of the weights and wakes the workers.
    sample(&session, args, u64::MAX, 2)?;
    let mut samples = Vec::new();
    for repeat in 0..u64::from(args.repeats) {
        samples.push(sample(&session, args, repeat, args.generate)?);
    }
    // Before the roof is measured, which takes memory of its own.
    let peak_rss_mib = peak_rss_mib();
    let info = session.model.info();
    let decode = median(samples.iter().map(|sample| sample.decode_tok_s));
    let report = Report {
        model: args.model.clone(),
        threads: info.threads,
        prefill_tok_s: rounded(median(samples.iter().map(|sample| sample.prefill_tok_s))),
        decode_tok_s: rounded(decode),
        weights_gb_s: rounded(decode * info.weight_bytes as f64 / 1e9),
        roof_gb_s: rounded(roof(&config)?),
        load_s: rounded(session.load.as_secs_f64()),
        ttft_s: rounded(median(
            samples
                .iter()
                .map(|sample| sample.first_token.as_secs_f64()),
        )),
        peak_rss_mib,
    };
    if args.json {
        out::json(&report)?;
    } else {
        out::piece(&report.as_table())?;
    }
    Ok(Exit::Done)
}

/// Reads a prompt of its own and writes `generate` tokens.
fn sample(
    session: &Session,
    args: &BenchArgs,
    repeat: u64,
    generate: u32,
) -> anyhow::Result<Sample> {
    let vocab = session.model.tokenizer()?.vocab_size();
    let prompt = prompt(args.prompt as usize, vocab, repeat);
    let stop = Stop {
        max_new_tokens: Some(generate as usize),
        ignore_eos: true,
        ..Stop::default()
    };
    let stream = session.model.submit(prompt, Sampling::greedy(), stop)?;
    let answer = answer::receive(stream, |_| Ok(()))?;
    let Some(Finished { timings, usage, .. }) = answer.finished else {
        return Err(Interrupted.into());
    };
    Ok(Sample {
        prefill_tok_s: timings.prefill_tok_s(&usage).unwrap_or_default(),
        decode_tok_s: timings.decode_tok_s(&usage).unwrap_or_default(),
        first_token: timings.queue + timings.prefill,
    })
}

/// What the memory of this machine gives the same threads, in gigabytes per second.
fn roof(config: &Config) -> anyhow::Result<f64> {
    Ok(scaffold::roof(config)?.read / 1e9)
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

/// The most memory that this process has had, in MiB, where the system says it.
fn peak_rss_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024)
}

#[derive(Serialize)]
struct Report {
    model: String,
    threads: usize,
    prefill_tok_s: f64,
    decode_tok_s: f64,
    weights_gb_s: f64,
    roof_gb_s: f64,
    load_s: f64,
    ttft_s: f64,
    peak_rss_mib: Option<u64>,
}

impl Report {
    fn as_table(&self) -> String {
        let share = if self.roof_gb_s > 0.0 {
            100.0 * self.weights_gb_s / self.roof_gb_s
        } else {
            0.0
        };
        let rows = [
            ("model", self.model.clone()),
            ("threads", self.threads.to_string()),
            (
                "reading the prompt",
                format!("{:.1} tokens/s", self.prefill_tok_s),
            ),
            ("writing", format!("{:.1} tokens/s", self.decode_tok_s)),
            (
                "weights",
                format!(
                    "{:.2} GB/s, {share:.0} % of the roof of {:.2} GB/s",
                    self.weights_gb_s, self.roof_gb_s
                ),
            ),
            ("load time", format!("{:.2} s", self.load_s)),
            ("time to first token", format!("{:.3} s", self.ttft_s)),
            (
                "peak memory",
                self.peak_rss_mib
                    .map_or_else(|| "unknown".to_owned(), |mib| format!("{mib} MiB")),
            ),
        ];
        out::table(&rows.map(|(name, value)| vec![name.to_owned(), value]))
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
