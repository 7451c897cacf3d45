//! Which directories may be removed when they have become empty.

use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::config::HubConfig;

/// The directories that are configured, or that all models share. They are emptied and stay: neither
/// they nor anything above them was made for one model. A moved cache may be the only thing in the
/// directory where somebody works.
pub(super) struct Roots(Vec<PathBuf>);

impl Roots {
    pub(super) fn of(config: &HubConfig) -> Roots {
        let cache = config.hub_cache().ok();
        let packages = config.package_cache().ok();
        let token = config.token_file().ok().and_then(Path::parent);
        let locks = cache.map(|cache| cache.join(".locks"));
        let home = Some(config.hf_home.as_path()).filter(|home| home.is_absolute());
        let set = [cache, packages, token, home].into_iter().flatten().map(Path::to_owned);
        Roots(set.chain(locks).collect())
    }

    /// Whether a directory lies below one of these, and none of them in it.
    pub(super) fn may_go(&self, dir: &Path) -> bool {
        let below = |root: &PathBuf| {
            dir.strip_prefix(root).is_ok_and(|rest| {
                rest != Path::new("")
                    && rest.components().all(|c| matches!(c, Component::Normal(_)))
            })
        };
        self.0.iter().any(below) && !self.0.iter().any(|root| root.starts_with(dir))
    }

    /// Removes the directories above `path` that have become empty, up to the first that has not or
    /// that must stay.
    pub(super) fn remove_empty_parents(&self, path: &Path) {
        for parent in path.ancestors().skip(1).take_while(|parent| self.may_go(parent)) {
            if fs::remove_dir(parent).is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_below_a_root_and_holds_none_may_go() {
        let mut config = HubConfig::new("/home/someone");
        config.hf_home = "/a/hf".into();
        config.cache_dir = "/a/hf/hub".into();
        config.packages_dir = "/a/hf/hub/ours/packages".into();
        let roots = Roots::of(&config);
        for stays in [
            "/",
            "/a",
            "/a/hf",
            "/a/hf/hub",
            "/a/hf/hub/.locks",
            "/a/hf/hub/ours",
            "/a/hf/hub/ours/packages",
            "/a/hf/hub/../../b",
            "/b",
            "",
        ] {
            assert!(!roots.may_go(Path::new(stays)), "{stays}");
        }
        for goes in [
            "/a/hf/hub/models--a--b",
            "/a/hf/hub/.locks/models--a--b",
            "/a/hf/hub/ours/packages/p-1",
        ] {
            assert!(roots.may_go(Path::new(goes)), "{goes}");
        }
    }
}
