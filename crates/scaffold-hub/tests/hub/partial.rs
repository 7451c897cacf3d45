//! Caches that another program filled: in part, or without links.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::{Heard, World, model};
use scaffold_hub::{Event, Hub, HubConfig, Silent, Source};
use scaffold_testing::hub::{FakeRepo, git_sha1, sha256};

/// What Python leaves of these files: with links to blobs, or without.
fn snapshot(config: &HubConfig, repo: &FakeRepo, files: &[&str], links: bool) -> PathBuf {
    let dir = config.cache_dir.join(format!("models--{}", repo.id.replace('/', "--")));
    let root = dir.join("snapshots").join(&repo.commit);
    fs::create_dir_all(dir.join("refs")).unwrap();
    fs::create_dir_all(dir.join("blobs")).unwrap();
    fs::write(dir.join("refs/main"), &repo.commit).unwrap();
    for file in repo.files.iter().filter(|f| files.contains(&f.path.as_str())) {
        let pointer = root.join(&file.path);
        fs::create_dir_all(pointer.parent().unwrap()).unwrap();
        let hash = if file.large { sha256(&file.bytes) } else { git_sha1(&file.bytes) };
        let blob = dir.join("blobs").join(hash);
        if links {
            fs::write(&blob, &file.bytes).unwrap();
            let ups = "../".repeat(2 + file.path.matches('/').count());
            let name = blob.file_name().unwrap().to_str().unwrap();
            std::os::unix::fs::symlink(format!("{ups}blobs/{name}"), &pointer).unwrap();
        } else {
            fs::write(&pointer, &file.bytes).unwrap();
        }
    }
    root
}

const USUAL: [&str; 4] = ["README.md", "config.json", "tokenizer.json", "model.safetensors"];

fn resolve(hub: &Hub) -> (scaffold_hub::LocalModel, Heard) {
    let mut heard = Heard::default();
    let model = hub.resolve(&hub.name("org/model").unwrap(), &mut heard).unwrap();
    (model, heard)
}

#[test]
fn what_a_snapshot_lacks_is_fetched_once_and_at_its_own_commit() {
    for extra in [
        "chat_template.jinja",
        "additional_chat_templates/tool_use.jinja",
        "modules.json",
        "1_Pooling/config.json",
        "generation_config.json",
        "cl100k.tiktoken",
    ] {
        for links in [true, false] {
            let world = World::new();
            let old = model("org/model", 1000).file(extra, "{}");
            world.hub.add(old.clone());
            let root = snapshot(&world.config(), &old, &USUAL, links);
            let (found, _) = resolve(&world.client());
            assert_eq!(found.files.path(), root);
            assert_eq!(fs::read(root.join(extra)).unwrap(), b"{}", "{extra}");
            let asked = world.hub.requests().len();
            assert!(
                world.hub.requests_for("model.safetensors").is_empty(),
                "only what was lacking is fetched"
            );
            let (again, heard) = resolve(&world.client());
            assert_eq!((again.source, heard.events.len()), (Source::Cache, 0));
            assert_eq!(world.hub.requests().len(), asked, "asked twice");
        }
    }
}

#[test]
fn what_is_known_to_be_absent_is_not_asked_for() {
    let world = World::new();
    let repo = model("org/model", 1000);
    let root = snapshot(&world.config(), &repo, &USUAL, true);
    let absent = root.parent().unwrap().parent().unwrap();
    let absent = absent.join(".no_exist").join(&repo.commit);
    fs::create_dir_all(&absent).unwrap();
    let mut offline = world.config();
    offline.offline = true;
    let lacking = |config: &HubConfig| {
        let (_, heard) = resolve(&Hub::new(config.clone()));
        let notice = heard.events.into_iter().find_map(|event| match event {
            Event::Notice(notice) => Some(notice.to_string()),
            _ => None,
        });
        notice.unwrap_or_default()
    };
    // Offline it is said.
    let text = lacking(&offline);
    assert!(text.contains("may lack") && text.contains("chat_template.jinja"), "{text}");
    // Where the Hub does not answer, too, and the model is used as it is.
    world.hub.add(FakeRepo::new("org/other"));
    let text = lacking(&world.config());
    assert!(text.contains("may lack"), "{text}");
    for name in [
        "chat_template.jinja",
        "chat_template.json",
        "generation_config.json",
        "tokenizer_config.json",
        "tokenizer.model",
        "special_tokens_map.json",
        "added_tokens.json",
        "vocab.json",
        "vocab.txt",
        "merges.txt",
        "spiece.model",
        "sentencepiece.bpe.model",
        "tekken.json",
        "modules.json",
        "sentence_bert_config.json",
        "config_sentence_transformers.json",
        "preprocessor_config.json",
    ] {
        fs::write(absent.join(name), "").unwrap();
    }
    world.hub.forget_requests();
    assert_eq!(lacking(&offline), "");
    assert_eq!(lacking(&world.config()), "");
    assert!(world.hub.requests().is_empty());
}

#[test]
fn files_without_links_are_used_as_they_lie() {
    let world = World::new();
    let repo = model("org/model", 5000);
    world.hub.add(repo.clone());
    let root = snapshot(&world.config(), &repo, &USUAL, false);
    let hub = world.client();
    let name = hub.name("org/model").unwrap();
    let mut heard = Heard::default();
    hub.pull(&name, &mut heard).unwrap();
    assert_eq!(heard.bytes(), 0);
    assert!(world.hub.requests_for("/resolve/").is_empty());
    let verified = hub.verify(None, &mut Silent).unwrap();
    assert_eq!((verified.files, verified.damaged.len()), (4, 0));
    assert!(verified.unverified.is_empty());
    assert_eq!(hub.prune(true).unwrap().freed, 0);
    assert!(is_plain(&root.join("model.safetensors")));
}

fn is_plain(path: &Path) -> bool {
    fs::symlink_metadata(path).unwrap().is_file()
}

#[test]
fn damage_in_files_without_links_is_seen_and_mended() {
    for damaged in ["model.safetensors", "config.json"] {
        for cut in [true, false] {
            let world = World::new();
            let repo = model("org/model", 5000);
            world.hub.add(repo.clone());
            let root = snapshot(&world.config(), &repo, &USUAL, false);
            let path = root.join(damaged);
            let good = fs::read(&path).unwrap();
            let mut bad = good.clone();
            bad[3] ^= 1;
            if cut {
                bad.truncate(4);
            }
            fs::write(&path, &bad).unwrap();
            let hub = world.client();
            let verified = hub.verify(None, &mut Silent).unwrap();
            assert_eq!(verified.damaged.len(), 1, "{verified:?}");
            assert_eq!(verified.damaged[0].path, path);
            let mut heard = Heard::default();
            hub.pull(&hub.name("org/model").unwrap(), &mut heard).unwrap();
            assert_eq!(heard.bytes(), good.len() as u64);
            assert_eq!(fs::read(&path).unwrap(), good);
            assert!(is_plain(&path), "a link among files that are none");
            assert!(hub.verify(None, &mut Silent).unwrap().damaged.is_empty());
        }
    }
}

#[test]
fn what_cannot_be_verified_is_not_called_sound() {
    let world = World::new();
    let repo = model("org/model", 500);
    let root = snapshot(&world.config(), &repo, &USUAL, false);
    let mut config = world.config();
    config.offline = true;
    let verified = Hub::new(config).verify(None, &mut Silent).unwrap();
    assert_eq!((verified.files, verified.damaged.len()), (0, 0));
    assert_eq!(verified.unverified.len(), 4);
    assert!(verified.unverified.contains(&root.join("model.safetensors")));
}

#[test]
fn files_of_the_same_contents_are_all_placed_where_there_are_no_links() {
    let world = World::new();
    world.hub.add(
        model("org/model", 500)
            .file("special_tokens_map.json", "{}")
            .file("added_tokens.json", "{}"),
    );
    let mut config = world.config();
    config.symlinks = false;
    let hub = Hub::new(config);
    let found = hub.pull(&hub.name("org/model").unwrap(), &mut Silent).unwrap();
    for file in ["special_tokens_map.json", "added_tokens.json"] {
        assert_eq!(fs::read(found.files.path().join(file)).unwrap(), b"{}");
    }
}
