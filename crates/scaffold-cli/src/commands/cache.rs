//! `scaffold cache verify`, `scaffold cache prune`, `scaffold cache packed` and `scaffold cache prefixes`

mod packed;
mod prefixes;

use clap::{Args, Subcommand};
use scaffold::hub::{Event, ModelName, Progress};
use scaffold::machine::bytes_text;
use serde_json::json;

use crate::args::ProjectArgs;
use crate::failure::Exit;
use crate::interrupt::{self, Listener};
use crate::{model, out, remedy};

/// What to do with the cache.
#[derive(Debug, Subcommand)]
pub(crate) enum CacheCommand {
    /// Hash all files and compare them with what they should be
    Verify(VerifyArgs),
    /// Remove unfinished downloads, old revisions, and contents and packed weights that nothing
    /// uses any more
    Prune(PruneArgs),
    /// Show the packed weights that are kept for faster starts, and remove them
    Packed(packed::PackedArgs),
    /// Show the beginnings of prompts that programs keep computed, and remove them
    Prefixes(prefixes::PrefixesArgs),
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Only this model
    model: Option<String>,
    /// Print an object with the keys files, bytes, damaged, unverified
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PruneArgs {
    /// Only say what would be removed
    #[arg(long)]
    dry_run: bool,
    /// Print an object with the keys freed, unfinished, snapshots, blobs, packed, busy
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(command: &CacheCommand, project: &ProjectArgs) -> anyhow::Result<Exit> {
    match command {
        CacheCommand::Verify(args) => verify(args, project),
        CacheCommand::Prune(args) => prune(args, project),
        CacheCommand::Packed(args) => packed::run(args, project),
        CacheCommand::Prefixes(args) => prefixes::run(args, project),
    }
}

/// Hashing takes seconds a file at most, so a line each would only be noise; Ctrl-C ends it between
/// two.
struct Quiet(Listener);

impl Progress for Quiet {
    fn event(&mut self, event: &Event) {
        if let Event::Notice(notice) = event {
            out::say(format_args!("note: {}", notice.worded(remedy::words)));
        }
    }

    fn cancelled(&self) -> bool {
        self.0.pressed()
    }
}

fn verify(args: &VerifyArgs, project: &ProjectArgs) -> anyhow::Result<Exit> {
    let config = project.load(vec![])?;
    let hub = model::hub(&config);
    let only = match &args.model {
        None => None,
        Some(text) => match model::name(&hub, text)? {
            ModelName::Repo(repo) => Some(repo.id.to_string()),
            other => {
                anyhow::bail!("{other} is not in the cache, so there is nothing to compare it with")
            }
        },
    };
    interrupt::install()?;
    let verified = hub.verify(only.as_deref(), &mut Quiet(Listener::new()))?;
    if args.json {
        let damaged: Vec<_> =
            verified.damaged.iter().map(|d| json!({"model": d.model, "path": d.path.display().to_string(), "problem": d.problem})).collect();
        let unverified: Vec<_> =
            verified.unverified.iter().map(|path| path.display().to_string()).collect();
        out::json(
            &json!({"files": verified.files, "bytes": verified.bytes, "damaged": damaged, "unverified": unverified}),
        )?;
    } else {
        for damage in &verified.damaged {
            out::line(&format!("{}: {}: {}", damage.model, damage.path.display(), damage.problem))?;
        }
        for path in &verified.unverified {
            out::line(&format!(
                "{}: cannot be verified: nothing here tells what it should be",
                path.display()
            ))?;
        }
        let files = if verified.files == 1 { "file" } else { "files" };
        out::line(&format!(
            "{} {files} hashed ({}), {} damaged{}",
            verified.files,
            bytes_text(verified.bytes),
            verified.damaged.len(),
            match verified.unverified.len() {
                0 => String::new(),
                count => format!(", {count} could not be verified"),
            }
        ))?;
    }
    if verified.damaged.is_empty() {
        return Ok(Exit::Done);
    }
    out::say(
        "to do: `scaffold pull` the damaged models; where the damage stays, `scaffold rm` them first",
    );
    Ok(Exit::Refused)
}

fn prune(args: &PruneArgs, project: &ProjectArgs) -> anyhow::Result<Exit> {
    let config = project.load(vec![])?;
    let pruned = model::hub(&config).prune(args.dry_run)?;
    let (packed, packed_bytes) = packed::prune(&config, args.dry_run)?;
    let freed = pruned.freed + packed_bytes;
    let shown = |paths: &[std::path::PathBuf]| {
        paths.iter().map(|p| p.display().to_string()).collect::<Vec<_>>()
    };
    if args.json {
        out::json(&json!({
            "freed": freed,
            "unfinished": shown(&pruned.unfinished),
            "snapshots": shown(&pruned.snapshots),
            "blobs": shown(&pruned.blobs),
            "packed": packed,
            "busy": pruned.busy,
        }))?;
        return Ok(Exit::Done);
    }
    for repo in &pruned.busy {
        out::say(format_args!("note: {repo} is being downloaded and was left alone"));
    }
    let verb = if args.dry_run { "would free" } else { "freed" };
    out::line(&format!(
        "{verb} {}: unfinished downloads {}, old revisions {}, unused contents {}, packed weights {packed}",
        bytes_text(freed),
        pruned.unfinished.len(),
        pruned.snapshots.len(),
        pruned.blobs.len()
    ))?;
    Ok(Exit::Done)
}
