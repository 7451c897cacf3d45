//! The limits of a container: control groups, versions 2 and 1.
//!
//! A process inside a container usually sees its own group at the root of the mounted hierarchy;
//! outside of one, its path stands in `/proc/self/cgroup`. A limit may be set on any group above,
//! so all of them are read.

use std::fs;
use std::path::{Path, PathBuf};

/// Groups of version 1 without a limit hold a number near 2^63.
const NO_LIMIT: u64 = 1 << 60;

/// The smallest memory limit in force, and the file that sets it.
pub(super) fn memory_limit(root: &Path) -> Option<(u64, String)> {
    let limit = |path: PathBuf| {
        let bytes: u64 = fs::read_to_string(&path).ok()?.trim().parse().ok()?;
        (bytes < NO_LIMIT).then(|| (bytes, shown(root, &path)))
    };
    let files = groups(root, "")
        .map(|group| group.join("memory.max"))
        .chain(groups(root, "memory").map(|group| group.join("memory.limit_in_bytes")));
    files.filter_map(limit).min_by_key(|(bytes, _)| *bytes)
}

/// The smallest share of processors in force.
pub(super) fn processor_limit(root: &Path) -> Option<f64> {
    let version_2 = groups(root, "").filter_map(|group| {
        let text = fs::read_to_string(group.join("cpu.max")).ok()?;
        let (quota, period) = text.trim().split_once(' ')?;
        share(quota.parse().ok()?, period.parse().ok()?)
    });
    let version_1 = groups(root, "cpu").filter_map(|group| {
        let number = |name: &str| -> Option<f64> {
            fs::read_to_string(group.join(name)).ok()?.trim().parse().ok()
        };
        share(number("cpu.cfs_quota_us")?, number("cpu.cfs_period_us")?)
    });
    version_2.chain(version_1).min_by(f64::total_cmp)
}

fn share(quota: f64, period: f64) -> Option<f64> {
    (quota > 0.0 && period > 0.0).then(|| quota / period)
}

/// This process's group in the hierarchy of `controller` (empty: version 2) and all groups above
/// it.
fn groups(root: &Path, controller: &str) -> impl Iterator<Item = PathBuf> {
    let mount = root.join("sys/fs/cgroup").join(controller);
    let own = own_group(root, controller).unwrap_or_default();
    let mut group = mount.join(own.trim_start_matches('/'));
    let mut all = Vec::new();
    while group.starts_with(&mount) {
        all.push(group.clone());
        if !group.pop() {
            break;
        }
    }
    all.into_iter()
}

/// The path after `0::` (version 2) or `N:…,controller,…:`.
fn own_group(root: &Path, controller: &str) -> Option<String> {
    let text = fs::read_to_string(root.join("proc/self/cgroup")).ok()?;
    text.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next()?, parts.next()?);
        let fits = if controller.is_empty() {
            controllers.is_empty()
        } else {
            controllers.split(',').any(|known| known == controller)
        };
        // A path with `..` leads out of what is mounted here.
        (fits && !path.contains("..")).then(|| path.to_owned())
    })
}

fn shown(root: &Path, path: &Path) -> String {
    let inner = path.strip_prefix(root).unwrap_or(path);
    format!("/{}", inner.display())
}
