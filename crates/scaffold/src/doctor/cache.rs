//! The models on this disk, and the room that is left.

use std::fs;
use std::path::{Path, PathBuf};

use scaffold_hub::{Hub, Place, free_bytes};

use super::{Finding, Verdict};
use crate::config::Config;
use crate::error::Error;
use crate::machine::bytes_text;

/// Less room than this holds hardly one model of 7 billion parameters in 4 bits.
const LITTLE_ROOM: u64 = 5 << 30;

pub(super) fn examine(config: &Config, hub: &Hub) -> Vec<Finding> {
    let (cache, packages) = (config.hub.hub_cache(), config.hub.package_cache());
    let mut findings =
        vec![place("cache", cache.as_ref()), place("package cache", packages.as_ref())];
    findings.extend(cache.as_ref().ok().and_then(|cache| room(cache)));
    findings.push(models(hub));
    findings.extend(incomplete(hub));
    if cache.is_ok() {
        findings.extend(left_over(hub));
    }
    findings
}

/// A directory for models, or that there is none.
fn place(subject: &str, found: Result<&&Path, &Error>) -> Finding {
    match found {
        Ok(path) => directory(subject, path),
        Err(error) => Finding::of_error(subject, Verdict::Bad, error),
    }
}

/// Whether a directory can be written to: the nearest part of it that exists is tried.
fn directory(subject: &str, path: &Path) -> Finding {
    let shown = path.display();
    let Some(existing) = path.ancestors().find(|part| part.exists()) else {
        return Finding::new(
            subject,
            Verdict::Bad,
            format!("{shown}: no part of this path exists"),
        )
        .remedy("set HF_HUB_CACHE (or HF_HOME) to a directory on a disk that is there");
    };
    if !existing.is_dir() {
        let seen = format!("{shown}: {} is not a directory", existing.display());
        return Finding::new(subject, Verdict::Bad, seen)
            .remedy("move that file away, or set HF_HUB_CACHE to another directory");
    }
    match try_writing(existing) {
        Ok(()) if existing == path => Finding::new(subject, Verdict::Good, shown.to_string()),
        Ok(()) => {
            let seen = format!("{shown} (made with the first download)");
            Finding::new(subject, Verdict::Good, seen)
        }
        Err(error) => Finding::new(subject, Verdict::Bad, format!("{shown} cannot be written: {error}"))
            .remedy("models that are there can be run, none can be downloaded: give this user the right to write there, or set HF_HUB_CACHE (and SCAFFOLD_CACHE) to another directory"),
    }
}

fn try_writing(directory: &Path) -> std::io::Result<()> {
    let probe: PathBuf = directory.join(format!(".scaffold-doctor-{}", std::process::id()));
    fs::write(&probe, b"")?;
    fs::remove_file(&probe)
}

fn room(cache: &Path) -> Option<Finding> {
    let free = free_bytes(cache)?;
    let seen = format!("{} free", bytes_text(free));
    Some(if free < LITTLE_ROOM {
        Finding::new("disk", Verdict::Warning, seen).remedy(
            "large models will not fit: `scaffold list` shows what is here, `scaffold rm` and `scaffold cache prune` make room, HF_HUB_CACHE names another disk",
        )
    } else {
        Finding::new("disk", Verdict::Good, seen)
    })
}

fn models(hub: &Hub) -> Finding {
    let entries = hub.list();
    let of = |place| entries.iter().filter(|entry| entry.place == place).count();
    let bytes = entries.iter().map(|entry| entry.bytes).sum();
    let mut seen = format!(
        "{} in the cache, {} from packages, {} in Ollama's store; {}",
        of(Place::Cache),
        of(Place::Package),
        of(Place::Ollama),
        bytes_text(bytes)
    );
    if entries.is_empty() {
        "none".clone_into(&mut seen);
        return Finding::new("models", Verdict::Note, seen).remedy("scaffold pull starter");
    }
    Finding::new("models", Verdict::Good, seen)
}

fn incomplete(hub: &Hub) -> Option<Finding> {
    let names: Vec<String> =
        hub.list().into_iter().filter(|entry| !entry.complete).map(|entry| entry.name).collect();
    (!names.is_empty()).then(|| {
        let seen = format!("not whole: {}", names.join(", "));
        Finding::new("models", Verdict::Note, seen).remedy(
            "`scaffold pull NAME` fetches the rest; what is meant to be only a part needs nothing",
        )
    })
}

fn left_over(hub: &Hub) -> Option<Finding> {
    match hub.prune(true) {
        Ok(pruned) if pruned.freed == 0 && pruned.busy.is_empty() => None,
        Ok(pruned) => {
            let mut seen = format!(
                "{} in unfinished downloads ({}), old snapshots ({}) and contents that nothing leads to ({})",
                bytes_text(pruned.freed),
                pruned.unfinished.len(),
                pruned.snapshots.len(),
                pruned.blobs.len()
            );
            if !pruned.busy.is_empty() {
                seen = format!("{seen}; being downloaded now: {}", pruned.busy.join(", "));
            }
            Some(
                Finding::new("left over", Verdict::Note, seen)
                    .remedy("`scaffold cache prune` removes it"),
            )
        }
        Err(error) => Some(
            Finding::new("left over", Verdict::Warning, error.to_string())
                .remedy("check the cache's rights"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_tried_and_not_left_with_anything_in_it() {
        let place = tempfile::tempdir().unwrap();
        let good = directory("cache", place.path());
        assert_eq!(good.verdict, Verdict::Good);
        let later = directory("cache", &place.path().join("a/b"));
        assert!(later.seen.contains("first download"), "{later:?}");
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_in_the_way_is_a_problem_with_a_remedy() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("hub");
        fs::write(&file, "").unwrap();
        let bad = directory("cache", &file.join("models"));
        assert_eq!(bad.verdict, Verdict::Bad);
        assert!(bad.remedies[0].to_string().contains("HF_HUB_CACHE"));
    }
}
