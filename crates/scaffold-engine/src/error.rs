//! What can go wrong between a request and its answer.

use std::sync::Arc;

use thiserror::Error;

use crate::forward::ForwardError;
use crate::memory::DoesNotFit;
use crate::sample::SampleError;

/// Any failure of the engine. Clonable, because one failed step can concern several requests.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The prompt leaves no room for an answer. Nothing was computed and nothing was cut.
    #[error(
        "the prompt has {prompt_tokens} tokens but the context holds {context}, and an answer needs at least one: {}",
        remedy(*context, *model_context)
    )]
    ContextOverflow {
        /// Tokens of the prompt.
        prompt_tokens: usize,
        /// Tokens that prompt and answer may have together.
        context: usize,
        /// The longest context that the model was made for.
        model_context: usize,
    },
    /// The prompt has no tokens.
    #[error(
        "the prompt has no tokens: give it at least one (models with a beginning-of-sequence token start with that)"
    )]
    EmptyPrompt,
    /// A request field names a token that the model does not have.
    #[error("{field} names token {id}, but the vocabulary ends at {}: use ids of this model's tokenizer", vocab.saturating_sub(1))]
    UnknownToken {
        /// The field of the request.
        field: &'static str,
        /// The token.
        id: u32,
        /// Tokens in the vocabulary.
        vocab: usize,
    },
    /// A sampling parameter is out of range.
    #[error("{parameter} is {value}: accepted is {accepted}")]
    Sampling {
        /// The parameter.
        parameter: &'static str,
        /// Its value, text in quotes.
        value: String,
        /// What is accepted.
        accepted: &'static str,
    },
    /// More requests wait than the engine was configured to hold.
    #[error(
        "{waiting} requests wait already, and {limit} may: this one was not taken. Submit it again when an answer is \
         complete, or let the engine take requests as places come free (batch_generate and submit_when_free do)"
    )]
    Overloaded {
        /// Requests that wait.
        waiting: usize,
        /// The configured limit.
        limit: usize,
    },
    /// A setting of the engine is out of range.
    #[error("{setting} is {value}: accepted is {accepted}")]
    Config {
        /// The setting.
        setting: &'static str,
        /// Its value.
        value: usize,
        /// What is accepted.
        accepted: String,
    },
    /// The memory for keys and values does not fit.
    #[error(transparent)]
    Memory(#[from] DoesNotFit),
    /// The model failed in a forward pass.
    #[error("the model failed: {0}")]
    Model(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// The model gave another number of logits than was asked for.
    #[error(
        "the model gave {found} logits where {expected} were asked for: this is a fault of the program that computes it, \
         not of the request; report it with the model's name"
    )]
    WrongLogits {
        /// Values that were asked for.
        expected: usize,
        /// Values that came.
        found: usize,
    },
    /// The tokens of the answer cannot be turned into text.
    #[error(transparent)]
    Text(Arc<scaffold_text::TextError>),
    /// A part of the engine broke off while it worked on this request, by a fault of the program's
    /// own.
    #[error(
        "the engine broke off while it worked on this request: {detail}. This is a fault of the program, not of the request. \
         The engine goes on: repeat the request, and report this with the model's name if it comes again"
    )]
    Panicked {
        /// What the panic says, as far as it is known.
        detail: String,
    },
    /// The engine ended by a fault of the program's own.
    #[error(
        "the engine has ended by a fault of the program: {detail}. Load the model again, and report this with the model's \
         name"
    )]
    Ended {
        /// What the panic says, and why the engine could not go on.
        detail: String,
    },
    /// The sampler found no token.
    #[error(transparent)]
    Sample(#[from] SampleError),
    /// The engine was stopped before the answer was complete.
    #[error(
        "the engine was stopped before the answer was complete: start it again and repeat the request"
    )]
    Stopped,
    /// The operating system gave no thread.
    #[error(
        "the engine's thread could not be started: {0}; check the limit of processes and threads"
    )]
    Thread(#[source] Arc<std::io::Error>),
}

impl From<ForwardError> for EngineError {
    fn from(error: ForwardError) -> Self {
        match error {
            ForwardError::Overflow(error) | ForwardError::Failed(error) => Self::Model(error),
        }
    }
}

/// What to do about a prompt that does not fit.
fn remedy(context: usize, model_context: usize) -> String {
    if context < model_context {
        format!(
            "shorten the prompt, or start the model with a longer context (up to {model_context})"
        )
    } else {
        "shorten the prompt; this is as far as the model reaches".to_owned()
    }
}
