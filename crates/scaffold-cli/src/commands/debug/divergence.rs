//! `scaffold debug divergence`

use std::path::PathBuf;

use clap::Args;
use scaffold::config::{Config, Flag, Key};
use scaffold::{LoadOptions, Model};

use crate::args::{ComputeArgs, ProjectArgs};
use crate::commands::quantize;
use crate::failure::Exit;
use crate::{interrupt, model, out};

#[derive(Debug, Args)]
#[command(after_help = "\
Two models of one vocabulary read the same text; at each token the distribution of the second is compared with that of the first.

Examples:
  scaffold debug divergence org/name ./name-q4_k.gguf                 what 4 bits have cost
  scaffold debug divergence starter starter --text mine.txt --json    nothing, on a text of your own")]
pub(crate) struct DivergenceArgs {
    /// The model that counts as right
    model: String,
    /// The other one
    other: String,
    /// The text, `-` for standard input; otherwise a few hundred tokens of prose
    #[arg(long, value_name = "FILE")]
    text: Option<PathBuf>,
    /// Print an object with the keys tokens, mean, median, p99, max, same_top, perplexity, perplexity_of_other
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    compute: ComputeArgs,
}

pub(super) fn run(args: &DivergenceArgs, project: &ProjectArgs) -> anyhow::Result<Exit> {
    let configured = |name: &String, flag| -> anyhow::Result<Config> {
        let mut flags = args.compute.flags();
        flags.push(Flag { key: Key::Model, name: flag, value: name.clone() });
        project.load(flags)
    };
    let (first, second) = (configured(&args.model, "MODEL")?, configured(&args.other, "OTHER")?);
    interrupt::install()?;
    let open = |config: &Config| -> anyhow::Result<Model> {
        let files = model::locate(config)?;
        let model = Model::open(&files, &LoadOptions::for_one_answer(config))?;
        out::notices(&model.notices());
        Ok(model)
    };
    let (first, second) = (open(&first)?, open(&second)?);
    let found = quantize::compared(args.text.as_deref(), &first, &second)?;
    if args.json {
        out::json(&found)?;
    } else {
        out::piece(&quantize::shown(&found))?;
    }
    Ok(Exit::Done)
}
