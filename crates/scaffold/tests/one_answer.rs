//! A question about a model has one answer, whoever asks: which file it is, and what it is called.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use scaffold::config::{Config, Flag, Inputs, Key};
use scaffold::hub::Silent;
use scaffold::locate::hub_client;
use scaffold::locate::locate;
use scaffold::model::TextFiles;
use scaffold::{Kind, LlmManager, LoadOptions, about, doctor, report::Verdict, selftest};
use scaffold_formats::BlockType;
use scaffold_testing::golden::tiny;
use scaffold_testing::tokenizer::byte_level;
use tempfile::TempDir;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// A cache as the Hub's clients lay it out, with one repository whose files `write` makes.
fn cached(repo: &str, write: impl Fn(&Path)) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    let folder = format!("hub/models--{}", repo.replace('/', "--"));
    let repository = home.path().join(folder);
    fs::create_dir_all(repository.join("refs")).unwrap();
    fs::write(repository.join("refs/main"), COMMIT).unwrap();
    let snapshot = repository.join("snapshots").join(COMMIT);
    fs::create_dir_all(&snapshot).unwrap();
    write(&snapshot);
    home
}

/// The configuration of a machine without a network whose models lie there.
fn config(home: &TempDir, model: &str) -> Config {
    let place = home.path().to_str().unwrap();
    let flags = [
        (Key::Model, model),
        (Key::HubHome, place),
        (Key::Offline, "true"),
        (Key::PackedCache, "off"),
        (Key::MaxLength, "8"),
    ];
    let flag = |(key, value): (Key, &str)| Flag { key, name: "--test", value: value.to_owned() };
    let flags = flags.map(flag).into();
    Config::load(Inputs { variable: &|_| None, project: None, file: None, flags }).unwrap()
}

/// The name of a path's file.
fn file(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// A small file and one that no machine holds: of two quantizations the best that fits is the
/// model, for an answer as for a test and a diagnosis.
#[test]
fn all_take_the_same_file_for_the_model() {
    let home = cached("org/two", |snapshot| {
        let paths = ["m-Q2_K.gguf", "m-Q4_K_M.gguf"].map(|name| snapshot.join(name));
        for path in &paths {
            tiny("llama").write_gguf(path, BlockType::F32);
        }
        // 8 TiB that take no room on the disk.
        File::options().write(true).open(&paths[1]).unwrap().set_len(8 << 40).unwrap();
    });
    let config = config(&home, "org/two");
    let located = locate(&config, "org/two", &mut Silent).unwrap();
    assert_eq!(file(located.files.path()), "m-Q2_K.gguf");

    let plan = selftest::Plan { embedding_model: "org/none".into(), ..selftest::Plan::default() };
    let report = selftest::run(&config, &plan, &mut Silent, &mut |_, _| {});
    let tested: Vec<&str> = report.models[0].files.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(tested, ["m-Q2_K.gguf"]);

    let diagnosis = doctor::examine(&config);
    let findings: Vec<_> = diagnosis.sections.iter().flat_map(|s| &s.findings).collect();
    let need = findings.iter().find(|f| f.subject == "model").unwrap();
    assert!(need.verdict != Verdict::Bad && !need.seen.contains("TiB"), "{need:?}");
}

/// A model without a template has its format by its name: the one that an alias stands for.
#[test]
fn an_alias_and_the_name_behind_it_give_the_same_prompt() {
    let repo = "HuggingFaceTB/SmolLM2-135M-Instruct";
    let home = cached(repo, |snapshot| {
        for name in ["config.json", "model.safetensors"] {
            fs::copy(tiny("llama").dir.join(name), snapshot.join(name)).unwrap();
        }
        // No control token tells the format.
        let text = byte_level().to_string();
        let text = text.replace("<|im_start|>", "<a>").replace("<|im_end|>", "<b>");
        fs::write(snapshot.join("tokenizer.json"), text).unwrap();
    });
    let prompts = ["starter", repo, "Starter@main"].map(|name| {
        let config = config(&home, name);
        let model = LlmManager::builder(name).config(&config).load().unwrap();
        let prompt = model.prompt_ids("Hi").unwrap();
        // What `render` formats with.
        let found = locate(&config, name, &mut Silent).unwrap();
        let text = TextFiles::open(&PathBuf::from(found.files.path()), &found.name, true).unwrap();
        assert!(text.template.is_ok(), "{name} has no chat format");
        prompt
    });
    assert!(prompts[0].len() > 10, "{:?}: the words alone", prompts[0]);
    assert!(prompts.iter().all(|prompt| *prompt == prompts[0]), "{prompts:?}");
}

/// What a copy lacks is fetched, what it has is read: both look for the same files.
#[test]
fn a_copy_is_whole_where_a_tokenizer_is_found() {
    let valid = byte_level().to_string();
    let sets: [(&[&str], bool); 11] = [
        (&["tokenizer.json"], true),
        (&["tokenizer.model"], true),
        (&["tokenizer.model.v3"], true),
        (&["spm.model"], true),
        (&["tekken_240911.json"], true),
        (&["qwen.tiktoken"], true),
        (&["vocab.txt"], true),
        (&["vocab.json", "merges.txt"], true),
        (&["vocab.json"], false),
        (&["merges.txt", "tokenizer_config.json"], false),
        (&[], false),
    ];
    for (names, whole) in sets {
        let home = cached("org/model", |snapshot| {
            for name in ["config.json", "model.safetensors"] {
                fs::copy(tiny("llama").dir.join(name), snapshot.join(name)).unwrap();
            }
            for name in names {
                let text = if *name == "tokenizer.json" { &valid } else { "{}" };
                fs::write(snapshot.join(name), text).unwrap();
            }
        });
        let config = config(&home, "org/model");
        let hub = hub_client(&config);
        let found = hub.cached(&hub.name("org/model").unwrap()).unwrap();
        assert_eq!(found.is_some(), whole, "{names:?}");
        let snapshot = home.path().join("hub/models--org--model/snapshots").join(COMMIT);
        let read = TextFiles::open(&snapshot, "org/model", true);
        let nothing = matches!(&read, Err(error) if error.kind() == Kind::NotFound);
        if whole {
            assert!(!nothing, "{names:?}: {read:?}");
        } else {
            assert!(read.is_err(), "{names:?}");
        }
        let check = about::FolderCheck::of(&snapshot, &LoadOptions::default()).unwrap();
        let lacks = check.lacks.iter().any(|lack| lack.contains("tokenizer"));
        assert_eq!(lacks, !whole, "{names:?}: {:?}", check.lacks);
    }
}
