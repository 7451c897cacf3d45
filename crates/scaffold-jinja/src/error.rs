//! What can go wrong while a template is read or run, in Python's words.

/// Why a template could not be read or run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The source is not a template (`TemplateSyntaxError`).
    Syntax,
    /// Something that is not there was used (`UndefinedError`).
    Undefined,
    /// A value of the wrong type (`TypeError`).
    Type,
    /// A value that does not fit (`ValueError`, `LookupError`).
    Value,
    /// Arithmetic without a result (`ZeroDivisionError`, `OverflowError`).
    Arithmetic,
    /// What Jinja2's sandbox forbids (`SecurityError`).
    Security,
    /// What Jinja2 itself refuses while it runs (`TemplateRuntimeError`, `FilterArgumentError`).
    Runtime,
    /// Too deep (`RecursionError`).
    Recursion,
    /// The template's own refusal: `raise_exception(…)`.
    Raised,
    /// More steps than [`crate::Limits::steps`].
    Steps,
    /// More text and items than [`crate::Limits::bytes`].
    Memory,
}

/// A failure with the line of the template that it happened on.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    inner: Box<Inner>,
    message: String,
}

#[derive(Clone, Debug)]
struct Inner {
    kind: ErrorKind,
    line: usize,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error { inner: Box::new(Inner { kind, line: 0 }), message: message.into() }
    }

    /// What sort of failure it is.
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind
    }

    /// The line of the template, from 1; 0 where none is known.
    pub fn line(&self) -> usize {
        self.inner.line
    }

    /// What happened, as Python says it.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Sets the line, unless a deeper place has set it already.
    pub(crate) fn at(mut self, line: usize) -> Self {
        if self.inner.line == 0 {
            self.inner.line = line;
        }
        self
    }
}

pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

pub(crate) fn type_error(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Type, message)
}

pub(crate) fn value_error(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Value, message)
}

pub(crate) fn runtime_error(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Runtime, message)
}

pub(crate) fn arithmetic_error(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Arithmetic, message)
}
