//! Everything that can go wrong, in one type.

use scaffold_engine::{DoesNotFit, EngineError};
use scaffold_error::Kind;
use scaffold_formats::FormatError;
use scaffold_kernels::KernelError;
use scaffold_model::ModelError;

use crate::config::ConfigError;
use crate::embed::EmbedError;
use crate::memory::NotEnough;

/// Any failure of the library. Every message says what happened, what it means and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A model's file is not what it claims to be, or cannot be read.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// A model cannot be computed.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// There is nothing to compute.
    #[error("there are no tokens to compute: give at least one")]
    NoTokens,
    /// More tokens than the model can hold.
    #[error(
        "{tokens} tokens were given, but the context of this model holds {context}: give fewer"
    )]
    TooLong {
        /// Tokens that were given.
        tokens: usize,
        /// Tokens that the model can hold.
        context: usize,
    },
    /// A model could not be found or fetched, or something is wrong with its files or with what was
    /// asked of it.
    #[error(transparent)]
    Fault(#[from] scaffold_error::Error),
    /// The processor or the threads cannot be used as asked.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// A request cannot be computed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A model does not fit into memory.
    #[error(transparent)]
    Memory(#[from] DoesNotFit),
    /// Something else than a language model does not fit into memory.
    #[error(transparent)]
    NotEnough(#[from] NotEnough),
    /// There is no embedding or no score.
    #[error(transparent)]
    Embed(#[from] EmbedError),
    /// A chat was asked of a model that has no chat format.
    #[error(
        "the model has no chat template and none is known for its family, so it cannot chat: use plain prompts, or put \
         the template as chat_template.jinja into the model's directory"
    )]
    NoChatFormat,
    /// The model was unloaded.
    #[error("{model} was unloaded and is not in memory: call load() first")]
    Unloaded {
        /// The model.
        model: String,
    },
    /// The model is being loaded.
    #[error(
        "{model} is being loaded by another thread and takes no requests yet: repeat this when its load() has returned, or \
         call load(), which waits for it"
    )]
    Loading {
        /// The model.
        model: String,
    },
}

impl Error {
    /// Whether the model, the file or the prompt was refused. Otherwise a setting or the
    /// environment (disk, network) is in the way, and the same request may succeed elsewhere.
    pub fn is_refusal(&self) -> bool {
        match self {
            Error::Config(_)
            | Error::Kernel(_)
            | Error::Memory(_)
            | Error::NotEnough(_)
            | Error::Unloaded { .. }
            | Error::Loading { .. } => false,
            Error::Engine(error) => !matches!(
                error,
                EngineError::Memory(_)
                    | EngineError::Stopped
                    | EngineError::Overloaded { .. }
                    | EngineError::Panicked { .. }
                    | EngineError::Ended { .. }
                    | EngineError::Thread(_)
            ),
            Error::Embed(error) => error.is_refusal(),
            Error::Fault(error) => matches!(
                error.kind(),
                Kind::NotFound | Kind::Damaged | Kind::Unsupported | Kind::Refused | Kind::TooLarge
            ),
            Error::Format(error) | Error::Model(ModelError::Format(error)) => {
                !matches!(error, FormatError::Io { .. })
            }
            Error::Model(_) | Error::NoTokens | Error::TooLong { .. } | Error::NoChatFormat => true,
        }
    }
}
