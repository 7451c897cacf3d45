//! What this machine is: processor, memory, disk, and the limits that it was given.
//!
//! Everything is read from the system as it is asked for; what a system does not tell is `None`,
//! never a guess.

mod cgroup;
mod linux;

use std::path::Path;

pub use scaffold_engine::bytes_text;
use scaffold_kernels::{Cpu, Team};
use serde::Serialize;

use crate::memory::Available;

/// What this machine is.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Machine {
    /// Operating system and architecture, for example `linux x86_64`.
    pub system: String,
    /// The system's kernel or version, if it tells.
    pub system_version: Option<String>,
    /// The processor's own name.
    pub processor: Option<String>,
    /// The instruction set that the kernels use here.
    pub level: String,
    /// Cores, if the system tells them from threads.
    pub physical_cores: Option<usize>,
    /// Threads that run at once, as far as this process may use them.
    pub threads: usize,
    /// Processors that the container may use, for example 1.5.
    pub processor_limit: Option<f64>,
    /// Bytes of memory.
    pub memory: Option<u64>,
    /// Bytes of memory that can be had without swapping.
    pub memory_available: Option<u64>,
    /// Bytes that the container may use, and the file that says so.
    pub memory_limit: Option<(u64, String)>,
    /// What this process may still take, by every limit that it is under.
    pub available: Option<Available>,
    /// Runnable processes, averaged over the last minute.
    pub load: Option<f64>,
}

impl Machine {
    /// Looks at this machine.
    pub fn look() -> Machine {
        let root = Path::new("/");
        let (memory, memory_available) = linux::memory(root);
        Machine {
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            system_version: linux::version(root),
            processor: linux::processor(root),
            level: Cpu::detect().level().to_string(),
            physical_cores: linux::physical_cores(root),
            threads: Team::cores(),
            processor_limit: cgroup::processor_limit(root),
            memory,
            memory_available,
            memory_limit: cgroup::memory_limit(root),
            available: crate::memory::available(),
            load: linux::load(root),
        }
    }

    /// Bytes that a model may take here.
    pub fn usable_memory(&self) -> Option<u64> {
        Some(self.available?.bytes as u64)
    }
}

/// The most memory that this process has had at once, in bytes.
pub fn peak_memory() -> Option<u64> {
    linux::status_bytes(Path::new("/"), "VmHWM")
}

/// A line of what the system counts for this process (`VmSize`, `VmData`), in bytes.
#[cfg(target_os = "linux")]
pub(crate) fn own_memory(field: &str) -> Option<u64> {
    linux::status_bytes(Path::new("/"), field)
}

/// The memory that this process has now, in bytes.
pub fn resident_memory() -> Option<u64> {
    linux::status_bytes(Path::new("/"), "VmRSS")
}

#[cfg(test)]
mod tests;
