//! Everything that can go wrong, in one type.

use scaffold_engine::DoesNotFit;
use scaffold_error::Kind;
use scaffold_hub::{Diagnosis, HubError};
use scaffold_text::TextError;

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
    /// A model's name could not be turned into files.
    #[error(transparent)]
    Hub(#[from] HubError),
    /// A model's file is not what it claims to be or cannot be read, a model cannot be computed, the
    /// processor or the threads cannot be used as asked, or a request cannot be computed.
    #[error(transparent)]
    Fault(#[from] scaffold_error::Error),
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
    /// A tokenizer or a chat template cannot be used, or refuses a text.
    #[error(transparent)]
    Text(#[from] TextError),
    /// A model does not fit into memory.
    #[error(transparent)]
    Memory(#[from] DoesNotFit),
    /// Something else than a language model does not fit into memory.
    #[error(transparent)]
    NotEnough(#[from] NotEnough),
    /// There is no embedding or no score.
    #[error(transparent)]
    Embed(#[from] EmbedError),
    /// A call's options contradict each other.
    #[error(
        "{parameter} is {value} and do_sample is false: the one draws tokens, the other always takes the likeliest; leave one out"
    )]
    Contradiction {
        /// The parameter that draws.
        parameter: &'static str,
        /// Its value.
        value: String,
    },
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
            | Error::Contradiction { .. }
            | Error::Memory(_)
            | Error::NotEnough(_)
            | Error::Unloaded { .. }
            | Error::Loading { .. } => false,
            Error::Embed(error) => error.is_refusal(),
            Error::Text(error) => !matches!(error, TextError::Io { .. }),
            Error::Hub(error) => hub_refuses(error),
            // What the system says of a file is no word on what is in it.
            Error::Fault(error) => {
                refuses(error.kind()) && error.cause::<std::io::Error>().is_none()
            }
            Error::NoTokens | Error::TooLong { .. } | Error::NoChatFormat => true,
        }
    }
}

fn refuses(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::NotFound | Kind::Damaged | Kind::Unsupported | Kind::Refused | Kind::TooLarge
    )
}

/// Whether the Hub, or what it has, is the reason; otherwise it is the token, the network or the
/// disk.
fn hub_refuses(error: &HubError) -> bool {
    match error {
        HubError::Refused(refusal) => {
            !refusal.diagnosis.is_unreachable()
                && !matches!(
                    refusal.diagnosis,
                    Diagnosis::RateLimited { .. } | Diagnosis::PlainToken { .. }
                )
        }
        HubError::Name(_)
        | HubError::UnknownName { .. }
        | HubError::UnsafeFileName { .. }
        | HubError::NoWeights { .. }
        | HubError::NoGguf { .. }
        | HubError::NotOurs { .. }
        | HubError::NoStoredToken { .. }
        | HubError::Quantization { .. }
        | HubError::NotAModel { .. }
        | HubError::Ollama(_) => true,
        _ => false,
    }
}
