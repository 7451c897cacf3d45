//! `scaffold bench MODEL…`

mod args;
mod figures;
mod machine;
mod measure;
mod profile;
mod prompt;
mod report;
mod together;

use scaffold::config::{Flag, Key};
use scaffold::machine::{Machine, bytes_text};

use crate::args::ProjectArgs;
use crate::failure::Exit;
use crate::{interrupt, out};
use report::Measurements;

pub(crate) use args::BenchArgs;

pub(crate) fn run(args: &BenchArgs, project: &ProjectArgs) -> anyhow::Result<Exit> {
    let mut flags = args.compute.flags();
    if args.compute.leaves(Key::Context) {
        flags.push(Flag {
            key: Key::Context,
            name: "the tokens to measure with",
            value: longest(args).to_string(),
        });
    }
    let mut config = project.load(flags)?;
    interrupt::install()?;
    let load = Machine::look().load;
    // Asked for now rather than after minutes of measuring.
    let roof = scaffold::profile::roof_bytes()?;
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
        out::piece(&Measurements::tables(&reports))?;
    }
    Ok(Exit::Done)
}

/// Tokens of the longest sequence.
fn longest(args: &BenchArgs) -> usize {
    let prompts = args.context.iter().copied().chain([args.prompt]);
    let alone = prompts.max().unwrap_or(0) + args.generate;
    let together = args.batch.iter().max();
    together.map_or(alone as usize, |&count| {
        together::tokens(count as usize, args.generate as usize).max(alone as usize)
    })
}
