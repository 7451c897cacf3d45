//! What Linux tells under `/proc`. Other systems have no such files, and then nothing is told.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

fn read(root: &Path, path: &str) -> Option<String> {
    fs::read_to_string(root.join(path)).ok()
}

/// The value after `name:` in a file of such lines.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim())
    })
}

/// A value such as `16384 kB`.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let value = field(text, name)?.strip_suffix("kB")?.trim();
    value.parse::<u64>().ok()?.checked_mul(1024)
}

pub(super) fn version(root: &Path) -> Option<String> {
    Some(read(root, "proc/sys/kernel/osrelease")?.trim().to_owned())
}

pub(super) fn processor(root: &Path) -> Option<String> {
    let text = read(root, "proc/cpuinfo")?;
    // Arm has no such line; there the number of the part would tell nobody anything.
    field(&text, "model name").map(str::to_owned)
}

/// Pairs of package and core that occur.
pub(super) fn physical_cores(root: &Path) -> Option<usize> {
    let text = read(root, "proc/cpuinfo")?;
    let cores: HashSet<(&str, &str)> = text
        .split("\n\n")
        .filter_map(|one| Some((field(one, "physical id")?, field(one, "core id")?)))
        .collect();
    (!cores.is_empty()).then_some(cores.len())
}

/// All memory, and what can be had of it.
pub(super) fn memory(root: &Path) -> (Option<u64>, Option<u64>) {
    let text = read(root, "proc/meminfo").unwrap_or_default();
    (kilobytes(&text, "MemTotal"), kilobytes(&text, "MemAvailable"))
}

pub(super) fn load(root: &Path) -> Option<f64> {
    read(root, "proc/loadavg")?.split_whitespace().next()?.parse().ok()
}

pub(super) fn status_bytes(root: &Path, name: &str) -> Option<u64> {
    kilobytes(&read(root, "proc/self/status")?, name)
}
