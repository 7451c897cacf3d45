//! What this machine can do at most, for comparing a model's speed with what is possible.

use scaffold_kernels::roof::Roof;

use crate::config::Config;
use crate::llm::exec;
use crate::{Error, LoadOptions};

/// The best run counts: other programs can only make a run slower.
const RUNS: usize = 5;

/// The most that the configured threads reach together with the best of the processor's instruction sets: bytes read from
/// memory and multiply-adds, each per second. Takes half a gigabyte of memory for the time of the call.
///
/// # Errors
/// The configured instruction set is not there.
pub fn roof(config: &Config) -> Result<Roof, Error> {
    let exec = exec(&LoadOptions::from(config), &mut Vec::new())?;
    Ok(Roof::measure(&exec.team, RUNS))
}
