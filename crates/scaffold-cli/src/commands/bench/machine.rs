//! What the machine says about itself: its load, and the memory of this process.

/// Above this, other programs take a share that shows in the figures.
const QUIET: f64 = 0.5;

/// A line about the load, with a warning where the machine is not quiet.
pub(super) fn load_text(load: Option<f64>) -> String {
    match load {
        None => "load average unknown: see that nothing else runs".to_owned(),
        Some(load) if load <= QUIET => format!("load average {load:.2}"),
        Some(load) => format!(
            "warning: load average {load:.2}: other programs take their share of this machine, and the figures are lower \
             for it; measure again when it is below {QUIET}"
        ),
    }
}

/// Counts the memory's peak from here on, where the system can.
pub(super) fn forget_peak() {
    // Where it cannot, the peak is that of the largest model so far: see proc(5), clear_refs.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// The most memory that this process has had, in MiB, where the system says it.
pub(super) fn peak_rss_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_machine_is_warned_of() {
        assert_eq!(load_text(Some(0.25)), "load average 0.25");
        assert!(load_text(Some(1.5)).starts_with("warning: load average 1.50"));
        assert!(load_text(None).contains("unknown"));
    }
}
