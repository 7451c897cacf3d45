//! The command `scaffold`, which the package brings along.

use std::ffi::OsString;

use pyo3::prelude::*;

/// Does what was typed, the command's name first, and gives the exit code. Not to be called twice in one
/// process; who calls it has given Ctrl-C back to the system.
#[pyfunction]
pub(crate) fn run_command(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| scaffold_cli::main_from(arguments))
}
