//! `scaffold list`

use clap::Args;
use scaffold::hub::{Place, StoredModel};
use scaffold::machine::bytes_text;
use serde_json::{Value, json};

use crate::args::ProjectArgs;
use crate::failure::Exit;
use crate::{model, out};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scaffold list
  scaffold list mistral                        names that contain this
  scaffold list --json | jq -r .[].name")]
pub(crate) struct ListArgs {
    /// Only models whose name contains this
    filter: Option<String>,
    /// Print a list of objects with the keys name, revision, refs, place, format, quantizations,
    /// bytes, complete, path
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &ListArgs, project: &ProjectArgs) -> anyhow::Result<Exit> {
    let config = project.load(vec![])?;
    // Without a place for models there is nothing to look at, which is not the same as none.
    config.hub.any_cache()?;
    let mut entries = model::hub(&config).list();
    if let Some(filter) = &args.filter {
        entries.retain(|e| e.name.to_lowercase().contains(&filter.to_lowercase()));
    }
    if args.json {
        out::json(&entries.iter().map(as_json).collect::<Vec<_>>())?;
    } else if entries.is_empty() {
        out::say("no models are here yet: `scaffold pull starter` fetches a small one");
    } else {
        out::piece(&as_table(&entries))?;
    }
    Ok(Exit::Done)
}

fn as_json(entry: &StoredModel) -> Value {
    json!({
        "name": entry.name,
        "revision": entry.revision,
        "refs": entry.refs,
        "place": place(entry.place),
        "format": entry.format.name(),
        "quantizations": entry.quantizations,
        "bytes": entry.bytes,
        "complete": entry.complete,
        "path": entry.path.display().to_string(),
    })
}

fn place(place: Place) -> &'static str {
    match place {
        Place::Cache => "cache",
        Place::Package => "package",
        Place::Ollama => "ollama",
    }
}

fn as_table(entries: &[StoredModel]) -> String {
    let mut rows = vec![["NAME", "REVISION", "FORMAT", "SIZE", ""].map(str::to_owned).to_vec()];
    let mut total = 0;
    for entry in entries {
        let format = match entry.quantizations.as_slice() {
            [] => entry.format.name().to_owned(),
            labels => format!("{} {}", entry.format.name(), labels.join(" ")),
        };
        let note = match (entry.complete, entry.place) {
            (false, _) => "incomplete",
            (true, Place::Package) => "from a package index",
            (true, Place::Ollama) => "in Ollama's store",
            (true, Place::Cache) => "",
        };
        // Ollama's files are its own; they are not what this cache takes.
        if entry.place != Place::Ollama {
            total += entry.bytes;
        }
        // A commit is told by its first digits; a package by its name and version.
        let revision = entry.revision.as_deref().unwrap_or("-");
        let revision = if entry.place == Place::Cache {
            revision.get(..12).unwrap_or(revision)
        } else {
            revision
        };
        rows.push(vec![
            entry.name.clone(),
            revision.to_owned(),
            format,
            bytes_text(entry.bytes),
            note.to_owned(),
        ]);
    }
    format!("{}total {}\n", out::table(&rows), bytes_text(total))
}
