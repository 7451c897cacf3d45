//! What is done, one file a command.

pub(crate) mod auth;
pub(crate) mod bench;
pub(crate) mod cache;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod debug;
pub(crate) mod detokenize;
pub(crate) mod doctor;
pub(crate) mod embed;
pub(crate) mod generate;
pub(crate) mod list;
pub(crate) mod pull;
pub(crate) mod render;
pub(crate) mod rerank;
pub(crate) mod rm;
pub(crate) mod run;
pub(crate) mod selftest;
pub(crate) mod show;
pub(crate) mod similarity;
pub(crate) mod tokenize;

use crate::args::{Cli, Command};
use crate::failure::Exit;

/// Runs the command that was typed.
pub(crate) fn run(cli: Cli) -> anyhow::Result<Exit> {
    match cli.command {
        Command::Run(args) => run::run(&args, &cli.project),
        Command::Generate(args) => generate::run(&args, &cli.project),
        Command::Bench(args) => bench::run(&args, &cli.project),
        Command::Pull(args) => pull::run(&args, &cli.project),
        Command::List(args) => list::run(&args, &cli.project),
        Command::Show(args) => show::run(&args, &cli.project),
        Command::Rm(args) => rm::run(&args, &cli.project),
        Command::Check(args) => check::run(&args, &cli.project),
        Command::Cache(command) => cache::run(&command, &cli.project),
        Command::Auth(command) => auth::run(&command, &cli.project),
        Command::Tokenize(args) => tokenize::run(&args, &cli.project),
        Command::Detokenize(args) => detokenize::run(&args, &cli.project),
        Command::Render(args) => render::run(&args, &cli.project),
        Command::Completions(args) => completions::run(&args),
        Command::Embed(args) => embed::run(&args, &cli.project),
        Command::Similarity(args) => similarity::run(&args, &cli.project),
        Command::Rerank(args) => rerank::run(&args, &cli.project),
        Command::Selftest(args) => selftest::run(&args, &cli.project),
        Command::Doctor(args) => doctor::run(&args, &cli.project),
        Command::Debug(command) => debug::run(&command, &cli.project),
        Command::Config(command) => config::run(&command, &cli.project),
    }
}
