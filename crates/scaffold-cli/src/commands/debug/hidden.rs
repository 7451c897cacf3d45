//! `scaffold debug hidden`

use clap::Args;
use scaffold::config::{Flag, Key};
use scaffold::embed::hidden_states;
use scaffold::{LoadOptions, Model};
use serde::Serialize;

use crate::args::{ComputeArgs, ProjectArgs};
use crate::failure::{Exit, Usage};
use crate::{interrupt, model, out};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scaffold debug hidden all-minilm --ids 101,7592,102            the first numbers of each row
  scaffold debug hidden all-minilm --ids 101,7592,102 --json     {\"ids\": [...], \"hidden\": [[...], ...]}")]
pub(crate) struct HiddenArgs {
    /// A repository (org/name), a local directory, or an alias
    model: String,
    /// Token ids, separated by commas
    #[arg(long, value_name = "ID,ID,…", value_delimiter = ',', required = true)]
    ids: Vec<u32>,
    /// The type of each token, separated by commas; otherwise all 0
    #[arg(long, value_name = "0,0,1,…", value_delimiter = ',')]
    types: Vec<u32>,
    /// Print every number, for programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    compute: ComputeArgs,
}

#[derive(Serialize)]
struct Output<'a> {
    ids: &'a [u32],
    hidden: &'a [Vec<f32>],
}

pub(super) fn run(args: &HiddenArgs, project: &ProjectArgs) -> anyhow::Result<Exit> {
    if !args.types.is_empty() && args.types.len() != args.ids.len() {
        return Err(Usage(format!(
            "--types has {} values and --ids has {}\n  to do: give one type for each id",
            args.types.len(),
            args.ids.len()
        ))
        .into());
    }
    let mut flags = args.compute.flags();
    flags.push(Flag { key: Key::Model, name: "MODEL", value: args.model.clone() });
    let config = project.load(flags)?;
    config.chosen_device()?;
    interrupt::install()?;
    let files = model::locate(&config)?;
    let model = Model::open(&files, &LoadOptions::from(&config))?;
    out::notices(&model.notices());
    let rows = hidden_states(&model, &args.ids, &args.types)?;
    if args.json {
        out::json(&Output { ids: &args.ids, hidden: &rows })?;
    } else {
        out::piece(&readable(&args.ids, &rows))?;
    }
    Ok(Exit::Done)
}

fn readable(ids: &[u32], rows: &[Vec<f32>]) -> String {
    const SHOWN: usize = 6;
    let lines: Vec<Vec<String>> = ids
        .iter()
        .zip(rows)
        .map(|(id, row)| {
            let mut cells = vec![id.to_string()];
            cells.extend(row.iter().take(SHOWN).map(|x| format!("{x:>9.5}")));
            if row.len() > SHOWN {
                cells.push(format!("… {} in all", row.len()));
            }
            cells
        })
        .collect();
    out::table(&lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_begins_with_its_token() {
        let text = readable(&[101, 7], &[vec![0.5; 8], vec![-0.25; 8]]);
        assert!(text.starts_with("101    0.50000"), "{text}");
        assert!(text.contains("… 8 in all"), "{text}");
    }
}
