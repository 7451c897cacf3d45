//! What this machine is: processor, memory, disk, and the limits that it was given.
//!
//! Everything is read from the system as it is asked for; what a system does not tell is `None`,
//! never a guess.

mod cgroup;
mod linux;

use std::path::Path;

use scaffold_kernels::{Cpu, Team};
use serde::Serialize;

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
    /// Bytes that this process may still take, by every limit that it is under.
    pub usable_now: Option<usize>,
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
            usable_now: crate::memory::available().map(|available| available.bytes),
            load: linux::load(root),
        }
    }

    /// Bytes that a model may take here: what is available, within the container's limit and those
    /// of the process.
    pub fn usable_memory(&self) -> Option<u64> {
        let limit = self.memory_limit.as_ref().map(|(bytes, _)| *bytes);
        let now = self.usable_now.map(|bytes| bytes as u64);
        [self.memory_available, limit, now].into_iter().flatten().min()
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

/// A number of bytes for people, in units of 1024.
///
/// ```
/// assert_eq!(scaffold::machine::bytes_text(1_500_000_000), "1.40 GiB");
/// assert_eq!(scaffold::machine::bytes_text(512), "512 bytes");
/// ```
pub fn bytes_text(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} bytes");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let digits = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
    format!("{value:.digits$} {}", UNITS[unit])
}

#[cfg(test)]
mod tests;
