//! `scaffold list`

use clap::Args;
use scaffold::hub::{Place, StoredModel};
use scaffold::machine::bytes_text;
use serde_json::{Value, json};

use crate::args::ProjectArgs;
use crate::failure::Exit;
use crate::{model, out, remedy};

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
    /// bytes, complete, path, from
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &ListArgs, project: &ProjectArgs) -> anyhow::Result<Exit> {
    let config = project.load(vec![])?;
    // Without a place for models there is nothing to look at, which is not the same as none.
    config.hub.any_cache()?;
    let hub = model::hub(&config);
    let mut entries = hub.list();
    // What cannot be read is told, and hides nothing else.
    let faults = hub.made().map(|store| store.list().1).unwrap_or_default();
    for fault in &faults {
        out::say(format_args!("note: {}", fault.worded(remedy::words)));
    }
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
        "from": entry.from,
    })
}

fn place(place: Place) -> &'static str {
    match place {
        Place::Cache => "cache",
        Place::Package => "package",
        Place::Ollama => "ollama",
        Place::Made => "made",
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
        let note = match (entry.complete, entry.place, &entry.from) {
            (false, _, Some(from)) => format!("made from {from}, which is not here"),
            (false, ..) => "incomplete".to_owned(),
            (true, Place::Package, _) => "from a package index".to_owned(),
            (true, Place::Ollama, _) => "in Ollama's store".to_owned(),
            (true, Place::Made, Some(from)) => format!("made from {from}"),
            (true, Place::Made, None) => "made of files".to_owned(),
            (true, Place::Cache, _) => String::new(),
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
            match entry.from {
                Some(_) => "-".to_owned(),
                None => bytes_text(entry.bytes),
            },
            note,
        ]);
    }
    format!("{}total {}\n", out::table(&rows), bytes_text(total))
}
