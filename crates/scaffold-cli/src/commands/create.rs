//! `scaffold create`

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use scaffold::made::{self, Recipe};
use serde_json::json;

use crate::args::ProjectArgs;
use crate::failure::{Exit, Usage};
use crate::progress::Display;
use crate::{interrupt, out, remedy, stdin};

/// No Modelfile is longer.
const LONGEST: u64 = 16 << 20;

#[derive(Debug, Args)]
#[command(after_help = "\
A Modelfile says what the model is made from and what is said over it:

  FROM starter
  PARAMETER temperature 0.3
  SYSTEM \"\"\"You are Mario, and answer in short sentences.\"\"\"
  MESSAGE user Who are you?
  MESSAGE assistant It's-a me, Mario!

Examples:
  scaffold create mario                        by ./Modelfile
  scaffold create mario -f mario.modelfile
  scaffold create mario --from starter         a further name for a model
  scaffold show mario --modelfile
  scaffold run mario

No weights are copied: a model of your own is a small file in SCAFFOLD_MODELS.")]
pub(crate) struct CreateArgs {
    /// NAME or NAME:TAG
    name: String,
    /// The Modelfile, `-` for standard input
    #[arg(long, short, value_name = "FILE", default_value = "Modelfile", conflicts_with = "from")]
    file: PathBuf,
    /// The model that it is made from, in place of a Modelfile
    #[arg(long, value_name = "MODEL")]
    from: Option<String>,
    /// Print an object with the keys model, from, files, path, notes
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &CreateArgs, project: &ProjectArgs) -> anyhow::Result<Exit> {
    let config = project.load(vec![])?;
    let recipe = match &args.from {
        Some(from) => Recipe::of(from),
        None => read(&args.file)?,
    };
    interrupt::install()?;
    let created = made::create(&config, &args.name, &recipe, &mut Display::new())?;
    let (model, path) = (&created.model, config.hub.made_models()?.path(&created.model.name));
    let notes: Vec<String> =
        created.notices.iter().map(|notice| notice.worded(remedy::words)).collect();
    if args.json {
        let (from, files) = match &model.base {
            made::Base::From(from) => (Some(from), None),
            made::Base::Files(files) => (None, Some(files)),
        };
        out::json(&json!({
            "model": model.name.to_string(), "from": from, "files": files,
            "path": path.display().to_string(), "notes": notes,
        }))?;
    } else {
        out::line(&model.name.to_string())?;
    }
    for note in notes {
        out::say(format_args!("note: {note}"));
    }
    Ok(Exit::Done)
}

fn read(path: &Path) -> anyhow::Result<Recipe> {
    if path == Path::new("-") {
        let text = crate::tokenizer::read(path)?;
        let here = std::env::current_dir().ok();
        return Ok(Recipe::of_modelfile(&text, here.as_deref())?);
    }
    let shown = path.display();
    let meta = std::fs::metadata(path).map_err(|error| {
        Usage(format!(
            "{shown} cannot be read: {error}\n  to do: name the Modelfile with -f, or what the model is made from with --from"
        ))
    })?;
    if meta.len() > LONGEST {
        let bytes = meta.len();
        return Err(Usage(format!("{shown} has {bytes} bytes, which is no Modelfile's")).into());
    }
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {shown}"))?;
    let text = stdin::decoded(&bytes, &shown.to_string())?;
    let full = std::path::absolute(path)?;
    Ok(Recipe::of_modelfile(&text, full.parent()).map_err(|error| error.of_file(path))?)
}
