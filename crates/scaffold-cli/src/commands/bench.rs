//! `scaffold bench MODEL…`

mod machine;
mod measure;
mod profile;
mod prompt;
mod report;
mod together;

use std::path::Path;

use clap::Args;
use scaffold::config::{Flag, Key};
use scaffold::machine::{Machine, bytes_text};

use crate::args::{ComputeArgs, ProjectArgs};
use crate::failure::Exit;
use crate::{interrupt, out};
use report::Report;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scaffold bench starter
  scaffold bench starter ./model-Q4_K_M.gguf ./model-Q8_0.gguf --threads 2
  scaffold bench org/name --batch 1,4,8,16 --context 1024,4096 --json
  scaffold bench starter --profile

Models are loaded, measured and dropped one after the other. Each repeat reads a prompt that no other shares, and writes
exactly --gen tokens. Rates are medians over the repeats, in tokens per second. A share is that of this machine's roof,
measured beside the model: for reading a prompt what its multiply-add units do at most, for writing what its memory
gives. Compare only what was measured while the machine had nothing else to do.")]
pub(crate) struct BenchArgs {
    /// Repositories (org/name), local directories or files, or aliases such as starter
    #[arg(value_name = "MODEL", required = true)]
    models: Vec<String>,
    /// Tokens of the prompt
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..))]
    prompt: u32,
    /// New tokens
    #[arg(long = "gen", value_name = "N", allow_negative_numbers = true, default_value_t = 64, value_parser = clap::value_parser!(u32).range(2..))]
    generate: u32,
    /// Also so many sequences written together, each behind a prompt of its own of 128 tokens: new
    /// tokens of all
    #[arg(long, value_name = "N,…", allow_negative_numbers = true, value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=256))]
    batch: Vec<u32>,
    /// Also prompts of so many tokens, and writing behind them
    #[arg(long, value_name = "N,…", allow_negative_numbers = true, value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..))]
    context: Vec<u32>,
    /// How often
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    repeats: u32,
    /// Print where the time goes, stage by stage, instead
    #[arg(long, conflicts_with_all = ["batch", "context"])]
    profile: bool,
    /// Print one JSON object for each model, on a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    compute: ComputeArgs,
}

/// A model's name in a table: of a file, without the directories before it.
fn shown(model: &str) -> &str {
    let path = Path::new(model);
    let name = path.file_name().and_then(|name| name.to_str());
    name.filter(|_| path.is_file()).unwrap_or(model)
}

impl BenchArgs {
    /// Tokens of the longest sequence.
    fn longest(&self) -> usize {
        let prompts = self.context.iter().copied().chain([self.prompt]);
        let alone = prompts.max().unwrap_or(0) + self.generate;
        let together = self.batch.iter().max();
        together.map_or(alone as usize, |&count| {
            together::tokens(count as usize, self.generate as usize).max(alone as usize)
        })
    }
}

pub(crate) fn run(args: &BenchArgs, project: &ProjectArgs) -> anyhow::Result<Exit> {
    let mut flags = args.compute.flags();
    if args.compute.sets_no_context() {
        flags.push(Flag {
            key: Key::Context,
            name: "the tokens to measure with",
            value: args.longest().to_string(),
        });
    }
    let mut config = project.load(flags)?;
    interrupt::install()?;
    let load = Machine::look().load;
    // Asked for now rather than after minutes of measuring.
    let roof = scaffold::roof_bytes().map_err(scaffold::Error::from)?;
    if roof < 512 << 20 {
        out::say(format_args!(
            "note: memory is little, so the roof of reading it is measured over {} in place of 512 MiB; caches may make it higher",
            bytes_text(roof as u64)
        ));
    }
    out::say(machine::load_text(load));
    let mut reports = Vec::new();
    for model in &args.models {
        model.clone_into(&mut config.model.value);
        if args.profile {
            profile::run(args, &config)?;
        } else {
            let report = measure::measure(args, &config, load)?;
            if args.json {
                out::json(&report)?;
            }
            reports.push(report);
        }
    }
    if !(args.json || reports.is_empty()) {
        out::piece(&Report::tables(&reports))?;
    }
    Ok(Exit::Done)
}
