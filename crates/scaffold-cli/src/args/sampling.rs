//! Flags for the sampler and for the end of an answer, beyond what the configuration holds.

use clap::Args;
use scaffold::GenerateOptions;
use scaffold::engine::parameter::{self, Value};

use super::number;

/// How the answer is written
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Answer")]
pub(crate) struct SamplingArgs {
    #[arg(long, help = number::help(&parameter::MIN_P), value_name = "P", allow_negative_numbers = true, value_parser = number::of(&parameter::MIN_P))]
    min_p: Option<Value>,
    #[arg(long, help = number::help(&parameter::TYPICAL_P), value_name = "P", allow_negative_numbers = true, value_parser = number::of(&parameter::TYPICAL_P))]
    typical_p: Option<Value>,
    #[arg(long, help = number::help(&parameter::REPETITION_PENALTY), value_name = "X", allow_negative_numbers = true, value_parser = number::of(&parameter::REPETITION_PENALTY))]
    repetition_penalty: Option<Value>,
    #[arg(long, help = number::help(&parameter::PRESENCE_PENALTY), value_name = "X", allow_negative_numbers = true, value_parser = number::of(&parameter::PRESENCE_PENALTY))]
    presence_penalty: Option<Value>,
    #[arg(long, help = number::help(&parameter::FREQUENCY_PENALTY), value_name = "X", allow_negative_numbers = true, value_parser = number::of(&parameter::FREQUENCY_PENALTY))]
    frequency_penalty: Option<Value>,
    #[arg(long, help = number::help(&parameter::NO_REPEAT_NGRAM_SIZE), value_name = "N", allow_negative_numbers = true, value_parser = number::of(&parameter::NO_REPEAT_NGRAM_SIZE))]
    no_repeat_ngram_size: Option<Value>,
    #[arg(long, help = number::help(&parameter::MIN_NEW_TOKENS), value_name = "N", allow_negative_numbers = true, value_parser = number::of(&parameter::MIN_NEW_TOKENS))]
    min_new_tokens: Option<Value>,
    #[arg(long, help = number::help(&parameter::SEED), value_name = "N", allow_negative_numbers = true, value_parser = number::of(&parameter::SEED))]
    seed: Option<Value>,
    /// End the answer before this text; may be given more than once
    #[arg(long, value_name = "TEXT")]
    stop: Vec<String>,
    /// Go on after the model's own end of the answer
    #[arg(long)]
    ignore_eos: bool,
    /// Close the thoughts of a model that thinks after so many tokens, and let it answer
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    thinking_budget: Option<usize>,
}

impl SamplingArgs {
    /// What was given.
    pub(crate) fn options(&self) -> GenerateOptions {
        let mut options = GenerateOptions::new();
        for (row, given) in [
            (&parameter::MIN_P, self.min_p),
            (&parameter::TYPICAL_P, self.typical_p),
            (&parameter::REPETITION_PENALTY, self.repetition_penalty),
            (&parameter::PRESENCE_PENALTY, self.presence_penalty),
            (&parameter::FREQUENCY_PENALTY, self.frequency_penalty),
            (&parameter::NO_REPEAT_NGRAM_SIZE, self.no_repeat_ngram_size),
            (&parameter::MIN_NEW_TOKENS, self.min_new_tokens),
            (&parameter::SEED, self.seed),
        ] {
            if let Some(value) = given {
                options.set(row, value);
            }
        }
        options.stop = (!self.stop.is_empty()).then(|| self.stop.clone());
        options.ignore_eos = self.ignore_eos;
        options.thinking_budget = self.thinking_budget;
        options
    }
}
