//! What was asked to be measured.

use clap::Args;

use crate::args::ComputeArgs;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  scaffold bench starter
  scaffold bench starter ./model-Q4_K_M.gguf ./model-Q8_0.gguf --threads 2
  scaffold bench org/name --batch 1,4,8,16 --context 1024,4096 --json
  scaffold bench starter --profile

Models are loaded, measured and dropped one after the other. Each repeat reads a prompt that no other shares, and writes
exactly --gen tokens. Rates are medians over the repeats, in tokens per second. A share is that of this machine's roof,
measured beside the model: for reading a prompt what its multiply-add units do at most, for writing what its memory
gives. Compare only what was measured while the machine had nothing else to do.")]
pub(crate) struct BenchArgs {
    /// Repositories (org/name), local directories or files, or aliases such as starter
    #[arg(value_name = "MODEL", required = true)]
    pub(super) models: Vec<String>,
    /// Tokens of the prompt
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) prompt: u32,
    /// New tokens
    #[arg(long = "gen", value_name = "N", allow_negative_numbers = true, default_value_t = 64, value_parser = clap::value_parser!(u32).range(2..))]
    pub(super) generate: u32,
    /// Also so many sequences written together, each after a prompt of its own of 128 tokens: new
    /// tokens of all
    #[arg(long, value_name = "N,…", allow_negative_numbers = true, value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=256))]
    pub(super) batch: Vec<u32>,
    /// Also prompts of so many tokens, and writing after them
    #[arg(long, value_name = "N,…", allow_negative_numbers = true, value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) context: Vec<u32>,
    /// How often
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(super) repeats: u32,
    /// Print where the time goes, stage by stage, instead
    #[arg(long, conflicts_with_all = ["batch", "context"])]
    pub(super) profile: bool,
    /// Print one JSON object for each model, on a line
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) compute: ComputeArgs,
}
