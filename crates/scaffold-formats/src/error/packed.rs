//! What can be wrong with a file of packed weights.

/// What is wrong with a file of packed weights. None of it is lost data: the model's own files are
/// packed again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackedProblem {
    /// The first bytes are others.
    #[error("is not a file of packed weights")]
    Magic,
    /// Another version of this format.
    #[error(
        "has version {found} of the format of packed weights; this program uses version {supported}"
    )]
    Version {
        /// What the file says.
        found: u32,
        /// What is read here.
        supported: u32,
    },
    /// Numbers are the other way round.
    #[error("was written on a machine with another byte order")]
    ByteOrder,
    /// The file is shorter or longer than it says.
    #[error("should have {expected} bytes and has {found}")]
    Length {
        /// Bytes that should be there.
        expected: u64,
        /// Bytes that are.
        found: u64,
    },
    /// A checksum differs.
    #[error("is damaged: the checksum of {what} differs")]
    Damaged {
        /// What is damaged.
        what: String,
    },
    /// The index cannot be read, though its checksum is right.
    #[error("has an index that cannot be read: {error}")]
    Index {
        /// Why.
        error: serde_json::Error,
    },
    /// Parts of the file contradict each other.
    #[error("{what}")]
    Contradiction {
        /// What it does.
        what: &'static str,
    },
}
