//! `scaffold rm`

use clap::Args;
use scaffold::machine::bytes_text;
use serde_json::json;

use crate::args::ProjectArgs;
use crate::failure::Exit;
use crate::{model, out};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scaffold rm org/name                         all of its revisions
  scaffold rm org/name@v1.0                    one revision; what others share with it stays
  scaffold rm org/name-GGUF:Q8_0               one quantization
  scaffold rm starter --dry-run                what it would free")]
pub(crate) struct RmArgs {
    /// Models to remove from this disk
    #[arg(required = true)]
    models: Vec<String>,
    /// Only say what would be freed
    #[arg(long)]
    dry_run: bool,
    /// Print a list of objects with the keys model, freed, kept, paths
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &RmArgs, project: &ProjectArgs) -> anyhow::Result<Exit> {
    let config = project.load(vec![])?;
    let hub = model::hub(&config);
    let mut removed = Vec::new();
    for text in &args.models {
        let name = model::name(&hub, text)?;
        let removal = hub.remove(&name, args.dry_run)?;
        if args.json {
            let paths: Vec<_> = removal.paths.iter().map(|p| p.display().to_string()).collect();
            removed.push(json!({"model": name.to_string(), "freed": removal.freed, "kept": removal.kept, "paths": paths}));
            continue;
        }
        let verb = if args.dry_run { "would free" } else { "freed" };
        let kept = match removal.kept {
            0 => String::new(),
            kept => format!("; {} stay, other revisions use them", bytes_text(kept)),
        };
        out::line(&format!("{name}: {verb} {}{kept}", bytes_text(removal.freed)))?;
    }
    if args.json {
        out::json(&removed)?;
    }
    Ok(Exit::Done)
}
