//! Killed processes, and processes that want the same file.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use scaffold_hub::ModelFiles;
use scaffold_testing::hub::Fault;

use crate::common::{Heard, World, assert_only_whole_files, noise};

const SIZE: usize = 6_000_000;

/// The example `fetch`, which is built together with the tests.
fn fetch(world: &World) -> Child {
    let program = std::env::current_exe().unwrap();
    let target = program.ancestors().nth(2).unwrap();
    let example: PathBuf =
        target.join("examples").join(format!("fetch{}", std::env::consts::EXE_SUFFIX));
    assert!(
        example.exists(),
        "{} is not built; run `cargo test -p scaffold-hub` without --test",
        example.display()
    );
    Command::new(example)
        .arg("org/model")
        .env_clear()
        .env("HOME", world.home.path())
        .env("USERPROFILE", world.home.path())
        .env("HF_ENDPOINT", world.hub.url())
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Pseudo-random numbers: other ones each run, printed so that a failure can be repeated.
fn random_delays(count: usize) -> Vec<Duration> {
    let seed =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().subsec_nanos();
    eprintln!("seed {seed}");
    let bytes = noise(count * 8 + seed as usize % 4096);
    bytes
        .rchunks(8)
        .take(count)
        .map(|b| Duration::from_millis(u64::from(b[0]) + u64::from(b[1] % 2) * 150))
        .collect()
}

#[test]
fn killed_ten_times_and_whole_at_the_end() {
    let (world, repo) = World::with_model(SIZE);
    // About four seconds for the whole file, so that the kills strike in the middle of it.
    world.hub.spoil("/objects/", 10_000, Fault::Drip(15_000, Duration::from_millis(10)));
    for delay in random_delays(10) {
        let mut child = fetch(&world);
        sleep(Duration::from_millis(50) + delay);
        // SIGKILL on Unix: nothing is flushed, no destructor runs.
        child.kill().unwrap();
        child.wait().unwrap();
        assert_only_whole_files(&world.cache());
    }
    let hub = world.client();
    let name = hub.name("org/model").unwrap();
    assert!(
        hub.cached(&name).unwrap().is_none(),
        "ten times a quarter of a second are not enough for the file"
    );
    world.hub.behave();
    let mut heard = Heard::default();
    let model = hub.pull(&name, &mut heard).unwrap();
    assert!(heard.resumed() > 0, "nothing of ten runs was left: {}", heard.text());
    let ModelFiles::Directory(dir) = model.files else { panic!() };
    let weights = &repo.files.iter().find(|f| f.large).unwrap().bytes;
    assert!(std::fs::read(dir.join("model.safetensors")).unwrap() == *weights);
    assert_only_whole_files(&world.cache());
    assert!(hub.verify(None, &mut heard).unwrap().damaged.is_empty());
}

#[test]
fn two_processes_share_one_download() {
    let (world, repo) = World::with_model(SIZE);
    world.hub.spoil("/objects/", 10_000, Fault::Drip(100_000, Duration::from_millis(5)));
    let children = [fetch(&world), fetch(&world), fetch(&world)];
    let mut waited = false;
    for child in children {
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{stderr}");
        waited |= stderr.contains("OtherProcess");
    }
    assert!(waited, "nobody had to wait");
    let bytes = repo.files.iter().find(|f| f.large).unwrap().bytes.len();
    let requested: u64 = world.hub.requests_for("/objects/").len() as u64;
    assert_eq!(
        requested, 1,
        "{bytes} bytes below the range threshold are one request, made by one process"
    );
    assert_only_whole_files(&world.cache());
}
