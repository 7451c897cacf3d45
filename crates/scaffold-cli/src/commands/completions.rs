//! `scaffold completions SHELL`

use clap::{Args, Command};
use clap_complete::{Shell, generate};

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

/// Prints the script for `command`, the whole command line.
pub(crate) fn run(args: &CompletionsArgs, command: &mut Command) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    generate(args.shell, command, "scaffold", &mut script);
    out::piece(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
