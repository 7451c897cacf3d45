//! The command `scaffold`: what was typed, what it means (the configuration), and what is done
//! (`commands`, one file each; what they share of flags is in `args`).
//!
//! Standard output carries the answer and nothing else; everything that is said about it goes to
//! standard error. All printing is in [`out`], all errors end in [`failure`].

#![forbid(unsafe_code)]

mod answer;
mod args;
mod chat;
mod commands;
mod failure;
mod interrupt;
mod layout;
mod model;
mod out;
mod outfile;
mod progress;
mod remedy;
mod session;
mod stdin;
mod texts;
mod tokenizer;

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};

use commands::Cli;

/// Enough for every recursion that a file may ask for, whatever `ulimit -s` says.
const STACK: usize = 16 << 20;

fn main() -> ExitCode {
    commands::completions::answer(Cli::command);
    // Where no thread can be started, the stack that there is has to do.
    match std::thread::Builder::new().stack_size(STACK).spawn(run) {
        Ok(thread) => thread.join().unwrap_or(ExitCode::FAILURE),
        Err(_) => run(),
    }
}

fn run() -> ExitCode {
    let command = layout::stdout_width().map_or_else(Cli::command, commands::fitted);
    let parsed = command.try_get_matches().and_then(|typed| Cli::from_arg_matches(&typed));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(answer) => return failure::usage(&answer),
    };
    match commands::run(cli) {
        Ok(exit) => exit.into(),
        Err(error) => failure::report(&error),
    }
}
