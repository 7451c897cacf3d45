//! `scaffold debug`: what a model computes, in numbers.

mod divergence;
mod hidden;

use clap::{Args, Subcommand};
use scaffold::config::{Flag, Key, Source};
use scaffold::engine::KvType;
use scaffold::{LoadOptions, Model};
use serde::Serialize;

use crate::args::{ComputeArgs, ProjectArgs};
use crate::failure::Exit;
use crate::{interrupt, model, out};

/// What to look at.
#[derive(Debug, Subcommand)]
pub(crate) enum DebugCommand {
    /// Print the logits after given tokens, to compare a model with other software
    Logits(LogitsArgs),
    /// Print an encoder's last hidden states of given tokens
    Hidden(hidden::HiddenArgs),
    /// How far a model is from another one, over the tokens of a text
    Divergence(divergence::DivergenceArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scaffold debug logits starter --ids 1,2,3                the likeliest next tokens
  scaffold debug logits starter --ids 1,2,3 --json         {\"ids\": [1,2,3], \"logits\": [...]}, the last position
  scaffold debug logits ./model --ids 1,2,3 --json --all   a row for each position
  scaffold debug logits starter --ids 1,2,3 --json --dequantize   computed in float32

The cache of keys and values is float32 here, unless --kv-type says otherwise.")]
pub(crate) struct LogitsArgs {
    /// A repository (org/name), a local directory or file, or an alias
    model: String,
    /// Token ids, separated by commas
    #[arg(long, value_name = "ID,ID,…", value_delimiter = ',', required = true)]
    ids: Vec<u32>,
    /// A row for each position, not only the last one
    #[arg(long)]
    all: bool,
    /// Print every logit, for programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    compute: ComputeArgs,
}

#[derive(Serialize)]
struct Output<'a> {
    ids: &'a [u32],
    logits: Rows<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Rows<'a> {
    Last(&'a [f32]),
    All(&'a [Vec<f32>]),
}

pub(crate) fn run(command: &DebugCommand, project: &ProjectArgs) -> anyhow::Result<Exit> {
    match command {
        DebugCommand::Logits(args) => logits(args, project),
        DebugCommand::Hidden(args) => hidden::run(args, project),
        DebugCommand::Divergence(args) => divergence::run(args, project),
    }
}

fn logits(args: &LogitsArgs, project: &ProjectArgs) -> anyhow::Result<Exit> {
    let mut flags = args.compute.flags();
    flags.push(Flag { key: Key::Model, name: "MODEL", value: args.model.clone() });
    let mut config = project.load(flags)?;
    config.chosen_device()?;
    if config.kv_type.source == Source::Default {
        config.kv_type.value = KvType::F32;
    }
    interrupt::install()?;
    let files = model::locate(&config)?;
    let model = Model::open(&files, &LoadOptions::from(&config))?;
    out::notices(&model.notices());
    let rows = scaffold::logits::logits(&model, &args.ids, args.all)?;
    if args.json {
        let logits = if args.all {
            Rows::All(&rows)
        } else {
            Rows::Last(rows.last().map_or(&[], Vec::as_slice))
        };
        out::json(&Output { ids: &args.ids, logits })?;
    } else {
        let first = args.ids.len() - rows.len();
        for (index, row) in rows.iter().enumerate() {
            out::piece(&readable(first + index, args.ids[first + index], row))?;
        }
    }
    Ok(Exit::Done)
}

/// The likeliest next tokens after a position.
fn readable(position: usize, id: u32, row: &[f32]) -> String {
    const SHOWN: usize = 10;
    let mut order: Vec<usize> = (0..row.len()).collect();
    order.sort_by(|&a, &b| row[b].total_cmp(&row[a]).then(a.cmp(&b)));
    let mut rows = vec![vec!["TOKEN".to_owned(), "LOGIT".to_owned()]];
    rows.extend(
        order
            .iter()
            .take(SHOWN)
            .map(|&token| vec![token.to_string(), format!("{:.4}", row[token])]),
    );
    format!("after position {position} (token {id}):\n{}", out::table(&rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likeliest_come_first_and_ties_by_number() {
        let text = readable(2, 7, &[0.5, 2.0, 2.0, -1.0]);
        let tokens: Vec<_> =
            text.lines().skip(2).filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!(tokens, ["1", "2", "0", "3"]);
        assert!(text.starts_with("after position 2 (token 7):"), "{text}");
    }
}
