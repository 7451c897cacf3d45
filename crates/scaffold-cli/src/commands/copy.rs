//! `scaffold copy`

use clap::Args;
use scaffold::made;

use crate::args::ProjectArgs;
use crate::failure::Exit;
use crate::progress::Display;
use crate::{interrupt, out, remedy};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scaffold copy mario mario:v1                 both can be changed and removed on their own
  scaffold copy org/name short                 a name of your own for any model

No weights are copied.")]
pub(crate) struct CopyArgs {
    /// The model
    from: String,
    /// NAME or NAME:TAG
    to: String,
}

pub(crate) fn run(args: &CopyArgs, project: &ProjectArgs) -> anyhow::Result<Exit> {
    let config = project.load(vec![])?;
    interrupt::install()?;
    let created = made::copy(&config, &args.from, &args.to, &mut Display::new())?;
    out::line(&created.model.name.to_string())?;
    for notice in &created.notices {
        out::say(format_args!("note: {}", notice.worded(remedy::words)));
    }
    Ok(Exit::Done)
}
