//! Whether a GGUF model fits into memory here: asked of whoever knows, about the little that is
//! known of the model.

use std::fmt;
use std::sync::Arc;

use crate::quantization::GgufChoice;

/// A configuration file is not longer.
pub(crate) const LARGEST_CONFIG: u64 = 4 << 20;
/// Enough of a weights file for its header's beginning.
pub(crate) const HEAD: u64 = 256 * 1024;

/// What is known of a repository's models before one is chosen. They are one model in several
/// quantizations, so that the beginning of one tells of all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// The contents of `config.json`.
    pub config: Option<Vec<u8>>,
    /// The first bytes of one of the files.
    pub head: Option<Head>,
}

/// The beginning of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The file's path in the repository.
    pub file: String,
    /// Its first bytes, at most 256 KiB.
    pub bytes: Vec<u8>,
}

/// What a model needs here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fit {
    /// Whether it fits.
    pub fits: bool,
    /// What it needs, in words.
    pub needs: String,
}

impl Fit {
    /// What is added to the news that this one is taken.
    pub(crate) fn clause(&self) -> String {
        let why = if self.fits { "" } else { ", the smallest, though it does not fit" };
        format!("{why}: it needs {}", self.needs)
    }
}

type Answer = dyn Fn(&GgufChoice, &Known) -> Fit + Send + Sync;

/// Knows what fits into memory: decides which GGUF file is "the best" one.
#[derive(Clone)]
pub struct Judge(Arc<Answer>);

impl Judge {
    /// A judge that answers so.
    pub fn new(answer: impl Fn(&GgufChoice, &Known) -> Fit + Send + Sync + 'static) -> Self {
        Self(Arc::new(answer))
    }

    /// What a model of which so much is known needs here.
    pub fn fit(&self, choice: &GgufChoice, known: &Known) -> Fit {
        (self.0)(choice, known)
    }
}

impl fmt::Debug for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Judge")
    }
}
