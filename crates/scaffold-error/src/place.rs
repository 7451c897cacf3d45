use std::fmt;
use std::path::{Path, PathBuf};

/// Where something is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    pub(crate) file: Option<PathBuf>,
    pub(crate) line: Option<usize>,
    pub(crate) key: Option<String>,
    pub(crate) tensor: Option<String>,
    pub(crate) offset: Option<u64>,
    pub(crate) item: Option<usize>,
    /// What it is one of, where the sentence does not say.
    pub(crate) item_kind: Option<&'static str>,
    /// Whether the sentence does not name the file, so that it is put before it.
    pub(crate) told: bool,
}

impl Place {
    /// The file or directory.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// The line of the file, from 1.
    pub fn line(&self) -> Option<usize> {
        self.line
    }

    /// The key of the file, the setting, or the parameter of a request.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// The tensor.
    pub fn tensor(&self) -> Option<&str> {
        self.tensor.as_deref()
    }

    /// Bytes from the start of the file.
    pub fn offset(&self) -> Option<u64> {
        self.offset
    }

    /// Which of several texts or messages, from 0.
    pub fn item(&self) -> Option<usize> {
        self.item
    }
}

impl fmt::Display for Place {
    /// What stands before the sentence; nothing where that names the place itself.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = self.file.as_ref().filter(|_| self.told) {
            match self.line {
                Some(line) => write!(f, "{}:{line}: ", file.display())?,
                None => write!(f, "{}: ", file.display())?,
            }
        }
        match (self.item_kind, self.item) {
            (Some(kind), Some(index)) => write!(f, "{kind} {index}: "),
            _ => Ok(()),
        }
    }
}
