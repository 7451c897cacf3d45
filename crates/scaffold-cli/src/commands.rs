//! What is done, one file a command.

pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod debug;

use crate::args::{Cli, Command};
use crate::failure::Exit;

/// Runs the command that was typed.
pub(crate) fn run(cli: Cli) -> anyhow::Result<Exit> {
    match cli.command {
        Command::Completions(args) => completions::run(&args),
        Command::Debug(command) => debug::run(&command, &cli.project),
        Command::Config(command) => config::run(&command, &cli.project),
    }
}
