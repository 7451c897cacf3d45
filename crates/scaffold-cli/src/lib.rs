//! The command `scaffold`: what was typed, what it means (the configuration), and what is done
//! (`commands`, one file each; what they share of flags is in `args`).
//!
//! Standard output carries the answer and nothing else; everything that is said about it goes to
//! standard error. All printing is in `out.rs`, all errors end in `failure.rs`.
//!
//! It is a library for the sake of those who start it in another way than by its program: the Python
//! package has the same command. [`main_from`] is all of it.
//!
//! ```
//! let arguments = ["scaffold", "--version"].map(Into::into).to_vec();
//! assert_eq!(scaffold_cli::main_from(arguments), 0);
//! ```

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

use std::ffi::OsString;

use clap::{CommandFactory as _, FromArgMatches as _};

use commands::Cli;
use failure::Exit;

/// Enough for every recursion that a file may ask for, whatever `ulimit -s` says.
const STACK: usize = 16 << 20;

/// Does what was typed, the program's name first, and returns the exit code.
///
/// It is the whole process that does so: standard input, output and error are taken as they are,
/// commands that compute set a handler for Ctrl-C, and a second Ctrl-C ends the process. Not to be
/// called twice in one.
pub fn main_from(mut arguments: Vec<OsString>) -> u8 {
    if arguments.is_empty() {
        arguments.push("scaffold".into());
    }
    let exit = done(arguments);
    // Of a program in Rust that would be done at its end.
    out::flush();
    exit.code()
}

fn done(arguments: Vec<OsString>) -> Exit {
    if let Some(exit) = commands::completions::answer(Cli::command, &arguments) {
        return exit;
    }
    // Where no thread can be started, the stack that there is has to do.
    let typed = arguments.clone();
    match std::thread::Builder::new().stack_size(STACK).spawn(move || run(typed)) {
        Ok(thread) => thread.join().unwrap_or(Exit::Refused),
        Err(_) => run(arguments),
    }
}

fn run(arguments: Vec<OsString>) -> Exit {
    let command = layout::stdout_width().map_or_else(Cli::command, commands::fitted);
    let parsed =
        command.try_get_matches_from(arguments).and_then(|typed| Cli::from_arg_matches(&typed));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(answer) => return failure::usage(&answer),
    };
    match commands::run(cli) {
        Ok(exit) => exit,
        Err(error) => failure::report(&error),
    }
}
