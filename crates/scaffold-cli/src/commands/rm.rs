//! `scaffold rm`

use std::path::Path;

use clap::Args;
use scaffold::hub::{Base, Hub, ModelName, Removal};
use scaffold::machine::bytes_text;
use serde_json::{Value, json};

use crate::args::ProjectArgs;
use crate::failure::Exit;
use crate::{model, out, stdin};

#[derive(Debug, Args)]
#[command(after_help = "\
On a terminal it is asked before anything goes, because Python's programs use the cache, too. Where
nobody can be asked (standard input or standard error is no terminal), it is removed at once.

Examples:
  scaffold rm org/name                         all of its revisions
  scaffold rm org/name@v1.0                    one revision; what others share with it stays
  scaffold rm org/name-GGUF:Q8_0               one quantization
  scaffold rm mario                            a model of your own; what it is made from stays
  scaffold rm org/name --yes                   without a question
  scaffold rm starter --dry-run                what it would free")]
pub(crate) struct RmArgs {
    /// Models to remove from this disk
    #[arg(required = true)]
    models: Vec<String>,
    /// Only say what would be freed
    #[arg(long)]
    dry_run: bool,
    /// Remove without a question
    #[arg(long, short)]
    yes: bool,
    /// Print a list of objects with the keys model, freed, kept, paths
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &RmArgs, project: &ProjectArgs) -> anyhow::Result<Exit> {
    let config = project.load(vec![])?;
    let hub = model::hub(&config);
    // All of them before the first goes: a name that is wrong removes nothing.
    let mut planned = Vec::new();
    for text in &args.models {
        let name = model::name(&hub, text)?;
        let removal = hub.remove(&name, true)?;
        planned.push((name, removal));
    }
    if !args.dry_run && !args.yes && stdin::is_conversation() && !agreed(&hub, &planned)? {
        out::say("nothing was removed");
        return Ok(Exit::Refused);
    }
    let mut removed = Vec::new();
    for (name, mut removal) in planned {
        if !args.dry_run {
            removal = hub.remove(&name, false)?;
        }
        if args.json {
            removed.push(as_json(&name, &removal));
        } else {
            let verb = if args.dry_run { "would free" } else { "freed" };
            out::line(&format!("{name}: {verb} {}", sizes(&name, &removal)))?;
        }
        for own in made_from(&hub, &name) {
            out::say(format_args!(
                "note: {own} is made from it, and fetches it again when it is asked"
            ));
        }
    }
    if args.json {
        out::json(&removed)?;
    }
    Ok(Exit::Done)
}

/// Says what goes and how to get it back, and asks.
fn agreed(hub: &Hub, planned: &[(ModelName, Removal)]) -> anyhow::Result<bool> {
    for (name, removal) in planned {
        let count = removal.paths.len();
        let files = if count == 1 { "file" } else { "files" };
        out::say(format_args!("{name}: {count} {files} in {}", place(hub, name, removal)));
        out::say(format_args!("  removing them frees {}", sizes(name, removal)));
        out::say(match name {
            ModelName::Made(_) => {
                format!("  to keep what it says: scaffold show {name} --modelfile > Modelfile")
            }
            _ => format!("  to get it back: scaffold pull {name}"),
        });
    }
    let bytes = planned.iter().map(|(_, removal)| removal.freed).sum();
    let what = if planned.len() == 1 { "it" } else { "them" };
    stdin::confirmed(&format!("Remove {what} ({})?", bytes_text(bytes)))
}

/// Where the files lie, and whom they are shared with.
fn place(hub: &Hub, name: &ModelName, removal: &Removal) -> String {
    if let (ModelName::Made(_), Ok(store)) = (name, hub.made()) {
        return store.dir().display().to_string();
    }
    let inside = |dir: &Path| removal.paths.iter().any(|path| path.starts_with(dir));
    let config = hub.config();
    match (config.hub_cache(), config.package_cache()) {
        (Ok(cache), _) if inside(cache) => {
            format!("{}, which Python's programs use, too", cache.display())
        }
        (_, Ok(packages)) => packages.display().to_string(),
        (Ok(place), _) => place.display().to_string(),
        (Err(_), Err(_)) => "no known place".to_owned(),
    }
}

/// What goes, and what stays because others need it.
fn sizes(name: &ModelName, removal: &Removal) -> String {
    let freed = bytes_text(removal.freed);
    let others = match name {
        ModelName::Made(_) => "other models",
        _ => "other revisions",
    };
    match removal.kept {
        0 => freed,
        kept => format!("{freed}; {} stay, {others} use them", bytes_text(kept)),
    }
}

/// The models of one's own that are made from a model of the Hub.
fn made_from(hub: &Hub, name: &ModelName) -> Vec<String> {
    let (ModelName::Repo(_), Ok(store)) = (name, hub.made()) else {
        return Vec::new();
    };
    let full = Base::From(name.in_full());
    let models = store.list().0.into_iter().filter(|model| model.base == full);
    models.map(|model| model.name.to_string()).collect()
}

fn as_json(name: &ModelName, removal: &Removal) -> Value {
    let paths: Vec<_> = removal.paths.iter().map(|p| p.display().to_string()).collect();
    json!({"model": name.to_string(), "freed": removal.freed, "kept": removal.kept, "paths": paths})
}
