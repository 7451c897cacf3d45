//! What was typed.

mod answer;
mod compute;
pub(crate) mod number;
mod project;
mod sampling;
mod settings;

use clap::{Parser, Subcommand};

pub(crate) use answer::AnswerArgs;
pub(crate) use compute::ComputeArgs;
pub(crate) use project::ProjectArgs;
pub(crate) use sampling::SamplingArgs;
pub(crate) use settings::SettingArgs;

/// Run Hugging Face models on your own machine, inside your own process.
#[derive(Debug, Parser)]
#[command(name = "scaffold", version, after_help = EXAMPLES, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  scaffold run starter \"What is sustainability?\"      one answer
  scaffold run starter                                a chat
  scaffold generate \"Hello\" --greedy                 the configured model (LLM_MODEL)
  scaffold check org/name                             whether a model can be had and run here
  scaffold bench starter                              how fast it is here
  scaffold config show                                every setting and where it comes from
  scaffold debug logits ./model --ids 1,2,3           what a model computes, in numbers

Exit codes: 0 done, 1 refused or a negative result, 2 usage or environment, 130 stopped by Ctrl-C.
Standard output carries the answer; everything said about it goes to standard error.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Ask a model, or chat with it
    Run(crate::commands::run::RunArgs),
    /// Ask the configured model
    Generate(crate::commands::generate::GenerateArgs),
    /// Download a model, or bring it up to date
    Pull(crate::commands::pull::PullArgs),
    /// Models that are on this disk
    #[command(visible_alias = "ls")]
    List(crate::commands::list::ListArgs),
    /// What a model on this disk is: architecture, parameters, context, quantization, template,
    /// licence, capabilities
    Show(crate::commands::show::ShowArgs),
    /// Remove models from this disk
    Rm(crate::commands::rm::RmArgs),
    /// Whether a model on the Hub can be had and run here, before anything large is downloaded
    Check(crate::commands::check::CheckArgs),
    /// Verify and tidy up downloaded files
    #[command(subcommand)]
    Cache(crate::commands::cache::CacheCommand),
    /// The access token of the Hub
    #[command(subcommand)]
    Auth(crate::commands::auth::AuthCommand),
    /// Settings and where they come from
    #[command(subcommand)]
    Config(crate::commands::config::ConfigCommand),
    /// Turn texts into vectors
    Embed(crate::commands::embed::EmbedArgs),
    /// Compare texts with each other
    Similarity(crate::commands::similarity::SimilarityArgs),
    /// Rank documents by how well they answer a query
    Rerank(crate::commands::rerank::RerankArgs),
    /// Look at the machine, the settings, the cache, the token and the way to the Hub
    Doctor(crate::commands::doctor::DoctorArgs),
    /// Test this installation and its models, and write a report
    Selftest(crate::commands::selftest::SelftestArgs),
    /// Measure how fast a model is here
    Bench(crate::commands::bench::BenchArgs),
    /// What a model computes, in numbers
    #[command(subcommand)]
    Debug(crate::commands::debug::DebugCommand),
    /// Turn text into a model's token ids
    Tokenize(crate::commands::tokenize::TokenizeArgs),
    /// Turn token ids back into text
    Detokenize(crate::commands::detokenize::DetokenizeArgs),
    /// Write a chat as the model's prompt
    Render(crate::commands::render::RenderArgs),
    /// Print a script that completes commands and flags in your shell
    Completions(crate::commands::completions::CompletionsArgs),
}
