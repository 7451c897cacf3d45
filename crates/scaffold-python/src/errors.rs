//! The library's errors as the package's exceptions, which are defined in Python
//! (`scaffold_llm/errors.py`).

use pyo3::prelude::*;
use scaffold::{Error, Kind};

use crate::remedy;

/// What an exception is made of.
#[derive(IntoPyObject)]
struct Facts<'a> {
    kind: &'static str,
    /// All of it in words: place, sentence and remedies.
    text: String,
    sentence: &'a str,
    remedies: Vec<String>,
    file: Option<String>,
    line: Option<usize>,
    key: Option<&'a str>,
    item: Option<usize>,
    model: Option<&'a str>,
}

/// The exception of an error.
pub(crate) fn raised(py: Python<'_>, error: &Error) -> PyErr {
    let place = error.place();
    let facts = Facts {
        kind: error.kind().name(),
        text: error.worded(remedy::words),
        sentence: error.sentence(),
        remedies: error.remedies().iter().map(remedy::words).collect(),
        file: place.file().map(|file| file.display().to_string()),
        line: place.line(),
        key: place.key(),
        item: place.item(),
        model: error.model(),
    };
    let made = py
        .import("scaffold_llm.errors")
        .and_then(|errors| errors.call_method1("of_facts", (facts,)));
    // What goes wrong here is told in its place.
    made.map_or_else(|failed| failed, PyErr::from_value)
}

/// What Python is told of a result.
pub(crate) trait OrRaise<T> {
    /// The value, or the exception of the error.
    fn or_raise(self, py: Python<'_>) -> PyResult<T>;
}

impl<T> OrRaise<T> for Result<T, Error> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|error| raised(py, &error))
    }
}

/// JSON that the package's own Python files have written, or that a program's object became.
pub(crate) fn read<'de, T: serde::Deserialize<'de>>(
    what: &'static str,
    json: &'de str,
) -> Result<T, Error> {
    serde_json::from_str(json).map_err(|cause| {
        let text = format!("{what} cannot be read: {cause}");
        Error::new(Kind::Usage, text).of_key(what).because(cause)
    })
}
