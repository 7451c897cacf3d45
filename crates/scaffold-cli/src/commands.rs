//! What was typed, and what is done: one file a command.

pub(crate) mod auth;
pub(crate) mod bench;
pub(crate) mod cache;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod connect;
pub(crate) mod copy;
pub(crate) mod create;
pub(crate) mod debug;
pub(crate) mod detokenize;
pub(crate) mod doctor;
pub(crate) mod embed;
pub(crate) mod generate;
pub(crate) mod list;
pub(crate) mod pull;
pub(crate) mod quantize;
pub(crate) mod render;
pub(crate) mod rerank;
pub(crate) mod rm;
pub(crate) mod run;
pub(crate) mod selftest;
pub(crate) mod serve;
pub(crate) mod show;
pub(crate) mod similarity;
pub(crate) mod tokenize;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::args::ProjectArgs;
use crate::failure::Exit;
use crate::layout;

/// Run Hugging Face models on your own machine, inside your own process.
#[derive(Debug, Parser)]
#[command(name = "scaffold", version, after_help = EXAMPLES, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The command line, with examples that fit a terminal of so many columns.
pub(crate) fn fitted(width: usize) -> clap::Command {
    fn fit(command: clap::Command, width: usize) -> clap::Command {
        let help = command.get_after_help().map(|help| layout::examples(&help.to_string(), width));
        let command = match help {
            Some(help) => command.after_help(help),
            None => command,
        };
        command.mut_subcommands(|below| fit(below, width))
    }
    fit(Cli::command(), width)
}

const EXAMPLES: &str = "\
Examples:
  scaffold run starter \"What is sustainability?\"      one answer
  scaffold run starter                                a chat
  scaffold generate \"Hello\" --greedy                 the configured model (LLM_MODEL)
  scaffold serve --model starter                      for clients of Ollama and OpenAI
  scaffold check org/name                             whether a model can be had and run here
  scaffold bench starter                              how fast it is here
  scaffold config show                                every setting and where it comes from
  scaffold debug logits ./model --ids 1,2,3           what a model computes, in numbers

Exit codes: 0 done, 1 refused or a negative result, 2 usage or environment, 130 stopped by Ctrl-C.
Standard output carries the answer; everything said about it goes to standard error.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Ask a model, or chat with it
    Run(run::RunArgs),
    /// Ask the configured model
    Generate(generate::GenerateArgs),
    /// Answer clients of Ollama and of OpenAI over HTTP
    Serve(serve::ServeArgs),
    /// Print what another program has to be told to use a server: Codex, Claude Code, Zed and others
    Connect(connect::ConnectArgs),
    /// Download a model, or bring it up to date
    Pull(pull::PullArgs),
    /// Give a model a name of your own, with a system prompt and settings
    Create(create::CreateArgs),
    /// Write a model as a GGUF file with weights of fewer bits
    Quantize(quantize::QuantizeArgs),
    /// Give a model of your own a further name
    #[command(visible_alias = "cp")]
    Copy(copy::CopyArgs),
    /// Models that are on this disk
    #[command(visible_alias = "ls")]
    List(list::ListArgs),
    /// What a model on this disk is: architecture, parameters, context, quantization, template,
    /// licence, capabilities
    Show(show::ShowArgs),
    /// Remove models from this disk
    Rm(rm::RmArgs),
    /// Whether a model on the Hub can be had and run here, before anything large is downloaded
    Check(check::CheckArgs),
    /// Verify and tidy up downloaded files
    #[command(subcommand)]
    Cache(cache::CacheCommand),
    /// The access token of the Hub
    #[command(subcommand)]
    Auth(auth::AuthCommand),
    /// Settings and where they come from
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Turn texts into vectors
    Embed(embed::EmbedArgs),
    /// Compare texts with each other
    Similarity(similarity::SimilarityArgs),
    /// Rank documents by how well they answer a query
    Rerank(rerank::RerankArgs),
    /// Look at the machine, the settings, the cache, the token and the way to the Hub
    Doctor(doctor::DoctorArgs),
    /// Test this installation and its models, and write a report
    Selftest(selftest::SelftestArgs),
    /// Measure how fast a model is here
    Bench(bench::BenchArgs),
    /// What a model computes, in numbers
    #[command(subcommand)]
    Debug(debug::DebugCommand),
    /// Turn text into a model's token ids
    Tokenize(tokenize::TokenizeArgs),
    /// Turn token ids back into text
    Detokenize(detokenize::DetokenizeArgs),
    /// Write a chat as the model's prompt
    Render(render::RenderArgs),
    /// Print a script that completes commands and flags in your shell
    Completions(completions::CompletionsArgs),
}

/// Runs the command that was typed.
pub(crate) fn run(cli: Cli) -> anyhow::Result<Exit> {
    match cli.command {
        Command::Run(args) => run::run(&args, &cli.project),
        Command::Generate(args) => generate::run(&args, &cli.project),
        Command::Serve(args) => serve::run(&args, &cli.project),
        Command::Connect(args) => connect::run(&args),
        Command::Bench(args) => bench::run(&args, &cli.project),
        Command::Pull(args) => pull::run(&args, &cli.project),
        Command::Create(args) => create::run(&args, &cli.project),
        Command::Quantize(args) => quantize::run(&args, &cli.project),
        Command::Copy(args) => copy::run(&args, &cli.project),
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

#[cfg(test)]
mod named;
