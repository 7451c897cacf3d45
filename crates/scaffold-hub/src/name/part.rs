//! Which part of a repository is meant.

use std::path::Path;

/// Which of a repository's files are meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Part {
    /// What the model needs: safetensors where there are some, else the best GGUF file.
    Whole,
    /// The GGUF file (or split files) with this quantization label, compared without case.
    Quantization(String),
    /// One GGUF file by its path in the repository.
    File(String),
}

/// Whether a path ends as those of GGUF files do.
pub(super) fn has_gguf_suffix(text: &str) -> bool {
    Path::new(text).extension().is_some_and(|e| e.eq_ignore_ascii_case("gguf"))
}
