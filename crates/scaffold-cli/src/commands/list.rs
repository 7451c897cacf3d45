//! `scaffold list`

use std::time::{Duration, SystemTime};

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
    /// bytes, last_used, complete, path
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &ListArgs, project: &ProjectArgs) -> anyhow::Result<Exit> {
    let config = project.load(vec![])?;
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
    let since_1970 =
        |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_secs());
    json!({
        "name": entry.name,
        "revision": entry.revision,
        "refs": entry.refs,
        "place": place(entry.place),
        "format": entry.format.name(),
        "quantizations": entry.quantizations,
        "bytes": entry.bytes,
        "last_used": entry.last_used.map(since_1970),
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
    let mut rows =
        vec![["NAME", "REVISION", "FORMAT", "SIZE", "LAST USED", ""].map(str::to_owned).to_vec()];
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
            entry.last_used.map_or_else(|| "-".to_owned(), ago),
            note.to_owned(),
        ]);
    }
    format!("{}total {}\n", out::table(&rows), bytes_text(total))
}

/// How long ago a time is, in its largest unit.
fn ago(time: SystemTime) -> String {
    let seconds = SystemTime::now().duration_since(time).unwrap_or(Duration::ZERO).as_secs();
    let units = [
        (86_400 * 365, "year"),
        (86_400 * 30, "month"),
        (86_400, "day"),
        (3600, "hour"),
        (60, "minute"),
    ];
    match units.iter().find(|(length, _)| seconds >= *length) {
        Some((length, unit)) => {
            let count = seconds / length;
            format!("{count} {unit}{} ago", if count == 1 { "" } else { "s" })
        }
        None => "just now".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_their_largest_unit() {
        let before = |seconds| ago(SystemTime::now() - Duration::from_secs(seconds));
        for (seconds, shown) in [
            (5, "just now"),
            (61, "1 minute ago"),
            (7300, "2 hours ago"),
            (86_400 * 40, "1 month ago"),
        ] {
            assert_eq!(before(seconds), shown);
        }
    }
}
