//! Removing in a cache that is the only thing in its directory: what was made for a model goes, the
//! cache's directory and all above it stay.

use std::fs;
use std::path::{Path, PathBuf};

use scaffold_hub::{Hub, HubConfig, packages};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const MODEL: &str = "models--org--m";

/// Directories with nothing in them, as a shell that was just moved to another disk has them.
struct Alone {
    root: tempfile::TempDir,
}

impl Alone {
    fn new() -> Alone {
        let alone = Alone { root: tempfile::tempdir().unwrap() };
        for dir in [alone.cache(), alone.packages()] {
            fs::create_dir_all(dir).unwrap();
        }
        alone
    }

    fn cache(&self) -> PathBuf {
        self.root.path().join("disk/work/cache")
    }

    fn packages(&self) -> PathBuf {
        self.root.path().join("other/work/ours/packages")
    }

    fn hub(&self) -> Hub {
        let mut config = HubConfig::new(self.root.path().join("nobody"));
        config.cache_dir = self.cache();
        config.packages_dir = self.packages();
        Hub::new(config)
    }

    /// A file of `org/m`; where it is one of the snapshot's, that is its only one.
    fn file(self, path: &str) -> Alone {
        let path = self.cache().join(MODEL).join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "x").unwrap();
        self
    }

    fn package(self, file: &str) -> Alone {
        let source = &packages()[0];
        let dir = self.packages().join(format!("{}-{}", source.package, source.version));
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join(file), "x").unwrap();
        self
    }

    fn remove(self, name: &str) -> Alone {
        let hub = self.hub();
        let removed = hub.remove(&hub.name(name).unwrap(), false).unwrap();
        assert!(removed.freed > 0, "{removed:?}");
        self
    }

    fn prune(self) -> Alone {
        assert!(self.hub().prune(false).unwrap().freed > 0);
        self
    }

    /// Both roots are there, and nothing of a model is left in them.
    fn assert_roots_are_left(&self, what: &str) {
        for dir in [self.cache(), self.packages()] {
            assert!(dir.is_dir(), "{what}: {} is gone", dir.display());
        }
        assert!(!self.cache().join(MODEL).join("snapshots").exists(), "{what}");
        assert_eq!(names(&self.packages()), Vec::<String>::new(), "{what}");
    }
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap().flatten();
    entries.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

fn of_snapshot(file: &str) -> String {
    format!("snapshots/{COMMIT}/{file}")
}

#[test]
fn removing_a_model_stops_below_its_cache() {
    let package = &packages()[0].repo;
    let cases = [
        ("a model", Alone::new().file(&of_snapshot("config.json")), "org/m".to_owned()),
        (
            "a revision",
            Alone::new().file(&of_snapshot("deep/er/model.safetensors")),
            format!("org/m@{COMMIT}"),
        ),
        ("a quantization", Alone::new().file(&of_snapshot("m-Q8_0.gguf")), "org/m:Q8_0".to_owned()),
        ("an interrupted download", Alone::new().file("blobs/aa.incomplete"), "org/m".to_owned()),
        ("a package", Alone::new().package("model.gguf"), package.clone()),
    ];
    for (what, alone, name) in cases {
        alone.remove(&name).assert_roots_are_left(what);
    }
}

#[test]
fn tidying_up_stops_below_its_cache() {
    for (what, alone) in [
        ("an interrupted download", Alone::new().file("blobs/aa.incomplete")),
        ("contents of nothing", Alone::new().file("blobs/aa")),
        ("an interrupted package", Alone::new().package("p.whl")),
        ("an unfinished package", Alone::new().package("p.whl.incomplete")),
    ] {
        alone.prune().assert_roots_are_left(what);
    }
}

/// What is configured stays also where one place lies in another.
#[test]
fn a_place_inside_of_a_model_stays() {
    let alone = Alone::new().file(&of_snapshot("config.json"));
    let mut config = alone.hub().config().clone();
    config.packages_dir = alone.cache().join(MODEL).join("ours/packages");
    fs::create_dir_all(&config.packages_dir).unwrap();
    let hub = Hub::new(config);
    hub.remove(&hub.name("org/m").unwrap(), false).unwrap();
    assert!(hub.config().packages_dir.is_dir());
}

/// Without a home and a setting nothing is read or written, least of all in the current directory.
#[test]
fn what_has_no_place_is_an_error_that_names_the_setting() {
    let hub = Hub::new(HubConfig { offline: true, ..HubConfig::new("") });
    let name = hub.name("org/m").unwrap();
    let told = |error: scaffold_hub::Error| {
        assert_eq!(error.kind(), scaffold_hub::Kind::Usage, "{error}");
        assert!(error.to_string().contains("HF_HOME"), "{error}");
    };
    assert_eq!(hub.list(), []);
    told(hub.cached(&name).unwrap_err());
    told(hub.pull(&name, &mut scaffold_hub::Silent).unwrap_err());
    told(hub.resolve(&name, &mut scaffold_hub::Silent).unwrap_err());
    told(hub.remove(&name, false).unwrap_err());
    told(hub.prune(true).unwrap_err());
    told(hub.verify(None, &mut scaffold_hub::Silent).unwrap_err());
    told(hub.logout(None).unwrap_err());
    let online =
        Hub::new(HubConfig { endpoint: "http://127.0.0.1:9".into(), ..HubConfig::new("") });
    told(online.pull(&name, &mut scaffold_hub::Silent).unwrap_err());
    let error = online.package(&packages()[0], &mut scaffold_hub::Silent).unwrap_err();
    assert!(error.to_string().contains("SCAFFOLD_CACHE"), "{error}");
    // What lies elsewhere needs no cache.
    let own = tempfile::tempdir().unwrap();
    fs::write(own.path().join("config.json"), "{}").unwrap();
    hub.cached(&hub.name(&own.path().display().to_string()).unwrap()).unwrap().unwrap();
}
