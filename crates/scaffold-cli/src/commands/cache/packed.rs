//! `scaffold cache packed`, and the packed weights' part of `scaffold cache prune`

use clap::Args;
use scaffold::machine::bytes_text;
use scaffold::packed::{self, PackedCache, PackedState};
use serde_json::{Value, json};

use crate::args::ProjectArgs;
use crate::failure::Exit;
use crate::out;

#[derive(Debug, Args)]
pub(crate) struct PackedArgs {
    /// Only those of this model: its name, or its file or directory
    model: Option<String>,
    /// Remove what is shown
    #[arg(long)]
    remove: bool,
    /// Print a list of objects with the keys model, source, path, bytes, state
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &PackedArgs, project: &ProjectArgs) -> anyhow::Result<Exit> {
    let config = project.load(vec![])?;
    let directory = packed::directory(&config)?;
    let mut caches = packed::list(&directory)?;
    if let Some(model) = &args.model {
        let path = std::path::Path::new(model).canonicalize().ok();
        caches.retain(|cache| cache.model == *model || path.as_ref() == Some(&cache.source));
        if caches.is_empty() {
            out::say(format_args!(
                "no packed weights of {model} are kept in {}",
                directory.display()
            ));
            return Ok(Exit::Refused);
        }
    }
    if args.json {
        let rows: Vec<_> = caches.iter().map(as_json).collect();
        out::json(&Value::Array(rows))?;
    } else {
        show(&caches, &directory)?;
    }
    if args.remove {
        let mut freed = 0;
        for cache in &caches {
            freed += remove(cache)?;
        }
        out::say(format_args!("freed {}", bytes_text(freed)));
    }
    Ok(Exit::Done)
}

fn show(caches: &[PackedCache], directory: &std::path::Path) -> anyhow::Result<()> {
    for cache in caches {
        let model = if cache.model.is_empty() {
            cache.path.display().to_string()
        } else {
            cache.model.clone()
        };
        out::line(&format!("{:>10}  {model} ({})", bytes_text(cache.bytes), cache.state))?;
    }
    let total = caches.iter().map(|cache| cache.bytes).sum();
    out::line(&format!("{:>10}  of packed weights in {}", bytes_text(total), directory.display()))?;
    Ok(())
}

fn as_json(cache: &PackedCache) -> Value {
    json!({
        "model": cache.model,
        "source": cache.source.display().to_string(),
        "path": cache.path.display().to_string(),
        "bytes": cache.bytes,
        "state": cache.state.to_string(),
    })
}

fn remove(cache: &PackedCache) -> anyhow::Result<u64> {
    let freed = packed::remove_packed(cache)?;
    if freed == 0 {
        out::say(format_args!(
            "note: {} is being written and was left alone",
            cache.path.display()
        ));
    }
    Ok(freed)
}

/// Removes packed weights that no start would use any more; how many there were, and their bytes.
pub(super) fn prune(
    config: &scaffold::config::Config,
    dry_run: bool,
) -> anyhow::Result<(usize, u64)> {
    // Without a place there are none.
    let Ok(directory) = packed::directory(config) else {
        return Ok((0, 0));
    };
    let caches = packed::list(&directory)?;
    let (mut count, mut freed) = (0, 0);
    for cache in caches {
        if cache.state != PackedState::Usable {
            count += 1;
            freed += if dry_run { cache.bytes } else { remove(&cache)? };
        }
    }
    Ok((count, freed))
}
