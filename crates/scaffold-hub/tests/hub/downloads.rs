//! Downloads from a Hub that misbehaves in every way that one can think of.

use std::fs;
use std::time::{Duration, Instant};

use crate::common::{Heard, World, assert_only_whole_files, model, noise, walk};
use scaffold_hub::{Error, Event, Kind, LocalModel, ModelFiles, Progress, Remedy, Silent, Source};
use scaffold_testing::hub::{FakeRepo, Fault, Rule};

const SIZE: usize = 1_000_003;

fn pull(world: &World, name: &str, heard: &mut Heard) -> Result<LocalModel, Error> {
    let hub = world.client();
    hub.pull(&hub.name(name)?, heard)
}

fn assert_has(model: &LocalModel, repo: &FakeRepo) {
    let ModelFiles::Directory(dir) = &model.files else { panic!("{model:?}") };
    for file in repo.files.iter().filter(|f| f.path != "pytorch_model.bin") {
        assert_eq!(fs::read(dir.join(&file.path)).unwrap(), file.bytes, "{}", file.path);
    }
    assert!(!dir.join("pytorch_model.bin").exists(), "more was fetched than the model needs");
}

#[test]
fn a_model_comes_whole_and_only_what_it_needs() {
    let (world, repo) = World::with_model(SIZE);
    let mut heard = Heard::default();
    let model = pull(&world, "org/model", &mut heard).unwrap();
    assert_has(&model, &repo);
    assert_eq!(model.source, Source::Hub("127.0.0.1".into()));
    let wanted: u64 = repo
        .files
        .iter()
        .filter(|f| f.path != "pytorch_model.bin")
        .map(|f| f.bytes.len() as u64)
        .sum();
    assert_eq!(heard.bytes(), wanted);
    assert!(
        heard.events.contains(&Event::Planned { files: 4, bytes: wanted, present: 0 }),
        "{}",
        heard.text()
    );
    // The large file came in four ranges side by side.
    let ranges: Vec<_> = world
        .hub
        .requests_for("/objects/")
        .iter()
        .map(|r| r.header("range").unwrap().to_owned())
        .collect();
    assert_eq!(ranges.len(), 4, "{ranges:?}");
    assert_only_whole_files(&world.cache());
    assert!(!walk(&world.cache()).iter().any(|p| p.to_string_lossy().ends_with(".incomplete")));

    // The second time no request is made at all; after a pull, only the one for the commit.
    world.hub.forget_requests();
    let hub = world.client();
    let again = hub.resolve(&hub.name("org/model").unwrap(), &mut Silent).unwrap();
    assert_eq!((again.source, again.files), (Source::Cache, model.files));
    assert!(world.hub.requests().is_empty());
    pull(&world, "org/model", &mut Heard::default()).unwrap();
    assert_eq!(world.hub.requests().len(), 1);
}

/// Where a fault strikes.
enum At {
    Hub,
    Store,
    Everywhere,
}

/// Each of these passes after a while, and the download must come through.
#[test]
fn passing_trouble_is_overcome() {
    let wrong = || vec![("retry-after".to_owned(), "0".to_owned())];
    let table: Vec<(&str, At, u32, Fault)> = vec![
        ("cut mid-body", At::Store, 3, Fault::Cut(100_000)),
        ("cut at once", At::Store, 2, Fault::Cut(0)),
        ("cut everywhere", At::Everywhere, 6, Fault::Cut(7)),
        ("stall mid-body", At::Store, 1, Fault::Stall(100_000)),
        ("mute", At::Hub, 1, Fault::Mute),
        ("a longer length", At::Store, 2, Fault::Length(5)),
        ("a shorter length", At::Store, 2, Fault::Length(-5)),
        ("the wrong range", At::Store, 1, Fault::Range),
        ("no ranges", At::Store, 99, Fault::NoRanges),
        ("a flipped byte", At::Store, 1, Fault::Flip(1234)),
        ("a flipped byte in a small file", At::Hub, 1, Fault::Flip(3)),
        ("403 after a good start", At::Store, 2, Fault::Status(403, vec![])),
        ("429 with Retry-After", At::Hub, 2, Fault::Status(429, wrong())),
        ("500", At::Everywhere, 2, Fault::Status(500, vec![])),
        ("503 with Retry-After", At::Store, 2, Fault::Status(503, wrong())),
        ("another etag", At::Everywhere, 99, Fault::Etag("\"other\"".into())),
        ("an endless body", At::Store, 99, Fault::Endless),
        ("an endless small body", At::Hub, 99, Fault::Endless),
        ("no length", At::Everywhere, 99, Fault::NoLength),
        (
            "a login page in its place",
            At::Store,
            1,
            Fault::Body(b"<html>Please sign in</html>".to_vec()),
        ),
        ("a slow drip", At::Hub, 1, Fault::Drip(1, Duration::from_millis(1))),
    ];
    for (name, at, times, fault) in table {
        let (world, repo) = World::with_model(SIZE);
        let (path, store_only) = match at {
            At::Hub => ("/resolve/", false),
            At::Store => ("/objects/", true),
            At::Everywhere => ("/", false),
        };
        let path = if matches!(at, At::Everywhere) { "/org/model/resolve/" } else { path };
        world.hub.spoil_if(Rule {
            path: path.into(),
            head: false,
            store_only,
            times,
            fault: fault.clone(),
        });
        if matches!(at, At::Everywhere) {
            world.hub.spoil_if(Rule {
                path: "/objects/".into(),
                head: false,
                store_only: true,
                times,
                fault,
            });
        }
        let mut heard = Heard::default();
        let pulled = pull(&world, "org/model", &mut heard);
        assert_only_whole_files(&world.cache());
        let model = pulled.unwrap_or_else(|e| panic!("{name}: {e}\n{}", heard.text()));
        assert_has(&model, &repo);
    }
}

/// Each of these stays, and must end in an error that says what it is, with nothing half-done under
/// a final name.
#[test]
fn lasting_trouble_is_an_error_and_leaves_nothing_bad() {
    let table: Vec<(&str, &str, Fault, &str)> = vec![
        ("cut", "/objects/", Fault::Cut(0), "the connection"),
        ("stall", "/objects/", Fault::Stall(0), "stopped sending"),
        ("mute", "/objects/", Fault::Mute, "stopped sending"),
        ("longer", "/objects/", Fault::Length(9), "announced"),
        ("wrong range", "/objects/", Fault::Range, "another part"),
        ("flipped", "/objects/", Fault::Flip(5), "damaged or exchanged"),
        ("403 from the store", "/objects/", Fault::Status(403, vec![]), "status 403"),
        ("403 from the Hub", "/resolve/", Fault::Status(403, vec![]), "forbids access"),
        ("500", "/objects/", Fault::Status(500, vec![]), "status 500"),
        (
            "busy for long",
            "/resolve/",
            Fault::Status(429, vec![("retry-after".into(), "3600".into())]),
            "come back in 3600 s",
        ),
        (
            "login page",
            "/resolve/",
            Fault::Body(b"<html>Sign in</html>".to_vec()),
            "announced 20 bytes",
        ),
        ("redirects without end", "/resolve/", Fault::Redirect("?again".into()), "redirects"),
        ("description cut", "/api/models/", Fault::Cut(10), "not hold"),
        (
            "description garbled",
            "/api/models/",
            Fault::Body(b"<html>Sign in</html>".to_vec()),
            "login page",
        ),
    ];
    for (name, path, fault, want) in table {
        let (world, repo) = World::with_model(SIZE);
        world.hub.spoil_if(Rule {
            path: path.into(),
            head: false,
            store_only: path == "/objects/",
            times: 10_000,
            fault,
        });
        let mut heard = Heard::default();
        let error = pull(&world, "org/model", &mut heard).expect_err(name).to_string();
        assert!(error.contains(want), "{name}: {error}");
        assert_only_whole_files(&world.cache());
        let hub = world.client();
        assert!(
            hub.cached(&hub.name("org/model").unwrap()).unwrap().is_none(),
            "{name}: half a model is taken for a whole one"
        );
        // As soon as the trouble is over, the same call succeeds.
        world.hub.behave();
        assert_has(&pull(&world, "org/model", &mut Heard::default()).unwrap(), &repo);
        assert_only_whole_files(&world.cache());
    }
}

#[test]
fn the_next_run_goes_on_where_the_last_one_stopped() {
    for ranges in [1, 4] {
        let (world, repo) = World::with_model(SIZE);
        world.hub.spoil("/objects/", 1000, Fault::Cut(100_000));
        let mut config = world.config();
        config.parallel_ranges = ranges;
        config.retry.attempts = 1;
        let hub = scaffold_hub::Hub::new(config.clone());
        let name = hub.name("org/model").unwrap();
        hub.pull(&name, &mut Silent).unwrap_err();
        world.hub.behave();
        world.hub.forget_requests();
        let mut heard = Heard::default();
        assert_has(&hub.pull(&name, &mut heard).unwrap(), &repo);
        assert!(heard.resumed() >= 100_000, "{}", heard.text());
        let requests = world.hub.requests_for("/objects/");
        let resumed = requests
            .iter()
            .find(|r| r.header("if-range").is_some())
            .expect("a request with If-Range");
        assert!(
            resumed.header("if-range").unwrap().starts_with("\"s3-"),
            "the validator is that of the host that sends the bytes"
        );
        assert_only_whole_files(&world.cache());
    }
}

#[test]
fn a_file_that_changed_meanwhile_begins_again() {
    let (world, _) = World::with_model(SIZE);
    world.hub.spoil("/objects/", 1000, Fault::Cut(100_000));
    let mut config = world.config();
    config.retry.attempts = 1;
    let impatient = scaffold_hub::Hub::new(config);
    impatient.pull(&impatient.name("org/model").unwrap(), &mut Silent).unwrap_err();
    world.hub.behave();
    // The store's object has another tag now: If-Range makes it send the whole file.
    world.hub.spoil("/objects/", 1000, Fault::Etag("\"new\"".into()));
    let mut heard = Heard::default();
    pull(&world, "org/model", &mut heard).unwrap();
    assert!(heard.events.iter().any(|e| matches!(e, Event::Restarted { .. })), "{}", heard.text());
    assert_only_whole_files(&world.cache());
}

#[test]
fn names_from_the_server_never_leave_the_snapshot() {
    for evil in [
        "1_../../../../evil/config.json",
        "additional_chat_templates/..\\evil.jinja",
        "../model.gguf",
        "/tmp/evil.gguf",
        "a/../../b-Q4_0.gguf",
    ] {
        let world = World::new();
        world.hub.add(
            FakeRepo::new("org/model")
                .file(evil, "x")
                .file("config.json", "{}")
                .file("model.safetensors", "x"),
        );
        world.hub.add(FakeRepo::new("org/gguf").file(evil, "x"));
        for name in ["org/model", "org/gguf"] {
            // Either it is not wanted and ignored, or it is refused; it is never written.
            if let Err(error) = pull(&world, name, &mut Heard::default()) {
                let text = error.to_string();
                assert!(
                    text.contains("outside of its own directory") || text.contains("no weights"),
                    "{evil}: {text}"
                );
            }
            assert!(
                walk(world.home.path()).iter().all(|p| !p.to_string_lossy().contains("evil")),
                "{evil}"
            );
            assert_only_whole_files(&world.cache());
        }
        assert!(!std::path::Path::new("/tmp/evil.gguf").exists());
    }
}

#[test]
fn a_hostile_description_is_refused() {
    let (world, _) = World::with_model(10);
    let evil = |json: &str| Fault::Body(json.as_bytes().to_vec());
    for (body, want) in [
        (r#"{"id": "org/model", "sha": "../../../../x", "siblings": []}"#, "40 hexadecimal digits"),
        (r#"{"id": "org/model", "siblings": []}"#, "no `sha`"),
        ("[]", "no `id`"),
        ("", "not JSON"),
    ] {
        world.hub.behave();
        world.hub.spoil("/api/models/", 1, evil(body));
        let error = pull(&world, "org/model", &mut Heard::default()).unwrap_err().to_string();
        assert!(error.contains(want), "{error}");
    }
    let sha = "0123456789012345678901234567890123456789";
    let no_hash = format!(
        r#"{{"id": "org/model", "sha": "{sha}", "siblings": [{{"rfilename": "model.safetensors", "size": 10}}]}}"#
    );
    world.hub.spoil("/api/models/", 1, evil(&no_hash));
    let error = pull(&world, "org/model", &mut Heard::default()).unwrap_err().to_string();
    assert!(error.contains("no hash to check"), "{error}");
}

#[test]
fn offline_means_no_request_at_all() {
    let (world, repo) = World::with_model(SIZE);
    let mut config = world.config();
    config.offline = true;
    let offline = scaffold_hub::Hub::new(config);
    let name = offline.name("org/model").unwrap();
    let error = offline.pull(&name, &mut Silent).unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable, "{error}");
    assert!(error.remedies().contains(&Remedy::GoOnline), "{error}");
    assert!(world.hub.requests().is_empty());
    pull(&world, "org/model", &mut Heard::default()).unwrap();
    world.hub.forget_requests();
    assert_has(&offline.pull(&name, &mut Silent).unwrap(), &repo);
    assert!(world.hub.requests().is_empty());
}

#[test]
fn a_new_commit_is_seen_by_pull_and_not_by_resolve() {
    let (world, repo) = World::with_model(1000);
    let hub = world.client();
    let name = hub.name("org/model").unwrap();
    let old = hub.pull(&name, &mut Silent).unwrap();
    let newer = repo.file("config.json", r#"{"model_type": "llama", "new": true}"#);
    world.hub.add(newer.clone());
    assert_eq!(hub.resolve(&name, &mut Silent).unwrap().files, old.files);
    let mut heard = Heard::default();
    let new = hub.pull(&name, &mut heard).unwrap();
    assert_ne!(new.files, old.files);
    assert_has(&new, &newer);
    assert!(
        heard.events.iter().any(|e| matches!(e, Event::Planned { files: 1, .. })),
        "only the changed file is fetched"
    );
    // An old commit stays available by its name.
    let by_commit = hub.name(&format!("org/model@{}", old.revision.unwrap())).unwrap();
    assert_eq!(hub.resolve(&by_commit, &mut Silent).unwrap().files, old.files);
}

#[test]
fn gguf_files_are_chosen_by_their_quantization() {
    let world = World::new();
    let repo = FakeRepo::new("org/gguf")
        .large_file("m-Q8_0.gguf", noise(800))
        .large_file("m-Q4_K_M.gguf", noise(450))
        .large_file("Q2_K/m-Q2_K-00001-of-00002.gguf", noise(200))
        .large_file("Q2_K/m-Q2_K-00002-of-00002.gguf", noise(201));
    world.hub.add(repo);
    let file = |name: &str| {
        let model =
            pull(&world, name, &mut Heard::default()).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_only_whole_files(&world.cache());
        let ModelFiles::Gguf(path) = model.files else { panic!("{name}") };
        assert!(path.exists());
        path.file_name().unwrap().to_string_lossy().into_owned()
    };
    assert_eq!(file("hf.co/org/gguf:Q8_0"), "m-Q8_0.gguf");
    assert_eq!(file("org/gguf:q2_k"), "m-Q2_K-00001-of-00002.gguf");
    assert_eq!(file("org/gguf"), "m-Q4_K_M.gguf");
    assert_eq!(file("org/gguf/m-Q8_0.gguf"), "m-Q8_0.gguf");
    let error = pull(&world, "org/gguf:Q5", &mut Heard::default()).unwrap_err().to_string();
    assert!(error.contains("Q8_0"), "{error}");
}

#[test]
fn a_full_disk_is_noticed_before_the_first_byte() {
    let (world, _) = World::with_model(10);
    let sha = "0123456789012345678901234567890123456789";
    let huge = format!(
        r#"{{"id": "org/model", "sha": "{sha}", "siblings": [{{"rfilename": "model.safetensors", "size": 9000000000000000,
            "lfs": {{"sha256": "{}", "size": 9000000000000000}}}}]}}"#,
        "ab".repeat(32)
    );
    world.hub.spoil("/api/models/", 1, Fault::Body(huge.into_bytes()));
    let error = pull(&world, "org/model", &mut Heard::default()).unwrap_err();
    if cfg!(unix) {
        assert_eq!(error.kind(), Kind::Unavailable, "{error}");
        assert!(error.to_string().contains("35184372.1 MB are still to be written"), "{error}");
        assert!(world.hub.requests_for("/resolve/").is_empty());
    }
}

/// Stops the call as soon as some bytes have arrived.
struct Impatient(u64);

impl Progress for Impatient {
    fn event(&mut self, event: &Event) {
        if let Event::Bytes { count, .. } = event {
            self.0 += count;
        }
    }

    fn cancelled(&self) -> bool {
        self.0 > 0
    }
}

#[test]
fn a_cancelled_download_stops_soon_and_is_kept() {
    let (world, repo) = World::with_model(SIZE);
    world.hub.spoil("/objects/", 100, Fault::Drip(1000, Duration::from_millis(5)));
    let hub = world.client();
    let name = hub.name("org/model").unwrap();
    let begun = Instant::now();
    assert_eq!(hub.pull(&name, &mut Impatient(0)).unwrap_err().kind(), Kind::Cancelled);
    assert!(begun.elapsed() < Duration::from_secs(3));
    assert_only_whole_files(&world.cache());
    world.hub.behave();
    let mut heard = Heard::default();
    assert_has(&hub.pull(&name, &mut heard).unwrap(), &repo);
}

#[test]
fn without_links_there_is_still_one_copy() {
    let (world, repo) = World::with_model(SIZE);
    let mut config = world.config();
    config.symlinks = false;
    let hub = scaffold_hub::Hub::new(config);
    let name = hub.name("org/model").unwrap();
    let model = hub.pull(&name, &mut Silent).unwrap();
    assert_has(&model, &repo);
    let weights = model.files.path().join("model.safetensors");
    assert!(!fs::symlink_metadata(&weights).unwrap().is_symlink());
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        assert_eq!(
            fs::metadata(&weights).unwrap().nlink(),
            2,
            "a hard link to the blob, not a copy"
        );
    }
    world.hub.forget_requests();
    hub.pull(&name, &mut Silent).unwrap();
    assert_eq!(world.hub.requests().len(), 1);
}

#[test]
fn renamed_repositories_are_followed_and_said() {
    let world = World::new();
    world.hub.add(model("new/name", 10));
    world.hub.add(FakeRepo { renamed_to: Some("new/name".into()), ..FakeRepo::new("old/name") });
    let mut heard = Heard::default();
    pull(&world, "old/name", &mut heard).unwrap();
    assert!(heard.text().contains("old/name is now called new/name"), "{}", heard.text());
    let hub = world.client();
    assert!(hub.cached(&hub.name("old/name").unwrap()).unwrap().is_some());
}
