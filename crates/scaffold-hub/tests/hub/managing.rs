//! Listing, removing, verifying and tidying up.

use std::fs;

use scaffold_hub::{Format, Kind, ModelName, Place, Silent};
use scaffold_testing::hub::{FakeRepo, Fault};

use crate::common::{World, assert_only_whole_files, model, noise, walk};

fn name(world: &World, text: &str) -> ModelName {
    world.client().name(text).unwrap()
}

/// Bytes that the cache really takes.
fn disk_bytes(world: &World) -> u64 {
    walk(&world.cache())
        .iter()
        // Notes of what commits consist of are no contents.
        .filter(|p| !p.to_string_lossy().contains("/listings/"))
        .filter_map(|p| fs::symlink_metadata(p).ok())
        .filter(fs::Metadata::is_file)
        .map(|m| m.len())
        .sum()
}

/// Two commits that share their weights, and another model.
fn furnished() -> (World, u64) {
    let (world, repo) = World::with_model(5000);
    let hub = world.client();
    world.pull(&hub, "org/model").unwrap();
    world.hub.add(repo.file("config.json", r#"{"model_type": "llama", "v": 2}"#));
    world.pull(&hub, "org/model").unwrap();
    world.hub.add(
        FakeRepo::new("org/gguf")
            .large_file("m-Q4_0.gguf", noise(300))
            .large_file("m-Q8_0.gguf", noise(500)),
    );
    world.pull(&hub, "org/gguf:Q4_0").unwrap();
    world.pull(&hub, "org/gguf:Q8_0").unwrap();
    let bytes = disk_bytes(&world);
    (world, bytes)
}

#[test]
fn a_list_of_everything() {
    let (world, _) = furnished();
    let entries = world.client().list();
    let shown: Vec<_> = entries
        .iter()
        .map(|e| (e.name.split('@').next().unwrap().to_owned(), e.place, e.format, e.complete))
        .collect();
    assert_eq!(shown.len(), 3, "{shown:?}");
    assert!(shown.contains(&("org/gguf".into(), Place::Cache, Format::Gguf, true)));
    let gguf = entries.iter().find(|e| e.name == "org/gguf").unwrap();
    assert_eq!(
        (gguf.bytes, gguf.quantizations.as_slice()),
        (800, &["Q4_0".to_owned(), "Q8_0".to_owned()][..])
    );
    let main = entries.iter().find(|e| e.name == "org/model").unwrap();
    assert!(main.bytes > 5000 && main.refs == ["main"]);
    let old = entries.iter().find(|e| e.name.starts_with("org/model@")).unwrap();
    assert!(old.bytes < 100, "the weights are counted once, at main: {}", old.bytes);
}

#[test]
fn removing_frees_what_it_says_and_nothing_else() {
    let (world, before) = furnished();
    let hub = world.client();
    let remove = |text: &str| {
        let planned = hub.remove(&name(&world, text), true).unwrap();
        let done = hub.remove(&name(&world, text), false).unwrap();
        assert_eq!(planned, done, "a dry run says the same");
        assert_only_whole_files(&world.cache());
        done
    };
    let one = remove("org/gguf:Q8_0");
    assert_eq!(one.freed, 500);
    assert!(hub.cached(&name(&world, "org/gguf:Q4_0")).unwrap().is_some());
    let old = hub.list().into_iter().find(|e| e.name.starts_with("org/model@")).unwrap().name;
    let revision = remove(&old);
    assert!(revision.freed < 100 && revision.kept > 5000, "{revision:?}");
    assert!(
        hub.cached(&name(&world, "org/model")).unwrap().is_some(),
        "main lost its shared weights"
    );
    let all = remove("org/model");
    assert!(all.freed > 5000 && all.kept == 0);
    remove("org/gguf");
    assert_eq!(one.freed + revision.freed + all.freed + 300, before - bookkeeping());
    assert!(hub.list().is_empty());
    let left: Vec<_> = fs::read_dir(world.cache())
        .unwrap()
        .flatten()
        .map(|e| e.file_name().into_string().unwrap())
        .collect();
    assert!(left.iter().all(|n| n == ".locks" || n == "CACHEDIR.TAG"), "{left:?}");
    let error = hub.remove(&name(&world, "org/model"), false).unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound, "{error}");
}

/// Refs and the tag file; they are no model's bytes.
fn bookkeeping() -> u64 {
    let (world, _) = World::with_model(1);
    world.pull(&world.client(), "org/model").unwrap();
    let tag = fs::metadata(world.cache().join("CACHEDIR.TAG")).unwrap().len();
    tag + 2 * 40
}

#[test]
fn what_is_not_ours_is_not_removed() {
    let world = World::new();
    let own = world.home.path().join("mine");
    fs::create_dir_all(&own).unwrap();
    fs::write(own.join("config.json"), "{}").unwrap();
    let error = world.client().remove(&ModelName::Local(own.clone()), false).unwrap_err();
    assert!(error.to_string().contains("is not Scaffold's to remove"), "{error}");
    assert!(own.join("config.json").exists());
}

#[test]
fn damage_is_found_and_named() {
    let (world, _) = furnished();
    let hub = world.client();
    let sound = hub.verify(None, &mut Silent).unwrap();
    assert_eq!((sound.files, sound.damaged.len()), (7, 0), "{sound:?}");
    let weights = hub
        .cached(&name(&world, "org/model"))
        .unwrap()
        .unwrap()
        .files
        .path()
        .join("model.safetensors");
    let blob = fs::canonicalize(weights).unwrap();
    let mut bytes = fs::read(&blob).unwrap();
    bytes[77] ^= 1;
    fs::write(&blob, bytes).unwrap();
    let damaged = hub.verify(Some("org/model"), &mut Silent).unwrap().damaged;
    assert_eq!(damaged.len(), 1);
    assert_eq!((damaged[0].model.as_str(), &damaged[0].path), ("org/model", &blob));
    fs::remove_file(&blob).unwrap();
    let damaged = hub.verify(None, &mut Silent).unwrap().damaged;
    assert!(
        damaged.iter().all(|d| d.problem.contains("not there")) && damaged.len() == 2,
        "{damaged:?}"
    );
    // What is missing is fetched again.
    assert!(hub.cached(&name(&world, "org/model")).unwrap().is_none());
    world.pull(&hub, "org/model").unwrap();
    assert!(hub.verify(None, &mut Silent).unwrap().damaged.is_empty());
}

#[test]
fn tidying_up_removes_what_nothing_leads_to() {
    let (world, _) = furnished();
    let hub = world.client();
    world.hub.add(model("org/broken", 4000));
    world.hub.spoil("/objects/", 99, Fault::Cut(1500));
    let mut config = world.config();
    config.retry.attempts = 1;
    scaffold_hub::Hub::new(config).pull(&name(&world, "org/broken"), &mut Silent).unwrap_err();
    let planned = hub.prune(true).unwrap();
    let before = disk_bytes(&world);
    let done = hub.prune(false).unwrap();
    assert_eq!(planned, done);
    assert_eq!(before - disk_bytes(&world), done.freed);
    assert_eq!(done.snapshots.len(), 1, "{done:?}");
    assert!(done.unfinished.iter().any(|p| p.to_string_lossy().contains("org--broken")));
    assert!(!done.blobs.is_empty() && done.busy.is_empty());
    assert_only_whole_files(&world.cache());
    for kept in ["org/model", "org/gguf:Q4_0"] {
        assert!(hub.cached(&name(&world, kept)).unwrap().is_some(), "{kept} was in use");
    }
    assert_eq!(hub.prune(false).unwrap().freed, 0);
}
