//! How fast this machine's memory is, for comparing a model's speed with what is possible.

use scaffold_kernels::roof;

use crate::config::Config;
use crate::llm::exec;
use crate::{Error, LoadOptions};

/// Much more than any cache holds.
const BUFFER: usize = 512 << 20;
/// The best run counts: other programs can only make a run slower.
const RUNS: usize = 5;

/// Bytes per second that the configured threads read from memory together.
///
/// # Errors
/// The configured instruction set is not there.
pub fn memory_roof(config: &Config) -> Result<f64, Error> {
    let exec = exec(&LoadOptions::from(config), &mut Vec::new())?;
    Ok(roof::read_bandwidth(&exec, BUFFER, RUNS))
}
