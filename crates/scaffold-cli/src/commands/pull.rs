//! `scaffold pull`

use clap::Args;
use scaffold::hub::ModelName;
use scaffold::machine::bytes_text;
use serde_json::json;

use crate::args::ProjectArgs;
use crate::failure::Exit;
use crate::progress::Display;
use crate::{interrupt, model, out};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scaffold pull starter
  scaffold pull org/name@v1.0                  a branch, tag or commit
  scaffold pull org/name-GGUF:Q4_K_M           one quantization
  scaffold pull org/name --dry-run             what would be downloaded

Files go into the cache that Python's huggingface_hub uses, too. A broken download goes on where it stopped.")]
pub(crate) struct PullArgs {
    /// org/name, org/name@revision, org/name:QUANTIZATION, or an alias
    model: String,
    /// Only say what would be downloaded
    #[arg(long)]
    dry_run: bool,
    /// Print an object with the keys model, path, revision, source
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &PullArgs, project: &ProjectArgs) -> anyhow::Result<Exit> {
    let config = project.load(vec![])?;
    let hub = model::hub(&config);
    let name = model::name(&hub, &args.model)?;
    interrupt::install()?;
    if let (true, ModelName::Repo(repo)) = (args.dry_run, &name) {
        let check = hub.check(repo, &mut Display::new())?;
        if let Some(refusal) = check.refusal {
            return Err(scaffold::Error::from(refusal).into());
        }
        if args.json {
            let files: Vec<_> = check
                .files
                .iter()
                .map(|f| json!({"path": f.path, "bytes": f.bytes, "present": f.present}))
                .collect();
            out::json(
                &json!({"model": check.id, "revision": check.commit, "bytes": check.bytes_to_fetch(), "files": files}),
            )?;
        } else {
            for file in &check.files {
                let size = file.bytes.map_or_else(|| "unknown size".to_owned(), bytes_text);
                let state = if file.present { "  (here already)" } else { "" };
                out::line(&format!("{}  {size}{state}", file.path))?;
            }
            out::line(&format!("to download: {}", bytes_text(check.bytes_to_fetch())))?;
        }
        if let Some(reason) = check.unusable {
            anyhow::bail!("{reason}");
        }
        return Ok(Exit::Done);
    }
    let model = hub.pull(&name, &mut Display::new())?;
    let path = model.files.path().display().to_string();
    if args.json {
        let revision = model.revision.as_ref().map(ToString::to_string);
        out::json(
            &json!({"model": model.called(), "path": path, "revision": revision, "source": model.source.to_string()}),
        )?;
    } else {
        out::line(&path)?;
    }
    Ok(Exit::Done)
}
