//! `scaffold cache prefixes`

use clap::Args;
use scaffold::machine::bytes_text;
use scaffold::prefixes::{self, PrefixFile};
use scaffold::prompts;
use serde_json::{Value, json};

use crate::args::ProjectArgs;
use crate::failure::Exit;
use crate::out;

#[derive(Debug, Args)]
pub(crate) struct PrefixesArgs {
    /// Only those that are kept under this name
    name: Option<String>,
    /// Remove what is shown
    #[arg(long)]
    remove: bool,
    /// Print a list of objects with the keys name, model, tokens, path, bytes
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &PrefixesArgs, project: &ProjectArgs) -> anyhow::Result<Exit> {
    let config = project.load(vec![])?;
    let directory = prefixes::directory(&config)?;
    let prompts = prompts::directory(&config)?;
    let mut files = prefixes::list(&directory)?;
    files.extend(prefixes::list(&prompts)?);
    if let Some(name) = &args.name {
        files.retain(|file| file.about.as_ref().is_some_and(|about| about.name == *name));
        if files.is_empty() {
            out::say(format_args!("no prefix {name} is kept in {}", directory.display()));
            return Ok(Exit::Refused);
        }
    }
    if args.json {
        out::json(&Value::Array(files.iter().map(as_json).collect()))?;
    } else {
        for file in &files {
            let what = match &file.about {
                Some(about) => {
                    format!("{} ({} tokens, {})", about.name, about.tokens.len(), about.model)
                }
                None => format!("{} (damaged, or of another version)", file.path.display()),
            };
            out::line(&format!("{:>10}  {what}", bytes_text(file.bytes)))?;
        }
        for (directory, what) in
            [(directory, "kept prefixes"), (prompts, "prompts kept by servers")]
        {
            let here = files.iter().filter(|file| file.path.starts_with(&directory));
            let total = here.map(|file| file.bytes).sum();
            out::line(&format!("{:>10}  of {what} in {}", bytes_text(total), directory.display()))?;
        }
    }
    if args.remove {
        let mut freed = 0;
        for file in &files {
            freed += prefixes::remove(file)?;
        }
        out::say(format_args!("freed {}", bytes_text(freed)));
    }
    Ok(Exit::Done)
}

fn as_json(file: &PrefixFile) -> Value {
    let about = file.about.as_ref();
    json!({
        "name": about.map(|about| &about.name),
        "model": about.map(|about| &about.model),
        "tokens": about.map(|about| about.tokens.len()),
        "path": file.path.display().to_string(),
        "bytes": file.bytes,
    })
}
