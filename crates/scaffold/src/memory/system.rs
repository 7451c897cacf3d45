//! How much memory this machine, or the container around this process, can still give.

use std::path::{Path, PathBuf};

/// Bytes that can be allocated now without swapping. `None` where the system does not say.
pub(super) fn of_machine() -> Option<usize> {
    Memory::new().of_machine()
}

/// What is left of the tightest limit of a control group above this process.
pub(super) fn of_groups() -> Option<usize> {
    Memory::new().of_groups()
}

/// Bytes of file pages that the programs of a group run on.
const PROGRAMS: usize = 24 << 20;

/// The system's files, below a directory that tests choose.
struct Memory {
    root: PathBuf,
}

impl Memory {
    fn new() -> Memory {
        Memory { root: PathBuf::from("/") }
    }

    #[cfg(test)]
    fn available(&self) -> Option<usize> {
        [self.of_machine(), self.of_groups()].into_iter().flatten().min()
    }

    fn read(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(self.root.join(path)).ok()
    }

    /// `MemAvailable` counts the page cache that can be dropped, which is where mapped model files
    /// are.
    fn of_machine(&self) -> Option<usize> {
        let text = self.read("proc/meminfo")?;
        let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
        line.split_whitespace().next()?.parse::<usize>().ok()?.checked_mul(1024)
    }

    /// What the tightest of this process's control groups leaves.
    fn of_groups(&self) -> Option<usize> {
        let groups = self.read("proc/self/cgroup")?;
        groups.lines().filter_map(|line| self.of_hierarchy(line)).min()
    }

    /// One line of `/proc/self/cgroup`: `0::/path` (version 2) or `4:memory:/path` (version 1).
    fn of_hierarchy(&self, line: &str) -> Option<usize> {
        let mut fields = line.splitn(3, ':');
        let (_, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
        let (mount, limit, usage) = match controllers {
            "" => ("sys/fs/cgroup", "memory.max", "memory.current"),
            c if c.split(',').any(|c| c == "memory") => {
                ("sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes")
            }
            _ => return None,
        };
        // A group is bound by every group above it; inside a container the path may start at the
        // container's own.
        let path = Path::new(path.trim_start_matches('/'));
        path.ancestors()
            .filter_map(|group| self.of_group(&Path::new(mount).join(group), limit, usage))
            .min()
    }

    fn of_group(&self, group: &Path, limit: &str, usage: &str) -> Option<usize> {
        let read = |name: &str| std::fs::read_to_string(self.root.join(group).join(name)).ok();
        // Without a limit, version 2 says `max` and version 1 a number near 2^63: neither is less
        // than the machine has.
        let limit: usize = read(limit)?.trim().parse().ok()?;
        let used: usize = read(usage)?.trim().parse().ok()?;
        let statistics = read("memory.stat").unwrap_or_default();
        let field = |name: &str| {
            let line =
                statistics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
            line.trim().parse::<usize>().ok()
        };
        // File pages that are dropped before anything fails: those that nobody used lately, and of
        // the others all but what programs run on. Earlier processes of the group leave theirs
        // behind.
        let pages =
            |kind: &str| field(&format!("total_{kind}")).or_else(|| field(kind)).unwrap_or(0);
        let (inactive, active) = (pages("inactive_file"), pages("active_file"));
        let cache = inactive.max((inactive + active).saturating_sub(PROGRAMS));
        Some(limit.saturating_sub(used.saturating_sub(cache)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(files: &[(&str, &str)]) -> (tempfile::TempDir, Memory) {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let memory = Memory { root: dir.path().to_owned() };
        (dir, memory)
    }

    const MEMINFO: (&str, &str) =
        ("proc/meminfo", "MemTotal: 16000 kB\nMemAvailable:    8000 kB\n");

    #[test]
    fn without_groups_the_machine_decides() {
        assert_eq!(machine(&[MEMINFO]).1.available(), Some(8000 * 1024));
        assert_eq!(machine(&[]).1.available(), None);
    }

    #[test]
    fn the_tightest_group_decides_and_its_page_cache_counts_as_free() {
        let (_dir, memory) = machine(&[
            MEMINFO,
            ("proc/self/cgroup", "0::/pod/box\n"),
            ("sys/fs/cgroup/pod/memory.max", "5000000"),
            ("sys/fs/cgroup/pod/memory.current", "2000000"),
            ("sys/fs/cgroup/pod/memory.stat", "anon 1\ninactive_file 500000\n"),
            ("sys/fs/cgroup/pod/box/memory.max", "max"),
            ("sys/fs/cgroup/pod/box/memory.current", "1000000"),
        ]);
        assert_eq!(memory.available(), Some(3_500_000));
    }

    #[test]
    fn pages_that_others_left_behind_count_as_free() {
        let (_dir, memory) = machine(&[
            ("proc/self/cgroup", "0::/\n"),
            ("sys/fs/cgroup/memory.max", "200000000"),
            ("sys/fs/cgroup/memory.current", "150000000"),
            ("sys/fs/cgroup/memory.stat", "active_file 100000000\ninactive_file 1000\n"),
        ]);
        let free = 200_000_000 - (150_000_000 - (100_001_000 - PROGRAMS));
        assert_eq!(memory.available(), Some(free));
    }

    #[test]
    fn version_1_groups_are_read_too() {
        let (_dir, memory) = machine(&[
            ("proc/self/cgroup", "4:cpu,memory:/a\n3:pids:/a\n"),
            ("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "9223372036854771712"),
            ("sys/fs/cgroup/memory/a/memory.usage_in_bytes", "1000"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "4000"),
            ("sys/fs/cgroup/memory/memory.usage_in_bytes", "1500"),
        ]);
        assert_eq!(memory.available(), Some(2500));
    }
}
