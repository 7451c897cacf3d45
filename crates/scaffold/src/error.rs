//! Everything that can go wrong, in one type.

use scaffold_formats::FormatError;
use scaffold_model::ModelError;

use crate::config::ConfigError;

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
}

impl Error {
    /// Whether the model, the file or the prompt was refused. Otherwise a setting or the environment (disk, network) is
    /// in the way, and the same request may succeed elsewhere.
    pub fn is_refusal(&self) -> bool {
        match self {
            Error::Config(_) => false,
            Error::Format(error) | Error::Model(ModelError::Format(error)) => {
                !matches!(error, FormatError::Io { .. })
            }
            Error::Model(_) => true,
        }
    }
}
