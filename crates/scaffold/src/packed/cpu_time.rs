//! How long this process has computed, so that waiting for a disk does not count as packing.

use std::time::Duration;

/// Processor time of all threads, where the system tells.
#[cfg(target_os = "linux")]
pub(super) fn cpu_time() -> Option<Duration> {
    parse(&std::fs::read_to_string("/proc/self/stat").ok()?)
}

/// Elsewhere the clock on the wall has to do.
#[cfg(not(target_os = "linux"))]
pub(super) fn cpu_time() -> Option<Duration> {
    None
}

/// Fields 14 and 15, in hundredths of a second: what Linux shows to programs whatever it counts in
/// itself.
#[cfg(target_os = "linux")]
fn parse(stat: &str) -> Option<Duration> {
    // The second field is the program's name in brackets and may hold anything.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis(user.checked_add(system)?.checked_mul(10)?))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_fields_are_found_behind_any_name() {
        let stat = "7 (a) b) S 1 2 3 4 5 6 7 8 9 10 120 30 0 0 20";
        assert_eq!(parse(stat), Some(Duration::from_millis(1500)));
        assert_eq!(parse("7 (a) S 1"), None);
        assert!(cpu_time().is_some());
    }
}
