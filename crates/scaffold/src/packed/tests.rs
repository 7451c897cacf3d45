use std::fs;
use std::path::{Path, PathBuf};

use scaffold_error::{Notice, Topic};
use scaffold_hub::{LocalModel, Silent};
use scaffold_testing::{golden, tokenizer};

use super::files::beside;
use super::*;
use crate::builder::FromModel as _;
use crate::config::{Config, Inputs, PackedMode};
use crate::{GenerateOptions, LlmManager, LoadOptions, Model};

/// A copy of a tiny model, and a directory for its packed weights.
struct Place {
    _dir: tempfile::TempDir,
    model: PathBuf,
    options: LoadOptions,
    config: Config,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let model = dir.path().join("model");
        fs::create_dir(&model).unwrap();
        for entry in fs::read_dir(&golden::tiny("llama").dir).unwrap() {
            let entry = entry.unwrap();
            if entry.metadata().unwrap().is_file() {
                fs::copy(entry.path(), model.join(entry.file_name())).unwrap();
            }
        }
        fs::write(model.join("tokenizer.json"), tokenizer::byte_level().to_string()).unwrap();
        let options = LoadOptions {
            packed: Some(PackedOptions {
                mode: PackedMode::On,
                directory: Some(dir.path().join("cache/packed")),
                leave_free: 0,
                limit: u64::MAX,
            }),
            context: Some(64),
            ..LoadOptions::default()
        };
        let nothing = |_: &str| None;
        let config =
            Config::load(Inputs { variable: &nothing, project: None, file: None, flags: vec![] })
                .unwrap();
        Self { _dir: dir, model, options, config }
    }

    fn packed(&mut self) -> &mut PackedOptions {
        self.options.packed.as_mut().unwrap()
    }

    fn directory(&self) -> &Path {
        self.options.packed.as_ref().unwrap().directory.as_deref().unwrap()
    }

    /// Loads the model, waits for the writing; what was said about packed weights, and an answer.
    fn load(&self) -> (Vec<Notice>, String) {
        let options = self.options.clone();
        let files = LocalModel::on_disk(&self.model).named("tiny");
        let model = Model::open(&files, &options).unwrap();
        let model = LlmManager::from_model(&model, &self.config, Vec::new(), &mut Silent).unwrap();
        let mut notices = model.notices();
        notices.extend(model.finish_keeping());
        notices.retain(|notice| notice.topic == Topic::PackedWeights);
        let ids = model.plain_ids("one two three").unwrap();
        let options = GenerateOptions::new().temperature(0.0).max_new_tokens(5);
        let text = model.stream_ids(ids, &options).unwrap().collect_answer().unwrap().text;
        (notices, text)
    }

    fn only(&self) -> PackedCache {
        let mut all = list(self.directory()).unwrap();
        assert_eq!(all.len(), 1);
        all.remove(0)
    }

    /// The file's identity: it changes when it is written again.
    fn stamp(&self) -> (PathBuf, std::time::SystemTime) {
        let path = self.only().path;
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        (path, modified)
    }
}

#[test]
fn the_second_start_maps_what_the_first_has_kept() {
    let place = Place::new();
    let (notices, answer) = place.load();
    assert_eq!(notices, []);
    let cache = place.only();
    assert_eq!((cache.model.as_str(), cache.state), ("tiny", PackedState::Usable));
    assert_eq!(cache.source, place.model.canonicalize().unwrap());
    let stamp = place.stamp();
    assert_eq!(place.load(), (vec![], answer));
    assert_eq!(place.stamp(), stamp, "a hit writes nothing");
}

#[test]
fn each_precision_has_a_file_of_its_own() {
    let mut place = Place::new();
    place.load();
    for (dtype, files) in [
        // The weights are stored so: there is nothing to convert, and one file is enough for both.
        (crate::config::Dtype::Float32, 1),
        (crate::config::Dtype::Int8, 2),
    ] {
        place.options.dtype = dtype;
        place.load();
        assert_eq!(list(place.directory()).unwrap().len(), files, "{dtype}");
    }
}

#[test]
fn damage_is_told_and_mended() {
    let place = Place::new();
    let (_, answer) = place.load();
    let path = place.only().path;
    let good = fs::read(&path).unwrap();
    let mut flipped = good.clone();
    *flipped.last_mut().unwrap() ^= 1;
    for bad in [flipped.as_slice(), &good[..good.len() / 2], b"", b"other"] {
        fs::write(&path, bad).unwrap();
        let (notices, text) = place.load();
        assert!(told(&notices, "packed again from the model's files"), "{notices:?}");
        assert_eq!(text, answer);
        assert_eq!(place.load(), (vec![], answer.clone()), "it was written again");
        assert!(fs::read(&path).unwrap() == good);
    }
}

#[test]
fn another_state_of_the_model_takes_the_old_ones_place() {
    let place = Place::new();
    let (_, answer) = place.load();
    let before = place.only().path;
    let weights = place.model.join("model.safetensors");
    let bytes = fs::read(&weights).unwrap();
    fs::remove_file(&weights).unwrap();
    fs::write(&weights, bytes).unwrap();
    assert_eq!(place.only().state, PackedState::ModelChanged);
    assert_eq!(place.load(), (vec![], answer));
    assert_eq!((place.only().path, place.only().state), (before, PackedState::Usable));
}

#[test]
fn other_versions_are_packed_again() {
    let place = Place::new();
    let (_, answer) = place.load();
    let path = place.only().path;
    let file = scaffold_formats::packed::PackedFile::open(&path).unwrap();
    let good = file.about().clone();
    drop(file);
    let mut number = good.clone();
    number.layout += 1;
    // The same number, and packing that makes other bytes: what no one has raised the number for.
    let mut bytes = good.clone();
    bytes.key = good.key.replace(layout::layout(), "0123456789abcdef");
    assert_ne!(bytes.key, good.key);
    // What older programs wrote, which knew of no such hash.
    let mut older = good.clone();
    older.key = good.key.replace(&format!("{} ", layout::layout()), "");
    for about in [number, bytes, older] {
        scaffold_formats::packed::write_packed(&path, &about, &[]).unwrap();
        assert_eq!(place.only().state, PackedState::OtherVersion);
        assert_eq!(place.load(), (vec![], answer.clone()));
        assert_eq!(place.only().state, PackedState::Usable);
    }
}

#[test]
fn old_revisions_make_room_first_and_then_what_was_used_least_recently() {
    let mut place = Place::new();
    let root = place.model.parent().unwrap().to_owned();
    let mut load = |model: &str, limit: u64| {
        let directory = root.join(model);
        fs::create_dir_all(directory.parent().unwrap()).unwrap();
        if !directory.exists() {
            fs::rename(&place.model, &directory).unwrap();
            copy_dir(&directory, &place.model);
        }
        let model = std::mem::replace(&mut place.model, directory);
        place.packed().limit = limit;
        let told = place.load().0;
        place.model = model;
        let mut kept: Vec<_> = list(place.directory())
            .unwrap()
            .into_iter()
            .map(|cache| {
                let source = cache.source.strip_prefix(root.canonicalize().unwrap());
                source.unwrap().display().to_string()
            })
            .collect();
        kept.sort();
        (told, kept)
    };
    let (old, new) = ("models--a/snapshots/1", "models--a/snapshots/2");
    assert_eq!(load(old, u64::MAX), (vec![], vec![old.into()]));
    load("b", u64::MAX);
    load("c", u64::MAX);
    // A hit counts as a use.
    load("b", u64::MAX);
    let bytes = list(&root.join("cache/packed")).unwrap()[0].bytes;
    let (notices, kept) = load(new, bytes * 3 + bytes / 2);
    assert!(told(&notices, "packed weights of `tiny` were removed"), "{notices:?}");
    assert_eq!(kept, ["b", "c", new]);
    let (_, kept) = load("d", bytes * 3 + bytes / 2);
    assert_eq!(kept, ["b", "d", new]);
    // What is asked for now is kept, be the limit as low as it may.
    assert_eq!(load("e", 0).1, ["e"]);
}

/// Whether this is told, and nothing else.
fn told(notices: &[Notice], words: &str) -> bool {
    matches!(notices, [notice] if notice.text.contains(words))
}

fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[test]
fn files_that_change_while_they_are_loaded_are_neither_used_nor_kept() {
    let place = Place::new();
    let options = place.options.packed.as_ref().unwrap();
    let seen = Seen::now(&place.model).unwrap();
    let precision = scaffold_model::Precision::Native;
    let open = |seen: &Seen| {
        let mut notices = Vec::new();
        Store::open("tiny", seen.clone(), precision, options, 1, &mut notices)
    };
    let store = open(&seen).unwrap();
    fs::write(place.model.join("config.json"), "{}").unwrap();
    assert!(open(&seen).is_none());
    store.lock().packed = 1;
    let mut notices = Vec::new();
    assert!(store.keep(&mut notices).is_none());
    assert!(told(&notices, "changed while"), "{notices:?}");
}

#[test]
fn a_place_that_cannot_be_written_to_is_only_a_notice() {
    let mut place = Place::new();
    let file = place.model.join("config.json");
    place.packed().directory = Some(file.join("packed"));
    let (notices, answer) = place.load();
    assert!(!answer.is_empty());
    // What cannot be looked at is told, and so is what cannot be written.
    assert!(notices.last().unwrap().text.contains("not kept for the next start"), "{notices:?}");
}

#[test]
fn no_place_at_all_is_only_a_notice() {
    let mut place = Place::new();
    place.packed().directory = None;
    let (notices, answer) = place.load();
    assert!(!answer.is_empty());
    assert!(told(&notices, "SCAFFOLD_CACHE is not set"), "{notices:?}");
    // What is not to be kept needs no place.
    place.packed().mode = PackedMode::Auto;
    assert_eq!(place.load(), (Vec::new(), answer));
}

#[test]
fn a_disk_that_is_too_full_is_left_alone() {
    let mut place = Place::new();
    place.packed().leave_free = u64::MAX;
    let (notices, _) = place.load();
    assert!(told(&notices, "MiB that are free"), "{notices:?}");
    assert_eq!(list(place.directory()).unwrap(), []);
}

#[test]
fn auto_keeps_nothing_for_a_small_model_and_off_does_not_even_look() {
    let mut place = Place::new();
    place.packed().mode = PackedMode::Auto;
    assert_eq!(place.load().0, []);
    assert_eq!(list(place.directory()).unwrap(), []);

    place.packed().mode = PackedMode::On;
    let (_, answer) = place.load();
    fs::write(place.only().path, b"damaged").unwrap();
    place.packed().mode = PackedMode::Off;
    assert_eq!(place.load(), (vec![], answer));
}

#[test]
fn an_interrupted_write_is_neither_used_nor_kept() {
    let place = Place::new();
    place.load();
    let path = place.only().path;
    let whole = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    // What a process leaves that was killed while it wrote.
    let unfinished = scaffold_files::beside(&path);
    let earlier = beside(&path, ".4711-0.part");
    fs::write(&unfinished, &whole[..whole.len() - 1]).unwrap();
    fs::write(&earlier, &whole[..whole.len() - 1]).unwrap();
    assert_eq!(list(place.directory()).unwrap(), []);
    assert_eq!(place.load().0, []);
    assert!(!unfinished.exists() && !earlier.exists());
    assert_eq!(place.only().state, PackedState::Usable);
}

#[test]
fn two_at_once_leave_one_whole_file() {
    let place = Place::new();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(place.load().0, []));
        }
    });
    assert_eq!(place.only().state, PackedState::Usable);
    assert_eq!(place.load().0, []);
    let left: Vec<_> = fs::read_dir(place.directory())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name.to_string_lossy().ends_with(scaffold_files::UNFINISHED))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn removing_takes_the_file_and_what_lies_beside_it() {
    let place = Place::new();
    place.load();
    let cache = place.only();
    fs::remove_dir_all(&place.model).unwrap();
    assert_eq!(place.only().state, PackedState::ModelGone);
    assert_eq!(remove_packed(&cache).unwrap(), cache.bytes);
    assert_eq!(fs::read_dir(place.directory()).unwrap().count(), 0);
    assert_eq!(list(&place.directory().join("missing")).unwrap(), []);
}
