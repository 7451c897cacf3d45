use std::fs;

use tempfile::TempDir;

use super::*;

fn files(files: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = root.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    root
}

#[test]
fn a_limit_of_version_2_is_found_on_a_group_above() {
    let root = files(&[
        ("proc/self/cgroup", "0::/user/job\n"),
        ("sys/fs/cgroup/user/memory.max", "2147483648\n"),
        ("sys/fs/cgroup/user/job/memory.max", "max\n"),
        ("sys/fs/cgroup/user/job/cpu.max", "150000 100000\n"),
        ("sys/fs/cgroup/user/cpu.max", "max 100000\n"),
    ]);
    assert_eq!(
        cgroup::memory_limit(root.path()),
        Some((2 << 30, "/sys/fs/cgroup/user/memory.max".to_owned()))
    );
    assert_eq!(cgroup::processor_limit(root.path()), Some(1.5));
}

#[test]
fn limits_of_version_1_are_read_and_its_no_limit_is_none() {
    let root = files(&[
        ("proc/self/cgroup", "5:memory:/docker/x\n3:cpuset,cpu,cpuacct:/docker/x\n"),
        ("sys/fs/cgroup/memory/memory.limit_in_bytes", "536870912\n"),
        ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n"),
        ("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"),
    ]);
    assert_eq!(cgroup::memory_limit(root.path()).unwrap().0, 512 << 20);
    assert_eq!(cgroup::processor_limit(root.path()), None);
    let open = files(&[("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n")]);
    assert_eq!(cgroup::memory_limit(open.path()), None);
}

#[test]
fn processor_and_memory_are_read_as_linux_writes_them() {
    let root = files(&[
        (
            "proc/cpuinfo",
            "processor\t: 0\nmodel name\t: Some CPU\nphysical id\t: 0\ncore id\t\t: 0\n\n\
             processor\t: 1\nmodel name\t: Some CPU\nphysical id\t: 0\ncore id\t\t: 0\n\n\
             processor\t: 2\nmodel name\t: Some CPU\nphysical id\t: 0\ncore id\t\t: 1\n\n",
        ),
        ("proc/meminfo", "MemTotal:       1024 kB\nMemFree: 1 kB\nMemAvailable:    512 kB\n"),
        ("proc/loadavg", "0.52 0.58 0.59 3/602 29\n"),
        ("proc/self/status", "Name:\tx\nVmHWM:\t   20 kB\n"),
    ]);
    let root = root.path();
    assert_eq!(linux::processor(root).unwrap(), "Some CPU");
    assert_eq!(linux::physical_cores(root), Some(2));
    assert_eq!(linux::memory(root), (Some(1 << 20), Some(512 << 10)));
    assert_eq!(linux::load(root), Some(0.52));
    assert_eq!(linux::status_bytes(root, "VmHWM"), Some(20 << 10));
}

#[test]
fn a_system_that_tells_nothing_gives_nothing() {
    let root = files(&[("proc/meminfo", "MemTotal: lots\n"), ("proc/self/cgroup", "0::/../..\n")]);
    let root = root.path();
    assert_eq!(linux::memory(root), (None, None));
    assert_eq!(linux::processor(root), None);
    assert_eq!(linux::physical_cores(root), None);
    assert_eq!(cgroup::memory_limit(root), None);
    assert_eq!(cgroup::processor_limit(root), None);
}

#[test]
fn this_machine_can_be_looked_at() {
    let machine = Machine::look();
    assert!(machine.threads > 0 && !machine.level.is_empty());
    if cfg!(target_os = "linux") {
        assert!(machine.usable_memory().unwrap() > 0);
        // In this order: other tests take memory between the two.
        let resident = resident_memory();
        assert!(peak_memory() >= resident);
    }
}

#[test]
fn bytes_are_told_in_three_digits() {
    for (bytes, text) in [
        (0, "0 bytes"),
        (1024, "1.00 KiB"),
        (90_868_376, "86.7 MiB"),
        (14_483_464_192, "13.5 GiB"),
        (300 << 20, "300 MiB"),
        (u64::MAX, "16777216 TiB"),
    ] {
        assert_eq!(bytes_text(bytes), text);
    }
}
