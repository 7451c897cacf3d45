//! Which process this is: threads do not come along when a process forks, so that a model of the one
//! is none of the other.

use std::sync::OnceLock;

use scaffold::{Error, Kind};

/// The process that has loaded the first model.
static FIRST: OnceLock<u32> = OnceLock::new();

/// The number of this process.
pub(crate) fn this() -> u32 {
    std::process::id()
}

/// Whether this process was forked from the one of this number.
pub(crate) fn is_forked_from(process: u32) -> bool {
    process != this()
}

/// To be called before a model is loaded.
///
/// # Errors
/// The process was forked from one that had loaded models: the threads that compute are there no more,
/// and the locks that they held are held for ever.
pub(crate) fn enter() -> Result<(), Error> {
    let first = *FIRST.get_or_init(this);
    if is_forked_from(first) { Err(forked(first, "loads no model")) } else { Ok(()) }
}

/// The refusal of a process that was forked.
pub(crate) fn forked(from: u32, refused: &str) -> Error {
    let text = format!(
        "this process ({}) was forked from one that had loaded models ({from}); the threads that compute do not come along, so \
         that it {refused}",
        this()
    );
    Error::new(Kind::Usage, text)
        .remedy("start processes by spawn: multiprocessing.get_context(\"spawn\"), or set_start_method(\"spawn\")")
        .remedy("load models in the new process alone, not in the one that forks")
}
