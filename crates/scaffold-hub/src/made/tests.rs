use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use super::*;
use crate::config::HubConfig;
use crate::digest::{self, Digest};
use crate::hub::Hub;
use crate::local::ModelFiles;
use crate::name::{MadeName, ModelName};

fn name(text: &str) -> MadeName {
    text.parse().unwrap()
}

fn store(dir: &tempfile::TempDir) -> MadeStore {
    MadeStore::new(dir.path().join("models"))
}

fn bring(store: &MadeStore, contents: &[u8]) -> String {
    let digest = Digest::Sha256(digest::hex(&Sha256::digest(contents)));
    let mut upload = store.take_blob(&digest, 1 << 20, None).unwrap();
    contents.chunks(3).for_each(|piece| upload.write(piece).unwrap());
    upload.finish().unwrap();
    digest.to_string()
}

fn of_files(name_text: &str, files: &[(&str, &str)]) -> MadeModel {
    let files = files.iter().map(|(name, digest)| ((*name).to_owned(), (*digest).to_owned()));
    MadeModel::new(name(name_text), Base::Files(files.collect::<BTreeMap<_, _>>()))
}

fn of(name_text: &str, from: &str) -> MadeModel {
    MadeModel::new(name(name_text), Base::From(from.to_owned()))
}

/// All files below a directory but the lock.
fn files(dir: &Path) -> Vec<String> {
    let mut found: Vec<String> = crate::cache::files_below(dir);
    found.retain(|file| file != "lock");
    found.sort();
    found
}

#[test]
fn names_are_ollamas_and_lead_nowhere() {
    for (text, wanted) in [
        ("mario", "mario:latest"),
        (" Mario:V1 ", "Mario:V1"),
        ("a_b-c.d:1.5-q4_0", "a_b-c.d:1.5-q4_0"),
        ("_x:latest", "_x:latest"),
    ] {
        assert_eq!(name(text).to_string(), wanted, "{text}");
    }
    assert_eq!(name("mario"), name("MARIO:Latest"));
    let long = "x".repeat(81);
    for (text, words) in [
        ("", "is empty"),
        ("a:", "is empty"),
        (":a", "is empty"),
        ("org/name", "has a `/`"),
        ("a:b/c", "has a `/`"),
        ("..", "begins with"),
        (".a", "begins with"),
        ("-a", "begins with"),
        ("a.", "ends with `.`"),
        ("a:b:c", "contains ':'"),
        ("a\\b", "contains"),
        ("a b", "contains ' '"),
        ("é", "contains"),
        (&long, "longer than 80"),
        ("con", "a device"),
        ("Aux.x", "a device"),
        ("a:nul", "a device"),
        ("a:lpt9.txt", "a device"),
        ("ollama:x", "Ollama's store"),
        ("hf.co", "own address"),
        ("x.GGUF", "files of weights"),
    ] {
        let error = MadeName::parse(text).unwrap_err().to_string();
        assert!(error.contains(words), "{text}: {error}");
    }
    assert!(MadeName::parse("console").is_ok() && MadeName::parse("com10").is_ok());
}

#[test]
fn models_are_kept_listed_copied_and_removed() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir);
    assert!(store.list().0.is_empty() && store.list().1.is_empty());
    let mut mario = of("Mario", "hf.co/org/name");
    mario.system = Some("Be Mario.".to_owned());
    mario.messages = vec![MadeMessage { role: "user".into(), content: "a\n\"b\"".into() }];
    mario.parameters.insert("temperature".into(), 0.7.into());
    let kept = store.put(mario.clone()).unwrap();
    assert!(kept.created > 1_600_000_000 && kept.created == kept.modified);
    assert_eq!(store.get(&name("mario")).unwrap(), Some(kept.clone()));
    assert_eq!(kept.name.to_string(), "Mario:latest");
    assert_eq!(store.get(&name("mario:v1")).unwrap(), None);
    let copied = store.copy(&name("mario"), name("mario:v1")).unwrap();
    assert_eq!(copied.system, mario.system);
    let names: Vec<String> = store.list().0.iter().map(|m| m.name.to_string()).collect();
    assert_eq!(names, ["Mario:latest", "mario:v1"]);
    store.put(of("mario", "hf.co/org/other")).unwrap();
    assert_eq!(store.get(&name("mario:v1")).unwrap().unwrap(), copied);
    store.remove(&name("mario"), true).unwrap();
    assert!(store.has(&name("mario")));
    store.remove(&name("mario"), false).unwrap();
    store.remove(&name("mario:v1"), false).unwrap();
    assert_eq!(files(store.dir()), [""; 0]);
    let error = store.remove(&name("mario"), false).unwrap_err();
    assert_eq!(error.kind(), scaffold_error::Kind::NotFound);
    assert!(store.copy(&name("mario"), name("x")).is_err());
}

#[test]
fn what_is_damaged_or_foreign_is_told_and_hides_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir);
    store.put(of("good", "hf.co/org/name")).unwrap();
    for (tag, text, words) in [
        ("cut", "{\"version\": 1, \"na", "no model's"),
        ("newer", "{\"version\": 2}", "version 2"),
        (
            "more",
            "{\"version\":1,\"name\":\"bad:more\",\"from\":\"a\",\"x\":1,\"created\":0,\"modified\":0}",
            "`x`",
        ),
        ("none", "{\"version\":1,\"name\":\"bad:none\",\"created\":0,\"modified\":0}", "neither"),
        (
            "climbs",
            "{\"version\":1,\"name\":\"bad:climbs\",\"files\":{\"../x\":\"sha256:00\"},\"created\":0,\"modified\":0}",
            "../x",
        ),
        (
            "moved",
            "{\"version\":1,\"name\":\"good:latest\",\"from\":\"a\",\"created\":0,\"modified\":0}",
            "another name",
        ),
    ] {
        let path = store.path(&name(&format!("bad:{tag}")));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        let error = store.get(&name(&format!("bad:{tag}"))).unwrap_err().to_string();
        assert!(error.contains(words), "{tag}: {error}");
    }
    fs::write(store.dir().join("names/bad/notes.txt"), "mine").unwrap();
    let (models, faults) = store.list();
    assert_eq!((models.len(), faults.len()), (1, 6));
    // What may refer to a file keeps it, and a file that cannot be read can go all the same.
    store.clean_locked(Duration::ZERO);
    for tag in ["cut", "newer", "more", "none", "climbs", "moved"] {
        store.remove(&name(&format!("bad:{tag}")), false).unwrap();
    }
    assert!(store.list().1.is_empty());
}

#[test]
fn files_go_when_nobody_refers_to_them() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir);
    let (a, b) = (bring(&store, b"GGUF and more"), bring(&store, b"{}"));
    let error = store.put(of_files("x", &[("a", &format!("sha256:{}", "0".repeat(64)))]));
    assert!(error.unwrap_err().to_string().contains("not here"));
    let both = [("sub/a.bin", a.as_str()), ("config.json", b.as_str())];
    store.put(of_files("both", &both)).unwrap();
    store.put(of_files("same", &both)).unwrap();
    let alone = store.put(of_files("alone", &[("a", &a)])).unwrap();
    // A file of weights under any name is known as one.
    let look = |path: &Path| Ok(ModelFiles::Directory(path.to_owned()));
    let tree = store.files(&alone, look).unwrap().unwrap();
    assert_eq!(files(tree.path()), ["model.gguf"]);
    assert_eq!(store.bytes(&alone), 13);
    let blobs = |store: &MadeStore| files(&store.dir().join("blobs")).len();
    let trees = |store: &MadeStore| fs::read_dir(store.dir().join("files")).unwrap().count();
    assert_eq!((blobs(&store), trees(&store)), (2, 2));
    let (_, freed, kept) = store.remove(&name("both"), false).unwrap();
    assert!(freed < 1000 && kept == 15, "{freed} {kept}");
    assert_eq!((blobs(&store), trees(&store)), (2, 2));
    store.remove(&name("same"), false).unwrap();
    assert_eq!((blobs(&store), trees(&store)), (1, 1));
    store.remove(&name("alone"), false).unwrap();
    assert_eq!((blobs(&store), trees(&store)), (0, 0));
}

#[test]
fn what_nobody_wants_goes_after_a_day() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir);
    let digest = record_digest(&bring(&store, b"one"));
    let blob = store.dir().join("blobs").join(format!("sha256-{}", digest.hex()));
    let unfinished = store.dir().join("blobs/.sha256-00.0123456789abcdef.incomplete");
    fs::write(&unfinished, "x").unwrap();
    store.clean().unwrap();
    assert!(blob.is_file() && unfinished.is_file());
    let old = SystemTime::now() - Duration::from_hours(25);
    let age = |path: &Path| {
        let times = fs::FileTimes::new().set_modified(old);
        fs::File::options().write(true).open(path).unwrap().set_times(times).unwrap();
    };
    age(&unfinished);
    age(&blob);
    // Somebody asks for it, and is to find it when the model is made.
    assert!(store.has_blob(&digest));
    store.clean().unwrap();
    assert!(blob.is_file() && !unfinished.exists());
    age(&blob);
    store.clean().unwrap();
    assert!(!blob.exists() && !store.has_blob(&digest));
}

fn record_digest(text: &str) -> Digest {
    record::blob(text).unwrap()
}

#[test]
fn a_file_that_is_another_one_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir);
    let digest = Digest::parse(&"0".repeat(64)).unwrap();
    let mut upload = store.take_blob(&digest, 10, Some(3)).unwrap();
    upload.write(b"abc").unwrap();
    let error = upload.finish().unwrap_err().to_string();
    assert!(error.contains("digest mismatch"), "{error}");
    let mut upload = store.take_blob(&digest, 10, None).unwrap();
    upload.write(b"0123456789").unwrap();
    assert_eq!(upload.write(b"x").unwrap_err().kind(), scaffold_error::Kind::TooLarge);
    drop(upload);
    assert!(store.take_blob(&digest, 10, Some(11)).is_err());
    let error = store.take_blob(&digest, u64::MAX, Some(u64::MAX / 2));
    assert!(error.is_err() || cfg!(not(unix)));
    assert_eq!(files(store.dir()), [""; 0]);
}

#[test]
fn two_processes_change_one_store() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir);
    let digest = bring(&store, b"GGUF");
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (store, digest) = (&store, &digest);
            scope.spawn(move || {
                for round in 0..5 {
                    let own = format!("m{thread}");
                    store.put(of_files(&own, &[("a.gguf", digest)])).unwrap();
                    store.copy(&name(&own), name(&format!("shared:{round}"))).unwrap();
                    assert!(store.get(&name(&own)).unwrap().is_some());
                    if round % 2 == 0 {
                        store.remove(&name(&own), false).unwrap();
                    }
                }
            });
        }
    });
    let (models, faults) = store.list();
    assert_eq!((models.len(), faults.len()), (5, 0));
}

#[test]
fn a_name_of_ones_own_goes_before_aliases_and_says_what_it_is_made_from() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = HubConfig::new(dir.path());
    config.offline = true;
    config.aliases = vec![("mario".to_owned(), "org/alias".to_owned())];
    let hub = Hub::new(config);
    assert_eq!(hub.name("mario").unwrap().to_string(), "org/alias");
    let model = dir.path().join("tiny");
    fs::create_dir_all(&model).unwrap();
    fs::write(model.join("config.json"), "{}").unwrap();
    let path = model.display().to_string();
    let made = hub.made().unwrap().put(of("mario", &path)).unwrap();
    assert_eq!(hub.name("MARIO:latest").unwrap(), ModelName::Made(name("mario")));
    let local = hub.cached(&hub.name("mario").unwrap()).unwrap().unwrap();
    assert_eq!((local.name.as_str(), local.called()), (path.as_str(), "mario:latest".to_owned()));
    assert_eq!(local.made.as_deref(), Some(&made));
    let listed = hub.list();
    assert_eq!((listed[0].name.as_str(), listed[0].complete), ("mario:latest", true));
    assert_eq!(listed[0].from.as_deref(), Some(path.as_str()));
    hub.remove(&hub.name("mario").unwrap(), false).unwrap();
    assert!(model.join("config.json").is_file());
    assert_eq!(hub.name("mario").unwrap().to_string(), "org/alias");
}

#[test]
fn names_in_full_mean_the_same_everywhere() {
    for text in [
        "gpt2",
        "org/name",
        "org/name@v1:Q8_0",
        "org/name@refs/pr/1",
        "org/n/q/x.gguf",
        "ollama:x",
        "/a/b",
    ] {
        let name = ModelName::parse(text).unwrap();
        let full = name.in_full();
        assert_eq!(ModelName::parse(&full).unwrap(), name, "{full}");
        assert!(MadeName::parse(&full).is_err(), "{full}");
    }
}

proptest! {
    #[test]
    fn no_text_is_a_name_that_leads_out(text in "[a-zA-Z0-9./:_\\\\ -]{0,20}") {
        if let Ok(name) = MadeName::parse(&text) {
            let store = MadeStore::new("/root");
            let path = store.path(&name);
            let below = path.strip_prefix("/root/names").unwrap();
            prop_assert_eq!(below.components().count(), 2);
            prop_assert!(below.components().all(|c| matches!(c, std::path::Component::Normal(_))));
            prop_assert_eq!(MadeName::parse(&name.to_string()).unwrap(), name);
        }
    }

    #[test]
    fn models_are_read_as_they_were_written(
        system in proptest::option::of(".{0,30}"), text in ".{0,30}", key in "[a-z_]{1,8}",
    ) {
        let mut model = of("a:b", "hf.co/org/name");
        model.system = system;
        model.licences = vec![text.clone()];
        model.parameters.insert(key, text.clone().into());
        model.messages = vec![MadeMessage { role: "user".into(), content: text }];
        let bytes = model.to_bytes().unwrap();
        prop_assert_eq!(record::parse(&bytes).unwrap(), model);
    }

    #[test]
    fn names_of_files_stay_below_their_model(path in "[a./\\\\:]{0,12}") {
        let digest = format!("sha256:{}", "0".repeat(64));
        if of_files("x", &[(&path, &digest)]).base.check().is_ok() {
            let joined = Path::new("/root").join(&path);
            prop_assert!(joined.components().all(|c| !matches!(c, std::path::Component::ParentDir)));
            prop_assert!(joined.starts_with("/root"));
        }
    }
}
