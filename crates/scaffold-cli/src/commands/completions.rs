//! `scaffold completions SHELL`

use clap::{Args, CommandFactory as _};
use clap_complete::{Shell, generate};

use crate::args::Cli;
use crate::failure::Exit;
use crate::out;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scaffold completions bash > ~/.local/share/bash-completion/completions/scaffold
  scaffold completions zsh > ~/.zfunc/_scaffold
  scaffold completions fish > ~/.config/fish/completions/scaffold.fish
  scaffold completions powershell >> $PROFILE")]
pub(crate) struct CompletionsArgs {
    /// The shell that is to complete the commands
    shell: Shell,
}

pub(crate) fn run(args: &CompletionsArgs) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    generate(args.shell, &mut Cli::command(), "scaffold", &mut script);
    out::piece(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
