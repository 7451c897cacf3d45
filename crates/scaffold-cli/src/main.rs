//! The command `scaffold`: what was typed (`args`), what it means (the configuration), and what is done (`commands`,
//! one file each).
//!
//! Standard output carries the answer and nothing else; everything that is said about it goes to standard error. All
//! printing is in [`out`], all errors end in [`failure`].

mod answer;
mod args;
mod chat;
mod commands;
mod failure;
mod interrupt;
mod model;
mod out;
mod outfile;
mod progress;
mod session;
mod stdin;
mod texts;
mod tokenizer;

use std::process::ExitCode;

use clap::Parser as _;

use args::Cli;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(answer) => return failure::usage(&answer),
    };
    match commands::run(cli) {
        Ok(exit) => exit.into(),
        Err(error) => failure::report(&error),
    }
}
