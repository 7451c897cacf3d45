//! Flags for the settings that the configuration also holds. Their values are read there, which
//! checks every source alike.

use clap::Args;
use scaffold::config::{Flag, Key};

/// How the answer is written
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Answer")]
pub(crate) struct SettingArgs {
    /// New tokens in an answer, at most [LLM_MAX_LENGTH]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    max_new_tokens: Option<String>,
    /// How far the choice of tokens is spread; 0 always takes the likeliest [LLM_TEMPERATURE]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    temperature: Option<String>,
    /// Draw from the likeliest tokens that make up this share [LLM_TOP_P]
    #[arg(long, value_name = "P", allow_negative_numbers = true)]
    top_p: Option<String>,
    /// Draw from this many of the likeliest tokens; 0 is off [LLM_TOP_K]
    #[arg(long, value_name = "K", allow_negative_numbers = true)]
    top_k: Option<String>,
    /// Always take the likeliest token [LLM_DO_SAMPLE=false]
    #[arg(long)]
    greedy: bool,
}

impl SettingArgs {
    /// What was given, for the configuration.
    pub(crate) fn flags(&self) -> Vec<Flag> {
        let greedy = self.greedy.then(|| "false".to_owned());
        [
            (Key::MaxLength, "--max-new-tokens", &self.max_new_tokens),
            (Key::Temperature, "--temperature", &self.temperature),
            (Key::TopP, "--top-p", &self.top_p),
            (Key::TopK, "--top-k", &self.top_k),
            (Key::DoSample, "--greedy", &greedy),
        ]
        .into_iter()
        .filter_map(|(key, name, value)| value.clone().map(|value| Flag { key, name, value }))
        .collect()
    }
}
