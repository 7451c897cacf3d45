//! The limits that a process was started with (`ulimit`), and what they leave.

/// Bytes of address space that may still be taken. Mapped files count, too.
pub(super) fn address_space() -> Option<usize> {
    #[cfg(target_os = "linux")]
    return left(rustix::process::Resource::As, "VmSize");
    #[cfg(not(target_os = "linux"))]
    None
}

/// Bytes of private memory that may still be taken.
pub(super) fn data() -> Option<usize> {
    #[cfg(target_os = "linux")]
    return left(rustix::process::Resource::Data, "VmData");
    #[cfg(not(target_os = "linux"))]
    None
}

/// The limits that are set, in words.
pub(super) fn limits() -> Vec<String> {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Resource, getrlimit};
        let text = |resource, what: &str, flag: &str, unit: u64| {
            let limit = getrlimit(resource).current? / unit;
            Some(format!("{what}: {limit} (`ulimit {flag}`)"))
        };
        let limits = [
            text(Resource::As, "KiB of address space", "-v", 1024),
            text(Resource::Data, "KiB of data", "-d", 1024),
            text(Resource::Nproc, "processes and threads of this user", "-u", 1),
        ];
        limits.into_iter().flatten().collect()
    }
    #[cfg(not(target_os = "linux"))]
    Vec::new()
}

/// What is left of a limit of which the system counts `field`.
#[cfg(target_os = "linux")]
fn left(resource: rustix::process::Resource, field: &str) -> Option<usize> {
    let limit = rustix::process::getrlimit(resource).current?;
    let used = crate::machine::own_memory(field).unwrap_or(0);
    usize::try_from(limit.saturating_sub(used)).ok()
}
