//! What this machine can do at most, for comparing a model's speed with what is possible.

use scaffold_kernels::Turn;
use scaffold_kernels::roof::Roof;

use crate::config::Config;
use crate::error::Error;
use crate::exec::exec;
use crate::memory;
use crate::options::{LoadOptions, MemoryLimit};

/// The best run counts: other programs can only make a run slower.
const RUNS: usize = 5;

/// Bytes that are read to measure how fast memory is: more than any cache holds.
const BUFFER: usize = 512 << 20;
/// With less, caches would be measured in place of memory.
const LEAST: usize = 128 << 20;

/// The most that the configured threads reach together with the best of the processor's instruction
/// sets: bytes read from memory and multiply-adds, each per second. Takes [`roof_bytes`] of memory
/// for the time of the call.
///
/// # Errors
/// The configured instruction set is not there; there is not enough memory to measure it.
pub fn roof(config: &Config) -> Result<Roof, Error> {
    let exec = exec(&LoadOptions::from(config), &mut Vec::new())?;
    let bytes = roof_bytes()?;
    let _turn = exec.team.turn(Turn::AWAITED);
    Ok(Roof::measure(&exec.team, bytes, RUNS))
}

/// Bytes of memory that [`roof()`] takes: half a gigabyte, or half of what may be used where that
/// is less.
///
/// # Errors
/// Half of what may be used is too little to tell memory from caches.
pub fn roof_bytes() -> Result<usize, Error> {
    let Some(available) = memory::available() else {
        return Ok(BUFFER);
    };
    let bytes = BUFFER.min(available.bytes / 2);
    if bytes < LEAST {
        memory::ask(
            "measuring how fast memory is",
            &[("read at once", 2 * LEAST)],
            "allow more memory; an answer's own times are measured without it",
            MemoryLimit::Available,
        )?;
    }
    Ok(bytes.max(LEAST))
}
