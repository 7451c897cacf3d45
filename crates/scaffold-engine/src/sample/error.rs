//! Why the sampler gives no token.

use thiserror::Error;

/// Why no token could be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SampleError {
    /// The model computed a value that is not a number, or plus infinity.
    #[error(
        "the model's output for the token at position {position} is not a number: values beyond the range of f32, its weights \
         or this build's arithmetic are broken; check the model files (`scaffold` verifies their hashes when it downloads them)"
    )]
    NotANumber {
        /// Position of the token that was to be chosen.
        position: usize,
    },
    /// Bans, penalties and biases leave no token.
    #[error(
        "no token is left to choose at position {position}: logit_bias, bad_words, suppress_tokens, begin_suppress_tokens, \
         min_new_tokens, min_length and no_repeat_ngram_size together ban all of them; relax one"
    )]
    NothingLeft {
        /// Position of the token that was to be chosen.
        position: usize,
    },
}
