//! Flags that `run` and `generate` share.

use clap::Args;
use scaffold::GenerateOptions;
use scaffold::config::{Flag, Key};
use scaffold::engine::parameter;

use super::{ComputeArgs, GrammarArgs, SamplingArgs, SettingArgs};
use crate::failure::Usage;

/// How the answer is written and shown
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Answer")]
pub(crate) struct AnswerArgs {
    /// Tell the model how to behave
    #[arg(long, value_name = "TEXT")]
    pub(crate) system: Option<String>,
    /// Continue the prompt as it is, without the model's chat format
    #[arg(long, conflicts_with = "system")]
    pub(crate) raw: bool,
    /// Take control tokens in the prompt, and a prompt that is written in the model's chat format,
    /// for plain words: for texts of strangers
    #[arg(long, conflicts_with = "raw")]
    pub(crate) special_as_text: bool,
    /// Print {"text", "prompt_ids", "output_ids", "finish_reason", "timings"} at the end
    #[arg(long)]
    pub(crate) json: bool,
    /// Read nothing from standard input
    #[arg(long)]
    pub(crate) no_stdin: bool,
    /// Print load time, time to first token and tokens per second on standard error
    #[arg(long, short)]
    pub(crate) verbose: bool,
    #[command(flatten)]
    settings: SettingArgs,
    #[command(flatten)]
    sampling: SamplingArgs,
    #[command(flatten)]
    grammar: GrammarArgs,
    #[command(flatten)]
    compute: ComputeArgs,
}

/// How much is said about a model that was loaded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Talk {
    /// What is not as one might expect.
    Brief,
    /// Also what the model is, where it is from and what it is computed on.
    Full,
}

impl AnswerArgs {
    /// What was given, for the configuration.
    pub(crate) fn flags(&self, model: Option<&str>) -> Vec<Flag> {
        let model =
            model.map(|value| Flag { key: Key::Model, name: "MODEL", value: value.to_owned() });
        model.into_iter().chain(self.settings.flags()).chain(self.compute.flags()).collect()
    }

    /// What was given, for the call: a flag counts for more than any setting, and two that contradict
    /// each other are refused.
    pub(crate) fn options(&self) -> anyhow::Result<GenerateOptions> {
        let mut options = self.sampling.options();
        options.grammar = self.grammar.grammar()?;
        for flag in self.settings.flags() {
            let row = match flag.key {
                Key::Temperature => &parameter::TEMPERATURE,
                Key::TopP => &parameter::TOP_P,
                Key::TopK => &parameter::TOP_K,
                Key::DoSample => &parameter::DO_SAMPLE,
                Key::MaxLength => &parameter::MAX_NEW_TOKENS,
                _ => continue,
            };
            // What cannot be read was refused with the configuration.
            if let Ok(value) = row.read(&flag.value) {
                options.set(row, value);
            }
        }
        Ok(options)
    }

    /// How much is said about the model.
    pub(crate) fn talk(&self) -> Talk {
        if self.verbose { Talk::Full } else { Talk::Brief }
    }

    /// Refuses what a chat cannot do.
    pub(crate) fn refuse_for_chat(&self) -> Result<(), Usage> {
        let flag = match self {
            AnswerArgs { json: true, .. } => "--json",
            AnswerArgs { raw: true, .. } => "--raw",
            _ => return Ok(()),
        };
        Err(Usage(format!(
            "{flag} needs a prompt: a chat has no single answer\n  to do: add the prompt, or leave {flag} out"
        )))
    }
}
