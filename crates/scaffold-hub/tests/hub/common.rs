//! Shared by the tests that run against the fake Hub.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use scaffold_hub::{Error, Event, Hub, HubConfig, LocalModel, Progress, Retry, Timeouts};
use scaffold_testing::hub::{FakeHub, FakeRepo, git_sha1, sha256};

/// A token that looks real. One test greps all outputs for it.
pub(crate) const TOKEN: &str = "hf_TeStToKeNnEvErToBeSeEnAnYwHeRe00000";

/// A fake Hub, an empty home, and a configuration that knows both.
pub(crate) struct World {
    pub(crate) hub: FakeHub,
    pub(crate) home: tempfile::TempDir,
}

impl World {
    pub(crate) fn new() -> World {
        World { hub: FakeHub::start(), home: tempfile::tempdir().expect("a temporary directory") }
    }

    /// A world whose Hub has `org/model`: small files, and weights of `size` bytes.
    pub(crate) fn with_model(size: usize) -> (World, FakeRepo) {
        let world = World::new();
        let repo = model("org/model", size);
        world.hub.add(repo.clone());
        (world, repo)
    }

    /// Quick to retry and to give up.
    pub(crate) fn config(&self) -> HubConfig {
        let mut config = HubConfig::new(self.home.path());
        config.endpoint = self.hub.url().into();
        config.timeouts = Timeouts {
            connect: Duration::from_secs(2),
            connect_with_fallback: Duration::from_millis(500),
            answer: Duration::from_millis(600),
            stall: Duration::from_millis(400),
        };
        config.retry = Retry {
            attempts: 3,
            first_delay: Duration::from_millis(10),
            longest_delay: Duration::from_millis(20),
            longest_retry_after: Duration::from_secs(3),
        };
        config.range_threshold = 256 * 1024;
        config.pip.config_files.clear();
        config.ollama_dirs = vec![self.home.path().join("ollama")];
        config
    }

    pub(crate) fn client(&self) -> Hub {
        Hub::new(self.config())
    }

    /// A client with this token.
    pub(crate) fn signed_in(&self, token: &str) -> Hub {
        Hub::new(self.config().with_token(token).expect("a well-formed token"))
    }

    /// Pulls by name; whatever comes of it is printed, too.
    pub(crate) fn pull(&self, hub: &Hub, name: &str) -> Result<LocalModel, Error> {
        let pulled = hub.name(name).and_then(|name| hub.pull(&name, &mut Heard::default()));
        match &pulled {
            Ok(model) => eprintln!("from {}: {model:?}", self.hub.url()),
            Err(error) => eprintln!("{error}\n{error:?}"),
        }
        pulled
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.config().cache_dir
    }
}

/// A small model with weights that no two positions of are alike.
pub(crate) fn model(id: &str, size: usize) -> FakeRepo {
    FakeRepo::new(id)
        .file("README.md", "---\nlicense: apache-2.0\n---\n")
        .file("config.json", r#"{"model_type": "llama"}"#)
        .file("tokenizer.json", r#"{"version": "1.0"}"#)
        .file("pytorch_model.bin", "not wanted")
        .large_file("model.safetensors", noise(size))
}

/// Bytes that look random and are the same every time.
pub(crate) fn noise(size: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64 ^ size as u64;
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}

/// Every event of a call. Printed, so that the test that looks for tokens in all output has
/// something to look at.
#[derive(Default)]
pub(crate) struct Heard {
    pub(crate) events: Vec<Event>,
}

impl Progress for Heard {
    fn event(&mut self, event: &Event) {
        eprintln!("{event:?}");
        self.events.push(event.clone());
    }
}

impl Heard {
    pub(crate) fn text(&self) -> String {
        format!("{:#?}", self.events)
    }

    /// Bytes that arrived in this call.
    pub(crate) fn bytes(&self) -> u64 {
        self.events
            .iter()
            .map(|e| if let Event::Bytes { count, .. } = e { *count } else { 0 })
            .sum()
    }

    /// Bytes kept from an earlier run.
    pub(crate) fn resumed(&self) -> u64 {
        self.events
            .iter()
            .map(|e| if let Event::Started { resumed, .. } = e { *resumed } else { 0 })
            .sum()
    }
}

/// Fails unless every file with a final name in the cache is whole: blobs match their names, links
/// lead to blobs.
pub(crate) fn assert_only_whole_files(cache: &Path) {
    for path in walk(cache) {
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("").to_owned();
        let shown = path.display();
        if name.ends_with(".incomplete") || name == "CACHEDIR.TAG" || is_lock(&path) {
            continue;
        }
        let kind = path
            .strip_prefix(cache)
            .ok()
            .and_then(|p| p.components().nth(1))
            .map(|c| c.as_os_str().to_owned());
        let contents =
            fs::read(&path).unwrap_or_else(|e| panic!("{shown} is a link to nothing: {e}"));
        match kind.as_deref().and_then(|k| k.to_str()) {
            Some("blobs") => {
                let hash = if name.len() == 64 { sha256(&contents) } else { git_sha1(&contents) };
                assert_eq!(hash, name, "{shown} is not what its name says");
            }
            Some("snapshots") => {
                let blob = fs::canonicalize(&path).expect("a link that leads somewhere");
                let hash = blob.file_name().and_then(|n| n.to_str()).unwrap_or("").to_owned();
                assert!(
                    hash == sha256(&contents) || hash == git_sha1(&contents),
                    "{shown} is no link to its blob"
                );
            }
            Some("listings") => assert!(contents.starts_with(b"{"), "{shown} is no listing"),
            Some("refs") => assert_eq!(contents.len(), 40, "{shown} is no commit"),
            other => panic!("{shown} does not belong into a cache ({other:?})"),
        }
    }
}

pub(crate) fn is_lock(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "lock")
}

/// All files below `dir`, links not followed.
pub(crate) fn walk(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut pending = vec![dir.to_owned()];
    while let Some(dir) = pending.pop() {
        let Ok(entries) = fs::read_dir(&dir) else {
            continue;
        };
        for entry in entries.flatten() {
            if entry.file_type().is_ok_and(|t| t.is_dir()) {
                pending.push(entry.path());
            } else {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    found
}
