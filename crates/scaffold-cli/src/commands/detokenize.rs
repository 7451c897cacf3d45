//! `scaffold detokenize`

use std::io::BufRead as _;

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;

use crate::args::ProjectArgs;
use crate::failure::{Exit, Usage};
use crate::{out, tokenizer};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scaffold detokenize starter 19556,905
  scaffold detokenize starter 1 4093 2 --skip-special
  scaffold detokenize starter < ids.jsonl            a JSON list a line in, a JSON string a line out")]
pub(crate) struct DetokenizeArgs {
    /// A repository (org/name), a local directory or file, or an alias
    model: String,
    /// Token ids, separated by commas or spaces; without them, standard input holds one JSON list a
    /// line
    #[arg(value_delimiter = ',', allow_negative_numbers = true)]
    ids: Vec<u32>,
    /// Leave control tokens out
    #[arg(long)]
    skip_special: bool,
    /// Print {"ids": […], "text": "…"}
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Output<'a> {
    ids: &'a [u32],
    text: String,
}

pub(crate) fn run(args: &DetokenizeArgs, project: &ProjectArgs) -> anyhow::Result<Exit> {
    let tokenizer = tokenizer::open(&args.model, project)?.tokenizer;
    if args.ids.is_empty() {
        for (index, line) in std::io::stdin().lock().lines().enumerate() {
            let line = line.context("cannot read standard input")?;
            let line = tokenizer::without_mark(&line, index);
            let ids: Vec<u32> = serde_json::from_str(line).map_err(|error| {
                Usage(format!("line {} of standard input is not a JSON list of ids: {error}\n  to do: write [1, 2, 3], one list a line", index + 1))
            })?;
            out::json(&tokenizer.decode(&ids, args.skip_special)?)?;
        }
        return Ok(Exit::Done);
    }
    let text = tokenizer.decode(&args.ids, args.skip_special)?;
    if args.json {
        out::json(&Output { ids: &args.ids, text })?;
    } else {
        out::line(&text)?;
    }
    Ok(Exit::Done)
}
