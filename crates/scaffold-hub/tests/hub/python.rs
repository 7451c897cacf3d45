//! The real `huggingface_hub` on the same cache: it reads what we wrote, and we read what it wrote.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use scaffold_hub::{Hub, HubConfig, Silent, Source};
use scaffold_testing::skip;

use crate::common::{Heard, World, assert_only_whole_files};

/// A Python that has the module: one on the path, or a virtual environment that pip fills.
fn python() -> Option<PathBuf> {
    let has_module = |python: &Path| {
        Command::new(python)
            .args(["-c", "import huggingface_hub"])
            .output()
            .is_ok_and(|o| o.status.success())
    };
    let mut candidates: Vec<PathBuf> = vec!["python3".into(), "python".into()];
    candidates.extend(std::env::var_os("SCAFFOLD_TEST_PYTHON").map(PathBuf::from));
    if let Some(found) = candidates.iter().find(|p| has_module(p)) {
        return Some(found.clone());
    }
    let venv = Path::new(env!("CARGO_TARGET_TMPDIR")).join("huggingface_hub");
    let python = venv.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    if !has_module(&python) {
        let made = Command::new("python3").args(["-m", "venv"]).arg(&venv).output().ok()?;
        let pip = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--timeout",
            "10",
            "--retries",
            "0",
            "huggingface_hub",
        ];
        let installed = made.status.success()
            && Command::new(&python).args(pip).output().is_ok_and(|o| o.status.success());
        if !installed {
            return None;
        }
    }
    has_module(&python).then_some(python)
}

fn run(python: &Path, world: &World, script: &str) -> Output {
    let output = Command::new(python)
        .args(["-c", script])
        .env("HF_ENDPOINT", world.hub.url())
        .env("HF_HUB_CACHE", world.cache())
        .env("HF_HOME", world.home.path().join(".cache/huggingface"))
        .env("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        .env("HF_HUB_DISABLE_TELEMETRY", "1")
        .env("HF_HUB_DISABLE_XET", "1")
        .env_remove("HF_TOKEN")
        .env_remove("HF_HUB_OFFLINE")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stdout));
    output
}

#[test]
fn python_and_we_share_one_cache() {
    let Some(python) = python() else {
        skip::without("no python3 with huggingface_hub, and pip could not fetch it");
        return;
    };
    let (world, repo) = World::with_model(300_000);
    world.hub.add(crate::common::model("org/second", 200_000));

    // We write, Python reads: a scan without complaint, files without the network, and its own
    // verification.
    world.pull(&world.client(), "org/model").unwrap();
    world.hub.forget_requests();
    let read = r#"
import os
from huggingface_hub import scan_cache_dir, hf_hub_download, snapshot_download
info = scan_cache_dir()
assert not info.warnings, info.warnings
[repo] = info.repos
assert repo.repo_id == "org/model" and repo.nb_files == 4, repo
[revision] = repo.revisions
assert revision.refs == {"main"}, revision
path = hf_hub_download("org/model", "model.safetensors", local_files_only=True)
assert os.path.getsize(path) == 300000, path
print(snapshot_download("org/model", local_files_only=True))
"#;
    let output = run(&python, &world, read);
    let ours = world.client().cached(&world.client().name("org/model").unwrap()).unwrap().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), ours.files.path().to_string_lossy());
    assert!(world.hub.requests().is_empty(), "local files only, and yet requests were made");
    let verify = r#"
from huggingface_hub import HfApi
result = HfApi().verify_repo_checksums("org/model")
assert not result.mismatches and result.checked_count >= 4, result
"#;
    run(&python, &world, verify);

    // Python writes, we read: without a request; and a file that only Python lacks is the only one
    // that Python fetches.
    world.hub.forget_requests();
    let write = r#"
from huggingface_hub import hf_hub_download
for name in ["config.json", "tokenizer.json", "README.md", "model.safetensors"]:
    hf_hub_download("org/second", name)
hf_hub_download("org/model", "pytorch_model.bin")
"#;
    run(&python, &world, write);
    assert!(
        world.hub.requests_for("/objects/").iter().filter(|r| r.method == "GET").count() == 1,
        "org/model was fetched again"
    );
    world.hub.forget_requests();
    let hub = world.client();
    let second = hub.resolve(&hub.name("org/second").unwrap(), &mut Silent).unwrap();
    assert_eq!(second.source, Source::Cache);
    // Whether the repository has more than the files that Python was told to fetch: asked once.
    assert_eq!(world.hub.requests().len(), 1);
    hub.resolve(&hub.name("org/second").unwrap(), &mut Silent).unwrap();
    assert_eq!(world.hub.requests().len(), 1);
    // Up to date by our own account, too: a pull finds every blob in its place.
    let mut heard = Heard::default();
    hub.pull(&hub.name("org/second").unwrap(), &mut heard).unwrap();
    assert_eq!(heard.bytes(), 0);
    assert!(hub.verify(None, &mut Silent).unwrap().damaged.is_empty());
    assert_only_whole_files(&world.cache());
    assert_eq!(fs::read(second.files.path().join("model.safetensors")).unwrap().len(), 200_000);
    drop(repo);

    // A whole snapshot by Python, with its listing; then a file less: we notice.
    let third = crate::common::model("org/third", 1000);
    world.hub.add(third);
    run(
        &python,
        &world,
        "from huggingface_hub import snapshot_download; snapshot_download('org/third')",
    );
    let third = hub.name("org/third").unwrap();
    let dir = hub.cached(&third).unwrap().expect("Python's snapshot").files.path().to_owned();
    fs::remove_file(dir.join("tokenizer.json")).unwrap();
    assert!(hub.cached(&third).unwrap().is_none());
}

#[test]
fn python_and_we_share_a_cache_without_links() {
    let Some(python) = python() else {
        skip::without("no python3 with huggingface_hub, and pip could not fetch it");
        return;
    };
    const NO_LINKS: &str = "import os; os.environ['HF_HUB_DISABLE_SYMLINKS'] = '1'\n";
    let (world, _) = World::with_model(300_000);
    world.hub.add(crate::common::model("org/second", 200_000));

    // Python writes, we read: whole, and then a part of another.
    let write = r#"
from huggingface_hub import hf_hub_download, snapshot_download
snapshot_download("org/model", ignore_patterns=["*.bin"])
for name in ["config.json", "model.safetensors"]:
    hf_hub_download("org/second", name)
"#;
    run(&python, &world, &format!("{NO_LINKS}{write}"));
    world.hub.forget_requests();
    let hub = world.client();
    let mut heard = Heard::default();
    let model = hub.pull(&hub.name("org/model").unwrap(), &mut heard).unwrap();
    assert_eq!(heard.bytes(), 0);
    let weights = model.files.path().join("model.safetensors");
    assert!(fs::symlink_metadata(&weights).unwrap().is_file());
    let verified = hub.verify(None, &mut Silent).unwrap();
    assert!(verified.damaged.is_empty() && verified.unverified.is_empty(), "{verified:?}");
    let mut heard = Heard::default();
    hub.resolve(&hub.name("org/second").unwrap(), &mut heard).unwrap();
    assert!(heard.bytes() > 0 && heard.bytes() < 200_000, "only what was lacking");

    // We write without links, Python reads without the network.
    world.hub.add(crate::common::model("org/third", 1000));
    let mut config = world.config();
    config.symlinks = false;
    let hub = Hub::new(config);
    hub.pull(&hub.name("org/third").unwrap(), &mut Silent).unwrap();
    let read = r#"
from huggingface_hub import hf_hub_download, scan_cache_dir
for repo in ["org/model", "org/second", "org/third"]:
    for name in ["config.json", "tokenizer.json", "model.safetensors"]:
        hf_hub_download(repo, name, local_files_only=True)
assert not scan_cache_dir().warnings, scan_cache_dir().warnings
"#;
    run(&python, &world, &format!("{NO_LINKS}{read}"));
}

#[test]
fn python_and_we_share_the_token() {
    let Some(python) = python() else {
        skip::without("no python3 with huggingface_hub, and pip could not fetch it");
        return;
    };
    let world = World::new();
    world.hub.add_token(scaffold_testing::hub::FakeToken::fine_grained(crate::common::TOKEN, &[]));
    let origin = scaffold_hub::TokenSource::Flag;
    let token = scaffold_hub::Token::parse(crate::common::TOKEN, &origin).unwrap();
    world.client().login(&token).unwrap();
    let read = r#"
from huggingface_hub import get_token, whoami
from huggingface_hub.utils import get_stored_tokens
assert get_token() is not None and get_stored_tokens()["test"] == get_token()
assert whoami()["name"] == "someone"
"#;
    run(&python, &world, read);
    world.client().logout(None).unwrap();
    run(
        &python,
        &world,
        "from huggingface_hub import get_token, login\nassert get_token() is None",
    );
    let login = format!("from huggingface_hub import login\nlogin('{}')", crate::common::TOKEN);
    run(&python, &world, &login);
    let mut config = HubConfig::new(world.home.path());
    config.endpoint = world.hub.url().into();
    assert_eq!(Hub::new(config).whoami().unwrap().name, "someone");
}
