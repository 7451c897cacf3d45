//! Flags for the sampler and for the end of an answer, beyond what the configuration holds.

use clap::Args;
use scaffold::{Sampling, Stop};

use super::number::{self, Seed};

/// How the answer is written
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Answer")]
pub(crate) struct SamplingArgs {
    /// Draw from tokens at least this fraction as likely as the likeliest; 0 is off
    #[arg(long, value_name = "P", allow_negative_numbers = true, value_parser = number::real)]
    min_p: Option<f32>,
    /// Draw from the tokens nearest to the expected surprise, up to this share; 1 is off
    #[arg(long, value_name = "P", allow_negative_numbers = true, value_parser = number::real)]
    typical_p: Option<f32>,
    /// Make tokens that occurred, the prompt's too, less likely by this factor; 1 is off
    #[arg(long, value_name = "X", allow_negative_numbers = true, value_parser = number::real)]
    repetition_penalty: Option<f32>,
    /// Take this from the logit of every token of the answer so far; 0 is off
    #[arg(long, value_name = "X", allow_negative_numbers = true, value_parser = number::real)]
    presence_penalty: Option<f32>,
    /// Take this from a token's logit for each time the answer has it; 0 is off
    #[arg(long, value_name = "X", allow_negative_numbers = true, value_parser = number::real)]
    frequency_penalty: Option<f32>,
    /// Let no run of this many tokens occur twice; 0 is off
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = number::count)]
    no_repeat_ngram_size: Option<usize>,
    /// No end before this many new tokens
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = number::count)]
    min_new_tokens: Option<usize>,
    /// Seed of the random numbers: the same seed gives the same answer; -1 takes another one each
    /// time
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = number::seed)]
    seed: Option<Seed>,
    /// End the answer before this text; may be given more than once
    #[arg(long, value_name = "TEXT")]
    stop: Vec<String>,
    /// Go on after the model's own end of the answer
    #[arg(long)]
    ignore_eos: bool,
}

impl SamplingArgs {
    /// Lays what was given over `sampling` and `stop`.
    pub(crate) fn apply(&self, sampling: &mut Sampling, stop: &mut Stop) {
        fn set<T: Copy>(target: &mut T, given: Option<T>) {
            if let Some(value) = given {
                *target = value;
            }
        }
        set(&mut sampling.min_p, self.min_p);
        set(&mut sampling.typical_p, self.typical_p);
        set(&mut sampling.repetition_penalty, self.repetition_penalty);
        set(&mut sampling.presence_penalty, self.presence_penalty);
        set(&mut sampling.frequency_penalty, self.frequency_penalty);
        set(&mut sampling.no_repeat_ngram_size, self.no_repeat_ngram_size);
        set(&mut sampling.min_new_tokens, self.min_new_tokens);
        match self.seed {
            Some(Seed::Fixed(seed)) => sampling.seed = Some(seed),
            Some(Seed::Random) => sampling.seed = None,
            None => {}
        }
        stop.strings.extend(self.stop.iter().cloned());
        stop.ignore_eos |= self.ignore_eos;
    }
}
